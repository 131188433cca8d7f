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
    "raw angle": "a number in −180° … 180°",
  };
  const FRAME = 1 / 240; // seconds of a Runge–Kutta step on the stage
  const CURVE = { lagrangian: "--lnn", plain: "--plain" };
  const COUNTED = ["steps", "width"];

  const percent = (error) => {
    const value = 100 * error;
    if (!Number.isFinite(value)) return "∞";
    return value >= 0.001 ? String(Number(value.toPrecision(2))) : value.toExponential(0).replace("e-", " × 10⁻").replace(/⁻(\d)/, (_, d) => "⁻" + "⁰¹²³⁴⁵⁶⁷⁸⁹"[d]);
  };
  const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

  class Page {
    constructor(root) {
      this.root = root;
      this.find = (selector) => root.querySelector(selector);
      const { settings, refused } = address.parse(window.location.hash);
      this.settings = settings;
      this.networks = null; // what was trained here, by kind
      this.judged = { live: {}, judged: {} };
      this.losses = { lagrangian: [], plain: [] };
      this.stages = {
        truth: new view.Stage(this.find('[data-stage="--truth"]'), "--truth"),
        lagrangian: new view.Stage(this.find('[data-stage="--lnn"]'), "--lnn"),
        plain: new view.Stage(this.find('[data-stage="--plain"]'), "--plain"),
      };
      this.charts = {
        energy: new view.Chart(this.find('[data-chart="energy"]'), { xLabel: "time (s)", yLabel: "change of energy (%)" }),
        loss: new view.Chart(this.find('[data-chart="loss"]'), { xLabel: "training step", yLabel: "loss", logarithmic: true }),
      };
      this.chosen = 1;
      this.fields();
      this.hands();
      this.reset();
      if (refused.length) {
        this.say(`The link holds what makes no sense here: ${refused.join(", ")}. The usual values take its place.`);
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
        field.addEventListener("change", () => this.change(field.dataset.setting, field.value));
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
      window.history.replaceState(null, "", address.write(this.settings) || window.location.pathname + window.location.search);
    }

    change(name, text) {
      const value = address.read(name, text);
      if (value === undefined) {
        const { least, most } = address.SETTINGS[name];
        this.say(`Expected a whole number from ${least} to ${most.toLocaleString("en")}, got “${text}”.`);
      } else if (value !== this.settings[name]) {
        this.settings[name] = value;
        if (name in FIELDS.pendulum) this.forget();
        if (name in FIELDS.pendulum || name === "networks") this.reset();
      }
      this.show();
    }

    say(text) {
      const note = this.find(".note");
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
        this.go();
      };
      canvas.addEventListener("pointerup", release);
      canvas.addEventListener("pointercancel", release);
      canvas.addEventListener("keydown", (event) => {
        const turn = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (event.key === "1" || event.key === "2") this.chosen = Number(event.key) - 1;
        else if (turn) {
          if (this.moving) this.hold();
          this.turn(this.motions.truth.q[this.chosen] + (turn * Math.PI) / 60);
        } else if (event.key === "Enter" || event.key === " ") this.go();
        else return;
        event.preventDefault();
        event.stopPropagation();
      });
      document.addEventListener("visibilitychange", () => this.hide(document.hidden));
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
      for (const name of Object.keys(FIELDS.pendulum)) this.settings[name] = usual[name];
      this.forget();
      this.reset();
      this.show();
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
      this.energies = { "--truth": [[0, 0]], "--lnn": [[0, 0]], "--plain": [[0, 0]] };
      this.before = this.system.energy(this.motions.truth.q, this.motions.truth.v);
      this.moving = Boolean(this.moving) && this.held === undefined;
      this.find('[data-do="go"]').textContent = this.moving ? "Hold still" : "Let go";
      const unknown = !this.motions.plain.mover;
      const word = this.settings.networks === "shipped"
        ? "The book’s networks know the paper’s pendulum only. Go back to it, or train both on yours below."
        : "Nothing has been trained here yet: press Train below.";
      this.say(unknown ? word : "");
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
      if (this.moving) this.move(seconds * Number(this.find('[data-own="speed"]').value));
      for (const [name, stage] of Object.entries(this.stages)) {
        const { q } = this.motions[name];
        stage.draw(this.system, q, { chosen: name === "truth" && !this.moving ? this.chosen : null });
      }
      this.charts.energy.draw(this.energies, { until: Math.max(10, this.time) });
      window.requestAnimationFrame((later) => this.frame(later));
    }

    move(seconds) {
      this.owed = (this.owed ?? 0) + seconds;
      const steps = Math.floor(this.owed / FRAME);
      this.owed -= steps * FRAME;
      for (const { q, v, steps: mover, mover: system } of Object.values(this.motions)) {
        for (let k = 0; system && k < steps; k++) mover.step(system, q, v, FRAME);
      }
      this.time += steps * FRAME;
      const rows = { truth: "--truth", lagrangian: "--lnn", plain: "--plain" };
      for (const [name, row] of Object.entries(rows)) {
        const { q, v, mover } = this.motions[name], curve = this.energies[row];
        if (!mover) continue;
        const change = (100 * (this.system.energy(q, v) - this.before)) / this.system.unit;
        if (this.time - curve.at(-1)[0] > this.time / 1000) curve.push([this.time, change]);
        // Looked at more coarsely as time goes on, so that a long motion fits.
        if (curve.length > 2000) this.energies[row] = curve.filter((_, k) => k % 2 === 0);
      }
      if (Math.floor(this.time) !== this.told) {
        this.told = Math.floor(this.time);
        const change = (row) => this.energies[row].at(-1)[1].toFixed(2).replace("-", "−");
        this.find('[data-say="energy"]').textContent = `After ${this.told} s: true ${change("--truth")} %`
          + (this.motions.lagrangian.mover ? `, Lagrangian ${change("--lnn")} %, plain ${change("--plain")} %.` : ".");
      }
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
        this.helper.onerror = (event) => this.say(`The training stopped: ${event.message}`);
      } catch (error) {
        this.helper = null;
        this.say(`This browser starts no worker (${error.message}), so nothing can be trained here; throwing and comparing go on.`);
      }
      return this.helper;
    }

    train() {
      const helper = this.worker();
      if (!helper) return;
      this.forget(false);
      this.trained = this.recipe();
      this.models = {};
      for (const kind of Object.keys(CURVE)) {
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
      this.networks = null;
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
      if (report.news === "judging") this.find("progress").value = report.share;
      if (report.news === "judged") {
        this.judged.judged = report.errors;
        this.results();
        this.state("done");
      }
      if (report.news === "done") this.state("done");
      if (report.news === "apart") {
        const name = report.kind === "plain" ? "plain" : "Lagrangian";
        this.say(`The ${name} network came apart at step ${report.step.toLocaleString("en")}: its loss is no longer a sensible number. Put the ingredient back, or choose another seed, and train again.`);
        this.state("idle");
      }
    }

    progress({ done, steps, losses, parameters, errors, seconds }) {
      this.fresh ??= { lagrangian: [], plain: [] };
      for (const kind of Object.keys(CURVE)) {
        const fresh = this.fresh[kind];
        let at = this.losses[kind].length ? this.losses[kind].at(-1)[0] : 0;
        fresh.push(...losses[kind]);
        while (fresh.length >= 50) this.losses[kind].push([(at += 50), median(fresh.splice(0, 50))]);
        this.models[kind].network.parameters.set(parameters[kind]);
      }
      const first = !this.networks;
      this.networks = this.models;
      if (first) {
        this.settings.networks = "yours";
        this.show();
        this.reset();
      }
      if (errors) this.judged.live = errors;
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
      const curves = {};
      for (const [kind, row] of Object.entries(CURVE)) curves[row] = this.losses[kind];
      this.charts.loss.draw(curves, { until: Number(this.settings.steps) });
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
      this.show();
      try {
        await navigator.clipboard.writeText(window.location.href);
        this.say("The link is in the clipboard.");
      } catch {
        this.say(`This page may not write to the clipboard; the address above is the link: ${window.location.href}`);
      }
    }

    async save(kind) {
      const settings = { ...training.DEFAULTS, ...this.trained, kind };
      const facts = { made_by: "playground", settings };
      const file = await archive.pack(settings, this.networks[kind], facts);
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
