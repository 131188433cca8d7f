"use strict";

/* A multilayer perceptron: layers of numbers, and an activation with three derivatives. */

playground.define("network", () => {
  /** The numbers of a network, all in one array, with a view of each layer's weights and biases. */
  class Network {
    constructor(sizes) {
      this.sizes = sizes;
      this.layers = sizes.length - 1;
      let count = 0;
      for (let l = 0; l < this.layers; l++) count += (sizes[l] + 1) * sizes[l + 1];
      this.parameters = new Float64Array(count);
      [this.weights, this.biases] = this.views(this.parameters);
    }

    /** Weights [n_in, n_out] and biases [n_out] of each layer, as views of one flat array. */
    views(flat) {
      const weights = [], biases = [];
      let from = 0;
      const take = (count) => flat.subarray(from, (from += count));
      for (let l = 0; l < this.layers; l++) {
        weights.push(take(this.sizes[l] * this.sizes[l + 1]));
        biases.push(take(this.sizes[l + 1]));
      }
      return [weights, biases];
    }

    /** Normal weights with σ = √(2 / (n_in + n_out)), Glorot's; biases zero. */
    initialise(random) {
      for (let l = 0; l < this.layers; l++) {
        const sigma = Math.sqrt(2 / (this.sizes[l] + this.sizes[l + 1]));
        for (let i = 0; i < this.weights[l].length; i++) this.weights[l][i] = sigma * random.normal();
        this.biases[l].fill(0);
      }
    }
  }

  /** f(z + b) = x s(x), the activation silu of x = z + b, with s the sigmoid; and f′, f″, f‴.

      z and what is written are [n, width], b [width]. With s′ = s (1 − s): f′ = s + x s′,
      f″ = 2 s′ + x s″, f‴ = 3 s″ + x s‴. */
  function silu(z, b, f, first, second, third, n) {
    const width = b.length;
    for (let i = 0, k = 0; i < n; i++) {
      for (let j = 0; j < width; j++, k++) {
        const x = z[k] + b[j], s = 1 / (1 + Math.exp(-x));
        const s1 = s * (1 - s), s2 = s1 * (1 - 2 * s), s3 = s2 * (1 - 2 * s) - 2 * s1 * s1;
        f[k] = x * s;
        first[k] = s + x * s1;
        second[k] = 2 * s1 + x * s2;
        third[k] = 3 * s2 + x * s3;
      }
    }
  }

  /** What a network sees of an angle: sine and cosine, or the number in −π … π.

      Each returns [values, slopes]; `velocity` says what one unit of angular velocity becomes. */
  const FEATURES = {
    "sin and cos": (angle) => {
      const sine = Math.sin(angle), cosine = Math.cos(angle);
      return [[sine, cosine], [cosine, -sine]];
    },
    "raw angle": (angle) => {
      const turn = 2 * Math.PI;
      return [[angle - turn * Math.floor((angle + Math.PI) / turn)], [1]];
    },
  };

  /** What a network sees of n states: x [n, 2k + 2], the angles' features, then q̇/v₀. */
  class Features {
    constructor(kind, velocityScale) {
      this.of = FEATURES[kind];
      this.each = this.of(0)[0].length;
      this.size = 2 * this.each + 2;
      this.velocityScale = velocityScale;
    }

    /** Writes x, and the slopes ∂x/∂q [n, 2k]. */
    look(q, v, x, slopes, n) {
      const { each, size } = this;
      for (let i = 0; i < n; i++) {
        for (let angle = 0; angle < 2; angle++) {
          const [values, rates] = this.of(q[2 * i + angle]);
          for (let j = 0; j < each; j++) {
            x[i * size + angle * each + j] = values[j];
            slopes[(2 * i + angle) * each + j] = rates[j];
          }
          x[i * size + 2 * each + angle] = v[2 * i + angle] / this.velocityScale;
        }
      }
    }
  }

  return { Network, Features, silu, FEATURES: Object.keys(FEATURES) };
});
