// What the theme leaves to do for readers who use a keyboard or a screen reader.

document.addEventListener("DOMContentLoaded", () => {
  // The search button shows "Search Ctrl+K"; its name must contain what it shows.
  for (const button of document.querySelectorAll(".search-button__button[aria-label]")) {
    button.removeAttribute("aria-label");
  }
  // A fold bar shows "Show code cell source"; again, its name must contain what it shows.
  for (const summary of document.querySelectorAll("details > summary[aria-label]")) {
    summary.removeAttribute("aria-label");
  }
  // Bibliography entries are no list items, so the list role around them is wrong.
  for (const list of document.querySelectorAll(".citation-list[role=list]")) {
    list.removeAttribute("role");
  }
});

// Whatever scrolls sideways must be reachable with the keyboard, while it scrolls.
const scrollers = "pre, div.math, div.output, .pst-scrollable-table-container, .table-wrapper";

function markScrollers() {
  for (const element of document.querySelectorAll(scrollers)) {
    if (element.scrollWidth > element.clientWidth) element.tabIndex = 0;
  }
}

window.addEventListener("load", () => {
  const typeset = window.MathJax?.startup?.promise ?? Promise.resolve();
  typeset.then(markScrollers);
});
window.addEventListener("resize", markScrollers);
