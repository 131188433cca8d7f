"use strict";

/* The three pendulums at the top: thrown by hand, moved on frame by frame, and their energies. */

playground.define("swing", ({ pendulum, view }) => {
  const FRAME = 1 / 240; // seconds of a Runge–Kutta step on the stage, for the paper's pendulum

  class Swing {
    /** `placed(q)` hears where a hand puts the bobs, `thrown()` that it has let them go. */
    constructor(root, { placed, thrown }) {
      Object.assign(this, { placed, thrown, find: (selector) => root.querySelector(selector) });
      this.stages = {};
      for (const [name, colour] of Object.entries(view.COLOURS)) {
        this.stages[name] = new view.Stage(this.find(`[data-stage="${colour}"]`), colour);
      }
      this.chart = new view.Chart(this.find('[data-chart="energy"]'), { xLabel: "time (s)", yLabel: "change of energy (%)" });
      this.chosen = 1;
      this.pointer();
      this.keys();
    }

    // --- Hands ---------------------------------------------------------------------------

    pointer() {
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
        this.thrown();
        this.go();
      };
      for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) canvas.addEventListener(end, release);
    }

    keys() {
      this.stages.truth.canvas.addEventListener("keydown", (event) => {
        const turn = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (event.key === "1" || event.key === "2") this.chosen = Number(event.key) - 1;
        else if (turn) {
          if (this.moving) this.hold();
          this.turn(this.motions.truth.q[this.chosen] + (turn * Math.PI) / 60);
        } else if (event.key === "Enter" || event.key === " ") {
          this.thrown();
          this.go();
        }
        else return;
        event.preventDefault();
        event.stopPropagation();
      });
    }

    /** Stops the pendulum where it is, at rest: the next start. */
    hold() {
      this.moving = false;
      this.placed([...this.motions.truth.q]);
    }

    turn(angle) {
      const q = [...this.motions.truth.q];
      q[this.chosen] = angle;
      this.placed(q);
    }

    // --- Motions -------------------------------------------------------------------------

    /** All three at rest at a start. `movers` has what moves each, or null where nothing is known. */
    reset(system, start, movers) {
      this.system = system;
      this.motions = {};
      for (const [name, stage] of Object.entries(this.stages)) {
        const mover = movers[name];
        stage.trace = [];
        stage.canvas.classList.toggle("unknown", !mover);
        this.motions[name] = {
          q: Float64Array.from(start), v: new Float64Array(2), steps: new pendulum.RungeKutta(1), mover,
        };
      }
      this.time = 0;
      this.told = undefined;
      this.changed = true;
      this.find('[data-say="energy"]').textContent = "";
      this.energies = { "--truth": [[0, 0]], "--lnn": [[0, 0]], "--plain": [[0, 0]] };
      this.before = system.energy(this.motions.truth.q, this.motions.truth.v);
      this.go(Boolean(this.moving) && this.held === undefined);
    }

    go(moving = !this.moving) {
      this.moving = moving;
      this.find('[data-do="go"]').textContent = moving ? "Hold still" : "Let go";
    }

    /** Moves all three on; where the machine is too slow for the speed, as far as it comes. */
    move(seconds) {
      const dt = FRAME / this.system.fast, began = performance.now();
      this.owed = (this.owed ?? 0) + seconds * Number(this.find('[data-own="speed"]').value);
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
      for (const [name, colour] of Object.entries(view.COLOURS)) {
        const { q, v, mover } = this.motions[name], curve = this.energies[colour];
        if (!mover || this.time - curve.at(-1)[0] < this.time / 1000) continue;
        curve.push([this.time, (100 * (this.system.energy(q, v) - this.before)) / this.system.unit]);
        if (curve.length > 2000) this.energies[colour] = curve.filter((_, k) => k % 2 === 0);
      }
    }

    tell() {
      this.told = Math.floor(this.time);
      const change = (colour) => `${view.percent(this.energies[colour].at(-1)[1] / 100)} %`;
      const learned = this.motions.lagrangian.mover
        ? `, Lagrangian ${change("--lnn")}, plain ${change("--plain")}`
        : "";
      this.find('[data-say="energy"]').textContent = `After ${this.told} s: true ${change("--truth")}${learned}.`;
    }

    draw() {
      this.changed = false;
      for (const [name, stage] of Object.entries(this.stages)) {
        const { q } = this.motions[name];
        stage.draw(this.system, q, { chosen: name === "truth" && !this.moving ? this.chosen : null });
      }
      this.chart.draw(this.energies, { until: Math.max(10, this.time), within: 200 });
    }
  }

  return { Swing };
});
