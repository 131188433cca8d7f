"use strict";

/* The page: brings together the settings, the pendulums at the top and the training below. */

playground.define("page", ({ pendulum, training, address, archive, weights, fields, swing, school }) => {
  const { PENDULUM } = fields;

  class Page {
    constructor(root) {
      this.root = root;
      const { settings, refused } = address.parse(window.location.hash);
      this.settings = settings;
      this.fields = new fields.Fields(root, {
        changed: (name, text) => this.change(name, text),
        settled: () => this.remember(),
      });
      this.swing = new swing.Swing(root, { placed: (q) => this.place(q), thrown: () => this.remember() });
      this.school = new school.School(root, {
        say: (text) => this.say("training", text),
        begun: () => this.set({ networks: "yours" }),
        improved: () => this.swing.held === undefined && this.reset(), // from the start again
      });
      for (const button of root.querySelectorAll("button[data-do]")) {
        const [name, argument] = button.dataset.do.split(" ");
        button.addEventListener("click", () => this[name](argument));
      }
      document.addEventListener("visibilitychange", () => this.school.hide(document.hidden));
      window.addEventListener("hashchange", () => {
        if (window.location.hash.includes("=")) window.location.reload();
      });
      this.fields.show(settings);
      this.reset();
      if (refused.length) {
        this.say("stage", `The link holds what makes no sense here: ${refused.join(", ")}. The usual values take its place.`);
      }
      const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
      if (!still) this.go();
      window.requestAnimationFrame((now) => this.frame(now));
    }

    frame(now) {
      const { swing, school } = this, seconds = Math.min((now - (this.last ?? now)) / 1000, 0.05);
      this.last = now;
      this.frames = (this.frames ?? 0) + 1;
      if (swing.moving) swing.move(seconds);
      // Now and then also where nothing moves: the page may have another size or other colours.
      const due = this.frames % 30 === 0;
      if (swing.moving || swing.changed || due) swing.draw();
      if (school.changed || due) school.draw(this.settings);
      window.requestAnimationFrame((later) => this.frame(later));
    }

    /** A word where the reader is looking: at the stage, the training, or the links. */
    say(where, text) {
      const note = this.root.querySelector(`[data-note="${where}"]`);
      note.hidden = !text;
      note.textContent = text;
    }

    // --- Settings ------------------------------------------------------------------------

    set(values) {
      Object.assign(this.settings, values);
      this.fields.show(this.settings);
    }

    /** Keeps the settings in the address; a browser may refuse, if it is asked too often. */
    remember() {
      try {
        const here = window.location.pathname + window.location.search;
        window.history.replaceState(null, "", here + address.write(this.settings));
      } catch {
        // The next change will do.
      }
    }

    /** What a reader has typed or chosen. */
    change(name, text) {
      const value = address.read(name, text);
      if (value === undefined) {
        const { least, most } = address.SETTINGS[name];
        this.say("training", `Expected a whole number from ${least} to ${most.toLocaleString("en")}, got “${text}”.`);
      } else if (value !== this.settings[name]) {
        this.settings[name] = value;
        this.say("training", "");
        const { trained } = this.school;
        if (PENDULUM.includes(name) || name === "networks") this.reset();
        else if (trained && JSON.stringify(school.recipe(this.settings)) !== JSON.stringify(trained)) {
          this.say("training", "These options are for the next training: press Start over. Pictures, table and saved files are of the last one.");
        }
      }
      this.fields.show(this.settings);
    }

    /** Back to the paper's pendulum. */
    usual() {
      const usual = address.usual();
      if (!this.papers()) {
        this.set({ ...Object.fromEntries(PENDULUM.map((name) => [name, usual[name]])), networks: "shipped" });
        this.reset();
      }
      this.remember();
    }

    papers() {
      const usual = address.usual();
      return PENDULUM.every((name) => this.settings[name] === usual[name]);
    }

    // --- The pendulums -------------------------------------------------------------------

    /** All three at the start, with the networks that the reader chose. */
    reset() {
      const { angle1, angle2, networks, ...given } = this.settings;
      this.system = new pendulum.DoublePendulum(given);
      const chosen = networks === "yours" ? this.school.knows(given) : this.papers() && weights;
      const { lagrangian = null, plain = null } = chosen || {};
      const start = [angle1, angle2].map((angle) => (Math.PI / 180) * angle);
      this.swing.reset(this.system, start, { truth: this.system, lagrangian, plain });
      let word = "Nothing has been trained here yet: press Train both from nothing.";
      if (networks === "shipped") word = "The book’s networks know the paper’s pendulum only. Go back to it, or train both on yours.";
      else if (this.school.networks) word = "What was trained here knows another pendulum. Put the sliders back to see it, or start over with this one.";
      for (const place of ["stage", "pendulum"]) this.say(place, chosen ? "" : word);
    }

    /** A new start, at rest, where a hand put the bobs. */
    place(q) {
      const degrees = (angle) => Math.round((180 / Math.PI) * Math.atan2(Math.sin(angle), Math.cos(angle)));
      this.set({ angle1: degrees(q[0]), angle2: degrees(q[1]) });
      this.reset();
    }

    // --- Buttons -------------------------------------------------------------------------

    go() {
      this.swing.go();
    }

    back() {
      this.reset();
    }

    train() {
      this.school.train(this.settings, this.system);
    }

    pause() {
      this.school.pause();
    }

    judge() {
      this.school.judge();
    }

    async link() {
      this.remember();
      try {
        await navigator.clipboard.writeText(window.location.href);
        this.say("link", "The link is in the clipboard. It holds the settings, not the networks: whoever opens it has to train them.");
      } catch {
        this.say("link", `This page may not write to the clipboard; the address above is the link: ${window.location.href}`);
      }
    }

    async save(kind) {
      const settings = { ...training.DEFAULTS, ...this.school.trained, kind };
      const facts = { made_by: "playground", settings };
      let file;
      try {
        file = await archive.pack(settings, this.school.networks[kind], facts);
      } catch {
        this.say("link", "Nothing was saved: this browser offers no check sum to a page that came by plain http. Open the page from a file or by https.");
        return;
      }
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([file], { type: "application/octet-stream" }));
      link.download = kind === "plain" ? "my_plain_network.npz" : "my_lagrangian_network.npz";
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    }
  }

  const root = document.getElementById("lnn-playground");
  return { Page, open: root && new Page(root) };
});
