"use strict";

/* One training: states, a loss, a step after another. And the paper's way to judge what came out. */

playground.define("training", ({ pendulum, lagrangian, plain, optimiser }) => {
  const { DoublePendulum, RungeKutta } = pendulum;

  /** Random numbers from a seed, the same in every browser (xoshiro128**). */
  class Random {
    constructor(seed) {
      let a = seed >>> 0;
      const mix = () => {
        a = (a + 0x9e3779b9) >>> 0;
        let t = a ^ (a >>> 16);
        t = Math.imul(t, 0x21f0aaad);
        t ^= t >>> 15;
        t = Math.imul(t, 0x735a2d97);
        return (t ^ (t >>> 15)) >>> 0;
      };
      this.state = Uint32Array.of(mix(), mix(), mix(), mix());
    }

    whole() {
      const s = this.state;
      const x = Math.imul(s[1], 5), result = Math.imul((x << 7) | (x >>> 25), 9) >>> 0;
      const t = s[1] << 9;
      s[2] ^= s[0];
      s[3] ^= s[1];
      s[1] ^= s[2];
      s[0] ^= s[3];
      s[2] ^= t;
      s[3] = (s[3] << 11) | (s[3] >>> 21);
      return result;
    }

    /** Between 0 and 1, both left out. */
    uniform() {
      return (this.whole() + 0.5) / 4294967296;
    }

    /** Normal, with mean 0 and standard deviation 1 (Box and Muller). */
    normal() {
      return Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
    }
  }

  /** Losses of one pair of accelerations and their derivatives by the predicted one.

      The bounded one is ‖â − a‖ / √(s² + ‖a‖² + ‖â‖²). */
  const LOSSES = {
    bounded(p1, p2, a1, a2, scale, slope) {
      const size = scale * scale + a1 * a1 + a2 * a2 + p1 * p1 + p2 * p2;
      const loss = Math.sqrt(((p1 - a1) ** 2 + (p2 - a2) ** 2) / size + 1e-300);
      slope[0] = ((p1 - a1) / loss - loss * p1) / size;
      slope[1] = ((p2 - a2) / loss - loss * p2) / size;
      return loss;
    },
    squared(p1, p2, a1, a2, scale, slope) {
      slope[0] = 2 * (p1 - a1);
      slope[1] = 2 * (p2 - a2);
      return (p1 - a1) ** 2 + (p2 - a2) ** 2;
    },
  };

  /** What a training is made of, and the sensible choice of each. */
  const DEFAULTS = {
    pendulum: {}, kind: "lagrangian", seed: 0, width: 32, depth: 2, steps: 5000, batch: 128,
    states: "both", features: "sin and cos", offset: true, loss: "bounded", optimiser: "Muon",
    peak: null,
  };

  /** Which part of a batch is drawn near true motions. */
  const NEAR = { box: 0, both: 0.75, visited: 1 };

  /** From one state of the box to the next, in each of four directions: powers of 1/g with
      g⁵ = g + 1. Such a lattice, moved as a whole by chance, leaves smaller gaps than states that
      know nothing of each other, so a batch says more of the box. */
  const STRIDES = [1, 4, 2, 3].map((power) => 1.1673039782614187 ** -power);

  const PEAKS = { Muon: 0.02, Adam: 0.003 };

  /** A network on its way from nothing to a pendulum. */
  class Training {
    constructor(settings) {
      const chosen = { ...DEFAULTS, ...settings };
      this.settings = chosen;
      this.system = new DoublePendulum(chosen.pendulum);
      const rate = this.system.rate;
      this.scale = 5 * rate * rate;
      const random = new Random(chosen.seed);
      this.model = create(chosen, this.system);
      this.model.network.initialise(random);
      const { steps, optimiser: kind } = chosen;
      const peak = chosen.peak ?? PEAKS[kind];
      this.optimiser = new optimiser.Optimiser(this.model.network, { kind, peak, steps });
      this.random = new Random(chosen.seed + 0x10000);
      this.q = new Float64Array(2 * chosen.batch);
      this.v = new Float64Array(2 * chosen.batch);
      this.a = new Float64Array(2 * chosen.batch);
      this.predicted = new Float64Array(2 * chosen.batch);
      this.adjoint = new Float64Array(2 * chosen.batch);
      this.visited = NEAR[chosen.states] ? visit(this.system, this.random) : null;
      this.done = 0;
    }

    /** Fresh states, with their true accelerations: the first ones near where a swinging pendulum
        comes by, the others anywhere in the paper's box, |θ̇| ≤ 10 for the paper's pendulum. */
    draw() {
      const { q, v, random, visited, system } = this, n = q.length / 2;
      const near = Math.floor(NEAR[this.settings.states] * n), shift = STRIDES.map(() => random.uniform());
      for (let i = 0; i < n; i++) {
        const from = i < near ? 4 * (random.whole() % (visited.length / 4)) : 0;
        for (let j = 0; j < 2; j++) {
          if (i < near) {
            q[2 * i + j] = visited[from + j] + 0.5 * random.normal();
            v[2 * i + j] = visited[from + 2 + j] + 0.5 * system.rate * random.normal();
          } else {
            q[2 * i + j] = 2 * Math.PI * ((shift[j] + i * STRIDES[j]) % 1);
            v[2 * i + j] = 10 * system.rate * (2 * ((shift[2 + j] + i * STRIDES[2 + j]) % 1) - 1);
          }
        }
      }
      system.accelerate(q, v, this.a, n);
    }

    /** The mean loss of the drawn states; its slope by the accelerations goes to `adjoint`. */
    judge() {
      const { predicted, a, adjoint, scale } = this, n = a.length / 2, slope = [0, 0];
      const loss = LOSSES[this.settings.loss];
      let sum = 0;
      for (let i = 0; i < 2 * n; i += 2) {
        sum += loss(predicted[i], predicted[i + 1], a[i], a[i + 1], scale, slope);
        adjoint[i] = slope[0] / n;
        adjoint[i + 1] = slope[1] / n;
      }
      return sum / n;
    }

    /** One step; returns the loss before it. Not finite: the training has come apart. */
    step() {
      const n = this.settings.batch;
      this.draw();
      this.model.accelerate(this.q, this.v, this.predicted, n);
      const loss = this.judge();
      this.optimiser.step(this.model.gradient(this.v, this.adjoint, n));
      this.done += 1;
      return loss;
    }
  }

  /** An untrained model as the settings have it. */
  function create({ kind, width, depth, features, offset }, system) {
    const face = { width, depth, features, velocityScale: 5 * system.rate };
    return kind === "lagrangian"
      ? new lagrangian.LagrangianNetwork({ ...face, kineticOffset: offset ? 1 : 0 })
      : new plain.PlainNetwork({ ...face, accelerationScale: 20 * system.rate ** 2 });
  }

  /** States along motions of the true system, for training: rows (θ₁, θ₂, θ̇₁, θ̇₂). */
  function visit(system, random, motions = 200, looks = 100) {
    const q = new Float64Array(2 * motions), v = new Float64Array(2 * motions);
    for (let i = 0; i < 2 * motions; i++) {
      q[i] = 2 * Math.PI * random.uniform();
      v[i] = 2 * system.rate * (2 * random.uniform() - 1);
    }
    const seen = new Float64Array(4 * motions * looks), mover = new RungeKutta(motions);
    for (let look = 0; look < looks; look++) {
      const steps = Math.ceil(20 * system.fast);
      for (let k = 0; k < steps; k++) mover.step(system, q, v, 0.4 / system.rate / steps);
      for (let i = 0; i < motions; i++) {
        const row = 4 * (look * motions + i);
        seen.set([q[2 * i], q[2 * i + 1], v[2 * i], v[2 * i + 1]], row);
      }
    }
    return seen;
  }

  /** The paper's measure: `starts` releases near rest, followed for `seconds`; the mean over them
      of |E(t) − E(0)| at the end, in units of what lifts both bobs to the pivot's height. Steps of
      dt, or of less where the pendulum is faster than the paper's. */
  class Protocol {
    constructor(system, { starts = 40, seconds = 100, dt = 0.005, seed = 1 } = {}) {
      const steps = Math.ceil((seconds / dt) * system.fast);
      Object.assign(this, { system, starts, steps, dt: seconds / steps, done: 0 });
      const random = new Random(seed);
      this.q = new Float64Array(2 * starts);
      this.v = new Float64Array(2 * starts);
      for (let i = 0; i < 2 * starts; i++) {
        this.q[i] = 2 * Math.PI * random.uniform();
        this.v[i] = 0.1 * random.uniform();
      }
      this.mover = new RungeKutta(starts);
      this.before = this.energies();
    }

    energies() {
      return Float64Array.from({ length: this.starts }, (_, i) => this.system.energy(this.q, this.v, i));
    }

    /** Goes on by at most so many steps; says whether the end is reached. */
    advance(model, steps = Infinity) {
      for (let k = 0; k < steps && this.done < this.steps; k++, this.done++) {
        this.mover.step(model, this.q, this.v, this.dt);
      }
      return this.done === this.steps;
    }

    /** The mean error so far; infinite where a motion is no longer finite. */
    error() {
      const now = this.energies();
      let sum = 0;
      for (let i = 0; i < this.starts; i++) sum += Math.abs(now[i] - this.before[i]);
      return Number.isFinite(sum) ? sum / this.starts / this.system.unit : Infinity;
    }
  }

  return { Training, Protocol, Random, LOSSES, DEFAULTS, create };
});
