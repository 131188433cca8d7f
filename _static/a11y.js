// What the theme leaves to do for readers: with a keyboard, a screen reader or a phone.

document.addEventListener("DOMContentLoaded", () => {
  // The search button shows "Search Ctrl+K"; its name must contain what it shows.
  for (const button of document.querySelectorAll(".search-button__button[aria-label]")) {
    button.removeAttribute("aria-label");
  }
  // A fold bar shows "Show the code"; again, its name must contain what it shows.
  for (const summary of document.querySelectorAll("details > summary[aria-label]")) {
    summary.removeAttribute("aria-label");
  }
  // Bibliography entries are no list items, so the list role around them is wrong.
  for (const list of document.querySelectorAll(".citation-list[role=list]")) {
    list.removeAttribute("role");
  }
  putArticleFirst();
});

const article = () => document.querySelector("article") ?? document.querySelector("main");

// The keyboard comes to the article before the list of all chapters, to which a second link skips.
function putArticleFirst() {
  const main = document.querySelector("main");
  const chapters = document.querySelector(".bd-sidebar-primary");
  const skip = document.querySelector("#pst-skip-link");
  if (!main || !chapters || !skip) return;
  main.after(chapters);
  article().id ||= "article";
  skip.querySelector("a").href = `#${article().id}`;
  chapters.id = "chapters";
  chapters.tabIndex = -1;
  const link = document.createElement("a");
  link.href = "#chapters";
  link.textContent = "Skip to the chapters";
  skip.append(link);
}

// What is wider than its place scrolls sideways. While it does, the keyboard reaches it, and
// `data-more` names the sides on which something is hidden: book.css draws an edge there.
const scrollers = "div.math, mjx-container[display=true], .pst-scrollable-table-container, .lnn-scroll";

function markScroller(element) {
  const hidden = element.scrollWidth - element.clientWidth;
  const sides = [];
  if (hidden > 1 && element.scrollLeft > 1) sides.push("left");
  if (hidden > 1 && element.scrollLeft < hidden - 1) sides.push("right");
  if (sides.length) {
    element.dataset.more = sides.join(" ");
    element.tabIndex = 0;
  } else {
    delete element.dataset.more;
    element.removeAttribute("tabindex");
  }
}

// The smallest words of a figure have 9.5 of 72 points an inch. On a phone they keep 9 pixels.
const smallest = 9 / (9.5 * 96 / 72);

function keepLegible(picture) {
  const natural = +picture.getAttribute("width") || picture.naturalWidth;
  let frame = picture.parentElement;
  if (!frame.matches(".lnn-scroll")) {
    if (smallest * natural <= frame.clientWidth) return;
    frame = document.createElement("span");
    frame.className = "lnn-scroll";
    picture.replaceWith(frame);
    frame.append(picture);
    frame.addEventListener("scroll", () => markScroller(frame), { passive: true });
  }
  const width = Math.max(Math.min(natural, frame.clientWidth), Math.ceil(smallest * natural));
  picture.style.width = `${width}px`;
}

function tighten(table) {
  table.classList.remove("tight");
  table.classList.toggle("tight", table.scrollWidth > table.clientWidth + 1);
}

function markScrollers() {
  document.querySelectorAll("article figure img").forEach(keepLegible);
  document.querySelectorAll(".pst-scrollable-table-container").forEach(tighten);
  document.querySelectorAll(scrollers).forEach(markScroller);
}

window.addEventListener("load", async () => {
  await window.MathJax?.startup?.promise;
  // Now, and whenever a window, a side bar or a turned phone gives the article another width.
  let width = 0;
  new ResizeObserver(([change]) => {
    if (change.contentRect.width != width) requestAnimationFrame(markScrollers);
    width = change.contentRect.width;
  }).observe(article());
  for (const element of document.querySelectorAll(scrollers)) {
    element.addEventListener("scroll", () => markScroller(element), { passive: true });
  }
});
