"use strict";

/* The plain network: the same layers, whose two outputs are the accelerations themselves. */

playground.define("plain", ({ matrix, network }) => {
  const { multiply } = matrix;
  const { Network, Features, silu } = network;

  class PlainNetwork {
    constructor({ width, depth, features = "sin and cos", velocityScale = 5, accelerationScale = 20 }) {
      this.features = new Features(features, velocityScale);
      this.network = new Network([this.features.size, ...Array(depth).fill(width), 2]);
      this.accelerationScale = accelerationScale;
      this.rooms = new Map();
    }

    room(n) {
      if (!this.rooms.has(n)) {
        const { sizes, layers } = this.network;
        const arrays = (from, to) => sizes.slice(from, to).map((size) => new Float64Array(n * size));
        const gradient = new Float64Array(this.network.parameters.length);
        const [weightGradients, biasGradients] = this.network.views(gradient);
        this.rooms.set(n, {
          x: arrays(0, layers), z: arrays(1, layers + 1), back: arrays(0, layers + 1),
          f1: arrays(1, layers), spare: arrays(1, layers),
          slopes: new Float64Array(2 * n * this.features.each),
          gradient, weightGradients, biasGradients,
        });
      }
      return this.rooms.get(n);
    }

    /** q̈ = a₀ · network(q, q̇) of n states, into `a`. */
    accelerate(q, v, a, n = 1) {
      const { sizes, layers, weights, biases } = this.network;
      const { x, z, f1, spare, slopes } = this.room(n);
      this.features.look(q, v, x[0], slopes, n);
      for (let l = 0; l < layers; l++) {
        const width = sizes[l + 1];
        multiply(x[l], weights[l], z[l], n, sizes[l], width);
        if (l + 1 < layers) silu(z[l], biases[l], x[l + 1], f1[l], spare[l], spare[l], n);
      }
      for (let i = 0; i < 2 * n; i++) {
        a[i] = this.accelerationScale * (z[layers - 1][i] + biases[layers - 1][i % 2]);
      }
    }

    /** The gradient of a loss whose derivative by the n accelerations is `adjoint` [n, 2].

        To be called after `accelerate` with the same states. */
    gradient(v, adjoint, n) {
      const { sizes, layers, weights } = this.network;
      const { x, f1, back, gradient, weightGradients, biasGradients } = this.room(n);
      for (let i = 0; i < 2 * n; i++) back[layers][i] = this.accelerationScale * adjoint[i];
      for (let l = layers - 1; l >= 0; l--) {
        const width = sizes[l + 1], y = back[l + 1];
        biasGradients[l].fill(0);
        for (let i = 0; i < n * width; i++) {
          if (l + 1 < layers) y[i] *= f1[l][i];
          biasGradients[l][i % width] += y[i];
        }
        multiply(x[l], y, weightGradients[l], sizes[l], n, width, { transposeA: true });
        if (l > 0) multiply(y, weights[l], back[l], n, width, sizes[l], { transposeB: true });
      }
      return gradient;
    }
  }

  return { PlainNetwork };
});
