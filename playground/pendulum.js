"use strict";

/* The true double pendulum: what is to be learned, and what moves at the top of the page. */

playground.define("pendulum", () => {
  /** Two bobs, one hung from the other; θ₁ and θ₂ from the downward vertical. In kg, m, m/s². */
  class DoublePendulum {
    constructor({ mass1 = 1, mass2 = 1, length1 = 1, length2 = 1, gravity = 9.8 } = {}) {
      Object.assign(this, { mass1, mass2, length1, length2, gravity });
      /** The energy that counts as one: what it takes to lift both bobs to the pivot's height. */
      this.unit = gravity * ((mass1 + mass2) * length1 + mass2 * length2);
      /** A typical rate √(g/l) against that of the paper's pendulum. */
      this.rate = Math.sqrt((gravity / 9.8) * (2 / (length1 + length2)));
      /** How much smaller the steps in time have to be than for the paper's pendulum. The faster
          of the two small oscillations has ω² = (g/2) (s + √(s² − 4 (1 + μ)/(l₁ l₂))), with
          s = (1 + μ) (1/l₁ + 1/l₂) and μ = m₂/m₁; large ones need more than that. */
      const mu = mass2 / mass1, sum = (1 + mu) * (1 / length1 + 1 / length2);
      const root = Math.sqrt(sum * sum - (4 * (1 + mu)) / (length1 * length2));
      this.fast = Math.max(1, ((gravity / 2) * (sum + root)) / (9.8 * (2 + Math.SQRT2))) ** 0.75;
    }

    /** θ̈₁ and θ̈₂ of n states, into `a`; q, v and a hold n pairs. From θ̈₁ + a₁ θ̈₂ = f₁ and
        a₂ θ̈₁ + θ̈₂ = f₂. */
    accelerate(q, v, a, n = 1) {
      const { mass1, mass2, length1, length2, gravity } = this;
      const share = (mass2 / (mass1 + mass2)) * (length2 / length1), ratio = length1 / length2;
      for (let i = 0; i < 2 * n; i += 2) {
        const delta = q[i] - q[i + 1], cosine = Math.cos(delta), sine = Math.sin(delta);
        const f1 = -share * v[i + 1] * v[i + 1] * sine - (gravity / length1) * Math.sin(q[i]);
        const f2 = ratio * v[i] * v[i] * sine - (gravity / length2) * Math.sin(q[i + 1]);
        const a1 = share * cosine, a2 = ratio * cosine, determinant = 1 - a1 * a2;
        a[i] = (f1 - a1 * f2) / determinant;
        a[i + 1] = (f2 - a2 * f1) / determinant;
      }
    }

    /** The energy in joules of state i; zero where both bobs are at rest at the pivot's height. */
    energy(q, v, i = 0) {
      const { mass1, mass2, length1, length2, gravity } = this;
      const x = length1 * v[2 * i], y = length2 * v[2 * i + 1];
      const cosine = Math.cos(q[2 * i] - q[2 * i + 1]);
      const kinetic = 0.5 * (mass1 + mass2) * x * x + mass2 * (0.5 * y * y + x * y * cosine);
      return kinetic
        - (mass1 + mass2) * gravity * length1 * Math.cos(q[2 * i])
        - mass2 * gravity * length2 * Math.cos(q[2 * i + 1]);
    }
  }

  /** Moves n pendulums on by dt, in place, with one classical Runge–Kutta step.

      `accelerate(q, v, a, n)` writes accelerations; it may be the true system's or a network's. */
  class RungeKutta {
    constructor(n) {
      this.n = n;
      for (const name of ["q", "v", "a", "sumQ", "sumV"]) this[name] = new Float64Array(2 * n);
    }

    step(system, q, v, dt) {
      const { n } = this;
      this.q.set(q);
      this.v.set(v);
      this.sumQ.fill(0);
      this.sumV.fill(0);
      for (const [weight, next] of [[1, 0.5], [2, 0.5], [2, 1], [1, 0]]) {
        system.accelerate(this.q, this.v, this.a, n);
        for (let i = 0; i < 2 * n; i++) {
          this.sumQ[i] += weight * this.v[i];
          this.sumV[i] += weight * this.a[i];
          this.q[i] = q[i] + next * dt * this.v[i];
          this.v[i] = v[i] + next * dt * this.a[i];
        }
      }
      for (let i = 0; i < 2 * n; i++) {
        q[i] += (dt / 6) * this.sumQ[i];
        v[i] += (dt / 6) * this.sumV[i];
      }
    }
  }

  return { DoublePendulum, RungeKutta };
});
