"use strict";

/* The training as the page sees it: orders to the worker, and what becomes of its reports. */

playground.define("school", ({ training, view }) => {
  const KINDS = ["lagrangian", "plain"];
  const MODULES = ["matrix", "pendulum", "network", "lagrangian", "plain", "optimiser", "training", "worker"];
  const count = (whole) => whole.toLocaleString("en");
  const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

  /** What the worker is told, and what makes the same models here. */
  function recipe(settings) {
    const { mass1, mass2, length1, length2, gravity, seed, states, features, loss, optimiser } = settings;
    return {
      pendulum: { mass1, mass2, length1, length2, gravity }, seed, states, features, loss, optimiser,
      width: Number(settings.width), depth: 2, steps: Number(settings.steps),
      offset: settings.offset === "on",
    };
  }

  class School {
    /** `say(text)` is for a word to the reader; `begun()` hears that there are networks now, and
        `improved()`, from time to time, that they have become better. */
    constructor(root, { say, begun, improved }) {
      Object.assign(this, { root, say, begun, improved });
      this.chart = new view.Chart(root.querySelector('[data-chart="loss"]'), { xLabel: "training step", yLabel: "loss", logarithmic: true });
      this.clear();
    }

    tell(text) {
      for (const place of this.root.querySelectorAll('[data-say="training"]')) place.textContent = text;
    }

    share(done) {
      this.root.querySelector("progress").value = done;
    }

    // --- Orders --------------------------------------------------------------------------

    /** The worker, made when it is first needed; null where the browser starts none. */
    worker() {
      if (this.helper !== undefined) return this.helper;
      try {
        const text = `${playground.source(MODULES)}\nmodules.worker.open(self);`;
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

    train(settings, system) {
      const helper = this.worker();
      if (!helper) return;
      this.clear();
      this.say("");
      this.trained = recipe(settings);
      this.models = {};
      for (const kind of KINDS) {
        this.models[kind] = training.create({ ...training.DEFAULTS, ...this.trained, kind }, system);
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

    /** The networks that were trained here, if it was on a pendulum like this one; else null. */
    knows(settings) {
      const { pendulum } = this.trained ?? {};
      return pendulum && Object.keys(pendulum).every((name) => pendulum[name] === settings[name])
        ? this.networks
        : null;
    }

    clear() {
      this.networks = this.trained = null;
      this.losses = { lagrangian: [], plain: [] };
      this.fresh = { lagrangian: [], plain: [] };
      this.errors = { live: {}, judged: {} };
      this.share(0);
      this.tell("");
      this.results();
      this.state("idle");
    }

    // --- Reports -------------------------------------------------------------------------

    hear(report) {
      if (report.name === this.name) this[report.news](report); // else: of one that was started over
    }

    progress({ done, steps, losses, parameters, errors, seconds }) {
      for (const kind of KINDS) {
        const curve = this.losses[kind], fresh = this.fresh[kind];
        fresh.push(...losses[kind]);
        while (fresh.length >= 50) curve.push([50 * (curve.length + 1), median(fresh.splice(0, 50))]);
        this.models[kind].network.parameters.set(parameters[kind]);
      }
      const first = !this.networks;
      this.networks = this.models;
      if (first) this.begun();
      if (errors) {
        this.errors.live = errors;
        this.improved();
      }
      this.share(done / steps);
      const left = done ? (seconds * (steps - done)) / done : 0;
      this.tell(done < steps
        ? `step ${count(done)} of ${count(steps)}, about ${Math.ceil(left)} s more`
        : `${count(steps)} steps in ${seconds.toFixed(0)} s`);
      this.results();
    }

    done() {
      this.state("done");
      this.improved();
    }

    apart({ kind, step }) {
      const name = kind === "plain" ? "plain" : "Lagrangian";
      this.tell("");
      this.say(`The ${name} network came apart at step ${count(step)}: its loss is no longer a sensible number. Put the ingredient back, or choose another seed, and train again.`);
      this.state("idle");
    }

    judging({ share }) {
      this.share(share);
      this.tell("judging: 40 motions of 100 s each");
    }

    judged({ errors }) {
      this.errors.judged = errors;
      this.tell("judged");
      this.results();
      this.state("done");
    }

    // --- What is seen --------------------------------------------------------------------

    results() {
      for (const cell of this.root.querySelectorAll("[data-error]")) {
        const [kind, where] = cell.dataset.error.split(" ");
        const error = this.errors[where][kind];
        cell.textContent = error === undefined ? "–" : view.percent(error);
      }
      this.changed = true;
    }

    /** Which buttons can be pressed while this goes on. */
    state(working) {
      this.working = working;
      const button = (name) => this.root.querySelector(`[data-do="${name}"]`);
      for (const train of this.root.querySelectorAll('[data-do="train"]')) {
        train.textContent = working === "idle" ? train.dataset.idle : "Start over";
      }
      button("pause").disabled = !["working", "paused"].includes(working);
      button("pause").textContent = working === "paused" ? "Go on" : "Pause";
      button("judge").disabled = working !== "done";
      for (const kind of KINDS) button(`save ${kind}`).disabled = !this.networks;
    }

    draw(settings) {
      this.changed = false;
      const curves = {};
      for (const kind of KINDS) curves[view.COLOURS[kind]] = this.losses[kind];
      this.chart.draw(curves, { until: (this.trained ?? recipe(settings)).steps });
    }
  }

  return { School, recipe };
});
