"use strict";

/* The page: what the reader's hands do, what moves, and what the worker reports. */

playground.define("page", ({ pendulum, training, address, archive, view, weights }) => {
  const FIELDS = {
    pendulum: {
      mass1: "mass of the first bob (kg)", mass2: "mass of the second bob (kg)",
      length1: "length of the first rod (m)", length2: "length of the second rod (m)",
      gravity: "gravity (m/s²)",
    },
    training: { steps: "steps", width: "units in each of two layers", states: "states to train on", seed: "seed" },
    ingredients: {
      offset: "kinetic offset", loss: "loss", features: "the network sees each angle as", optimiser: "optimiser",
    },
  };
  const CHOICES = {
    "box": "anywhere in a box", "visited": "near true motions", "squared": "squared error",
    "raw angle": "a number",
  };
  const FRAME = 1 / 240; // seconds of a Runge–Kutta step on the stage, for the paper's pendulum
  const COLOURS = { truth: "--truth", lagrangian: "--lnn", plain: "--plain" };
  const KINDS = ["lagrangian", "plain"];
  const COUNTED = ["steps", "width"];

  /** A share as a percentage in words: two digits, and no more where there is no sense in them. */
  const percent = (share) => {
    const value = 100 * share, size = Math.abs(value);
    if (!(size < 1000)) return "more than 1000";
    if (size < 0.0005) return "0.000";
    return String(Number(size < 0.1 ? value.toFixed(3) : value.toPrecision(2))).replace("-", "−");
  };
  const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

  class Page {
    constructor(root) {
      this.root = root;
      this.find = (selector) => root.querySelector(selector);
      const { settings, refused } = address.parse(window.location.hash);
      this.changed = true;
      this.settings = settings;
      this.networks = null; // what was trained here, by kind
      this.judged = { live: {}, judged: {} };
      this.losses = { lagrangian: [], plain: [] };
      this.stages = {};
      for (const [name, row] of Object.entries(COLOURS)) {
        this.stages[name] = new view.Stage(this.find(`[data-stage="${row}"]`), row);
      }
      this.charts = {
        energy: new view.Chart(this.find('[data-chart="energy"]'), { xLabel: "time (s)", yLabel: "change of energy (%)" }),
        loss: new view.Chart(this.find('[data-chart="loss"]'), { xLabel: "training step", yLabel: "loss", logarithmic: true }),
      };
      this.chosen = 1;
      this.fields();
      this.hands();
      this.reset();
      if (refused.length) {
        this.say("stage", `The link holds what makes no sense here: ${refused.join(", ")}. The usual values take its place.`);
      }
      const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
      if (!still) this.go();
      window.requestAnimationFrame((now) => this.frame(now));
    }

    // --- Fields --------------------------------------------------------------------------

    fields() {
      for (const [group, labels] of Object.entries(FIELDS)) {
        const box = this.find(`[data-fields="${group}"]`);
        for (const [name, text] of Object.entries(labels)) box.append(this.field(name, text));
      }
      for (const field of this.root.querySelectorAll("[data-setting]")) {
        field.addEventListener("change", () => {
          this.change(field.dataset.setting, field.value);
          this.remember();
        });
        if (field.type === "range") field.addEventListener("input", () => this.change(field.dataset.setting, field.value));
      }
      this.show();
    }

    field(name, text) {
      const { choices, least, most, step } = address.SETTINGS[name];
      const label = document.createElement("label"), words = document.createElement("span");
      words.textContent = text;
      const input = document.createElement(choices ? "select" : "input");
      input.dataset.setting = name;
      label.append(words);
      if (choices) {
        const inOrder = COUNTED.includes(name) ? [...choices].sort((a, b) => a - b) : choices;
        for (const choice of inOrder) {
          const words = COUNTED.includes(name) ? Number(choice).toLocaleString("en") : CHOICES[choice];
          input.append(new Option(words ?? choice, choice));
        }
      } else {
        input.type = step === 1 ? "number" : "range";
        Object.assign(input, { min: least, max: most, step });
        if (input.type === "range") label.append(document.createElement("output"));
      }
      label.append(input);
      return label;
    }

    /** Puts every field at its setting. */
    show() {
      for (const field of this.root.querySelectorAll("[data-setting]")) {
        const value = this.settings[field.dataset.setting];
        field.value = value;
        const shown = field.closest("label").querySelector("output");
        if (shown) shown.textContent = value;
      }
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

    change(name, text) {
      const value = address.read(name, text);
      if (value === undefined) {
        const { least, most } = address.SETTINGS[name];
        this.say("training", `Expected a whole number from ${least} to ${most.toLocaleString("en")}, got “${text}”.`);
      } else if (value !== this.settings[name]) {
        this.settings[name] = value;
        this.say("training", "");
        if (name in FIELDS.pendulum) this.another();
        else if (name === "networks") this.reset();
        else if (this.trained && JSON.stringify(this.recipe()) !== JSON.stringify(this.trained)) {
          this.say("training", "These options are for the next training: press Start over. What you see is the last one.");
        }
      }
      this.show();
    }

    /** Another pendulum: nothing that was trained knows it. */
    another() {
      const lost = Boolean(this.networks);
      this.forget();
      this.reset();
      if (lost) this.say("stage", "This is another pendulum: what was trained here does not know it, and is gone.");
    }

    /** A word where the reader is looking: at the stage, the training, or the links. */
    say(where, text) {
      const note = this.find(`[data-note="${where}"]`);
      note.hidden = !text;
      note.textContent = text;
    }

    // --- Hands ---------------------------------------------------------------------------

    hands() {
      for (const button of this.root.querySelectorAll("button[data-do]")) {
        const [name, argument] = button.dataset.do.split(" ");
        button.addEventListener("click", () => this[name](argument));
      }
      const { canvas } = this.stages.truth, stage = this.stages.truth;
      const point = (event) => [event.offsetX, event.offsetY];
      canvas.addEventListener("pointerdown", (event) => {
        if (event.button || this.held !== undefined) return;
        const bob = stage.grabbed(this.system, this.motions.truth.q, ...point(event));
        if (bob === null) return;
        this.chosen = this.held = bob;
        canvas.setPointerCapture(event.pointerId);
        this.hold();
      });
      canvas.addEventListener("pointermove", (event) => {
        if (this.held === undefined) return;
        this.turn(stage.angle(this.system, this.motions.truth.q, this.held, ...point(event)));
      });
      const release = () => {
        if (this.held === undefined) return;
        this.held = undefined;
        this.remember();
        this.go();
      };
      canvas.addEventListener("pointerup", release);
      canvas.addEventListener("pointercancel", release);
      canvas.addEventListener("lostpointercapture", release);
      canvas.addEventListener("keydown", (event) => {
        const turn = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (event.key === "1" || event.key === "2") this.chosen = Number(event.key) - 1;
        else if (turn) {
          if (this.moving) this.hold();
          this.turn(this.motions.truth.q[this.chosen] + (turn * Math.PI) / 60);
        } else if (event.key === "Enter" || event.key === " ") {
          this.remember();
          this.go();
        }
        else return;
        event.preventDefault();
        event.stopPropagation();
      });
      document.addEventListener("visibilitychange", () => this.hide(document.hidden));
      window.addEventListener("hashchange", () => {
        if (window.location.hash.includes("=")) window.location.reload();
      });
    }

    /** Stops the pendulum where it is, at rest: the next start. */
    hold() {
      this.moving = false;
      const { q } = this.motions.truth;
      this.place([q[0], q[1]]);
    }

    turn(angle) {
      const q = [...this.motions.truth.q];
      q[this.chosen] = angle;
      this.place(q);
    }

    /** A new start, at rest, for all three. */
    place(q) {
      const degrees = (angle) => Math.round((180 / Math.PI) * Math.atan2(Math.sin(angle), Math.cos(angle)));
      this.settings.angle1 = degrees(q[0]);
      this.settings.angle2 = degrees(q[1]);
      this.reset();
      this.show();
    }

    go() {
      this.moving = !this.moving;
      this.find('[data-do="go"]').textContent = this.moving ? "Hold still" : "Let go";
    }

    back() {
      this.reset();
    }

    usual() {
      const usual = address.usual();
      const names = Object.keys(FIELDS.pendulum);
      const changed = names.some((name) => this.settings[name] !== usual[name]);
      for (const name of names) this.settings[name] = usual[name];
      if (changed) {
        this.settings.networks = "shipped";
        this.another();
      }
      this.show();
      this.remember();
    }

    // --- The stage -----------------------------------------------------------------------

    /** All three at the start, with the networks that the reader chose. */
    reset() {
      const { mass1, mass2, length1, length2, gravity, angle1, angle2 } = this.settings;
      this.system = new pendulum.DoublePendulum({ mass1, mass2, length1, length2, gravity });
      const start = [angle1, angle2].map((angle) => (Math.PI / 180) * angle);
      this.motions = {};
      for (const name of Object.keys(this.stages)) {
        const mover = name === "truth" ? this.system : this.network(name);
        this.stages[name].trace = [];
        this.stages[name].canvas.classList.toggle("unknown", !mover);
        this.motions[name] = {
          q: Float64Array.from(start), v: new Float64Array(2), steps: new pendulum.RungeKutta(1), mover,
        };
      }
      this.time = 0;
      this.told = undefined;
      this.changed = true;
      this.find('[data-say="energy"]').textContent = "";
      this.energies = { "--truth": [[0, 0]], "--lnn": [[0, 0]], "--plain": [[0, 0]] };
      this.before = this.system.energy(this.motions.truth.q, this.motions.truth.v);
      this.moving = Boolean(this.moving) && this.held === undefined;
      this.find('[data-do="go"]').textContent = this.moving ? "Hold still" : "Let go";
      const unknown = !this.motions.plain.mover;
      const word = this.settings.networks === "shipped"
        ? "The book’s networks know the paper’s pendulum only. Go back to it, or train both on yours below."
        : "Nothing has been trained here yet: press Train below.";
      this.say("stage", unknown ? word : "");
    }

    network(kind) {
      if (this.settings.networks === "yours") return this.networks?.[kind] ?? null;
      const usual = address.usual();
      const papers = Object.keys(FIELDS.pendulum).every((name) => this.settings[name] === usual[name]);
      return papers ? weights[kind] : null;
    }

    frame(now) {
      const seconds = Math.min((now - (this.last ?? now)) / 1000, 0.05);
      this.last = now;
      this.frames = (this.frames ?? 0) + 1;
      if (this.moving) this.move(seconds * Number(this.find('[data-own="speed"]').value));
      // Now and then also where nothing moves: the page may have another size or other colours.
      if (this.moving || this.changed || this.frames % 30 === 0) this.draw();
      window.requestAnimationFrame((later) => this.frame(later));
    }

    draw() {
      this.changed = false;
      for (const [name, stage] of Object.entries(this.stages)) {
        const { q } = this.motions[name];
        stage.draw(this.system, q, { chosen: name === "truth" && !this.moving ? this.chosen : null });
      }
      this.charts.energy.draw(this.energies, { until: Math.max(10, this.time), within: 200 });
      const curves = {};
      for (const kind of KINDS) curves[COLOURS[kind]] = this.losses[kind];
      const { steps } = this.trained ?? this.recipe();
      this.charts.loss.draw(curves, { until: steps });
    }

    /** Moves all three on; where the machine is too slow for the speed, as far as it comes. */
    move(seconds) {
      const dt = FRAME / this.system.fast, began = performance.now();
      this.owed = (this.owed ?? 0) + seconds;
      while (this.owed >= dt && performance.now() - began < 12) {
        const steps = Math.min(4, Math.floor(this.owed / dt));
        this.owed -= steps * dt;
        this.time += steps * dt;
        for (const [name, { q, v, steps: runge, mover }] of Object.entries(this.motions)) {
          if (!mover) continue;
          for (let k = 0; k < steps; k++) runge.step(mover, q, v, dt);
          this.stages[name].mark(this.system, q);
        }
        this.note();
      }
      if (this.owed > 0.05) this.owed = 0;
      if (Math.floor(this.time) !== this.told) this.tell();
    }

    /** Adds a point to the energy's curves, more coarsely as time goes on, so that a long motion fits. */
    note() {
      for (const [name, row] of Object.entries(COLOURS)) {
        const { q, v, mover } = this.motions[name], curve = this.energies[row];
        if (!mover || this.time - curve.at(-1)[0] < this.time / 1000) continue;
        curve.push([this.time, (100 * (this.system.energy(q, v) - this.before)) / this.system.unit]);
        if (curve.length > 2000) this.energies[row] = curve.filter((_, k) => k % 2 === 0);
      }
    }

    tell() {
      this.told = Math.floor(this.time);
      const change = (row) => `${percent(this.energies[row].at(-1)[1] / 100)} %`;
      const learned = this.motions.lagrangian.mover
        ? `, Lagrangian ${change("--lnn")}, plain ${change("--plain")}`
        : "";
      this.find('[data-say="energy"]').textContent = `After ${this.told} s: true ${change("--truth")}${learned}.`;
    }

    // --- Training ------------------------------------------------------------------------

    /** What the worker is told, and what makes the same models here. */
    recipe() {
      const { mass1, mass2, length1, length2, gravity, seed, states, features, loss, optimiser } = this.settings;
      return {
        pendulum: { mass1, mass2, length1, length2, gravity }, seed, states, features, loss, optimiser,
        width: Number(this.settings.width), depth: 2, steps: Number(this.settings.steps),
        offset: this.settings.offset === "on",
      };
    }

    worker() {
      if (this.helper !== undefined) return this.helper;
      try {
        const names = ["matrix", "pendulum", "network", "lagrangian", "plain", "optimiser", "training", "worker"];
        const text = `${playground.source(names)}\nmodules.worker.open(self);`;
        const place = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
        this.helper = new Worker(place);
        this.helper.onmessage = (event) => this.hear(event.data);
        this.helper.onerror = (event) => this.say("training", `The training stopped: ${event.message}`);
      } catch (error) {
        this.helper = null;
        this.say("training", `This browser starts no worker (${error.message}), so nothing can be trained here; throwing and comparing go on.`);
      }
      return this.helper;
    }

    train() {
      const helper = this.worker();
      if (!helper) return;
      this.forget(false);
      this.say("training", "");
      this.trained = this.recipe();
      this.models = {};
      for (const kind of KINDS) {
        this.models[kind] = training.create({ ...training.DEFAULTS, ...this.trained, kind }, this.system);
      }
      this.name = (this.name ?? 0) + 1;
      helper.postMessage({ order: "start", settings: this.trained, name: this.name });
      this.state("working");
    }

    pause() {
      const pausing = this.working === "working";
      this.helper.postMessage({ order: pausing ? "pause" : "resume" });
      this.state(pausing ? "paused" : "working");
    }

    judge() {
      this.helper.postMessage({ order: "judge", starts: 40, seconds: 100 });
      this.state("judging");
    }

    /** Nobody looks: nothing is computed. */
    hide(hidden) {
      if (this.working !== "working" || !this.helper) return;
      this.helper.postMessage({ order: hidden ? "pause" : "resume" });
    }

    /** Drops what was trained for another pendulum or with other settings. */
    forget(stop = true) {
      if (stop && this.helper) {
        this.helper.terminate();
        this.helper = undefined;
      }
      this.networks = this.trained = null;
      this.losses = { lagrangian: [], plain: [] };
      this.judged = { live: {}, judged: {} };
      this.find("progress").value = 0;
      this.find('[data-say="training"]').textContent = "";
      this.results();
      this.state("idle");
    }

    hear(report) {
      if (report.name !== this.name) return; // of a training that was started over since
      if (report.news === "progress") this.progress(report);
      if (report.news === "judging") {
        this.find("progress").value = report.share;
        this.find('[data-say="training"]').textContent = "judging: 40 motions of 100 s each";
      }
      if (report.news === "judged") {
        this.judged.judged = report.errors;
        this.find('[data-say="training"]').textContent = "judged";
        this.results();
        this.state("done");
      }
      if (report.news === "done") {
        this.state("done");
        if (this.held === undefined) this.reset();
      }
      if (report.news === "apart") {
        const name = report.kind === "plain" ? "plain" : "Lagrangian";
        this.find('[data-say="training"]').textContent = "";
        this.say("training", `The ${name} network came apart at step ${report.step.toLocaleString("en")}: its loss is no longer a sensible number. Put the ingredient back, or choose another seed, and train again.`);
        this.state("idle");
      }
    }

    progress({ done, steps, losses, parameters, errors, seconds }) {
      this.fresh ??= { lagrangian: [], plain: [] };
      for (const kind of KINDS) {
        const fresh = this.fresh[kind];
        let at = this.losses[kind].length ? this.losses[kind].at(-1)[0] : 0;
        fresh.push(...losses[kind]);
        while (fresh.length >= 50) this.losses[kind].push([(at += 50), median(fresh.splice(0, 50))]);
        this.models[kind].network.parameters.set(parameters[kind]);
      }
      if (!this.networks) {
        this.settings.networks = "yours";
        this.show();
      }
      this.networks = this.models;
      if (errors) {
        this.judged.live = errors;
        // From the start again, with what has been learned by now.
        if (this.held === undefined) this.reset();
      }
      this.find("progress").value = done / steps;
      const left = done ? (seconds * (steps - done)) / done : 0;
      this.find('[data-say="training"]').textContent = done < steps
        ? `step ${done.toLocaleString("en")} of ${steps.toLocaleString("en")}, about ${Math.ceil(left)} s more`
        : `${steps.toLocaleString("en")} steps in ${seconds.toFixed(0)} s`;
      this.results();
    }

    results() {
      for (const cell of this.root.querySelectorAll("[data-error]")) {
        const [kind, where] = cell.dataset.error.split(" ");
        const error = this.judged[where][kind];
        cell.textContent = error === undefined ? "–" : percent(error);
      }
      this.changed = true;
    }

    /** Which buttons can be pressed while this goes on. */
    state(working) {
      this.working = working;
      if (working === "idle") this.fresh = undefined;
      this.find('[data-do="train"]').textContent = working === "idle" ? "Train" : "Start over";
      const pause = this.find('[data-do="pause"]');
      pause.disabled = !["working", "paused"].includes(working);
      pause.textContent = working === "paused" ? "Go on" : "Pause";
      this.find('[data-do="judge"]').disabled = working !== "done";
      for (const button of this.root.querySelectorAll('[data-do^="save"]')) button.disabled = !this.networks;
    }

    // --- Taking it along -----------------------------------------------------------------

    async link() {
      this.remember();
      try {
        await navigator.clipboard.writeText(window.location.href);
        this.say("link", "The link is in the clipboard.");
      } catch {
        this.say("link", `This page may not write to the clipboard; the address above is the link: ${window.location.href}`);
      }
    }

    async save(kind) {
      const settings = { ...training.DEFAULTS, ...this.trained, kind };
      const facts = { made_by: "playground", settings };
      let file;
      try {
        file = await archive.pack(settings, this.networks[kind], facts);
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
