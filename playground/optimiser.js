"use strict";

/* Muon for matrices, Adam for biases; or Adam for all. */

playground.define("optimiser", ({ matrix }) => {
  const { multiply } = matrix;

  /** A warm-up to `peak` over a twentieth of the steps, then half a cosine down to zero. */
  function rate(k, steps, peak) {
    const warm = Math.max(1, Math.floor(0.05 * steps));
    if (k < warm) return (peak * k) / warm;
    return 0.5 * peak * (1 + Math.cos((Math.PI * (k - warm)) / Math.max(1, steps - warm)));
  }

  /** A matrix and what Newton and Schulz need beside it: of X Xᵀ and Xᵀ X the smaller one serves. */
  function room(length, rows) {
    const columns = length / rows, side = Math.min(rows, columns);
    const array = (count) => new Float64Array(count);
    return {
      rows, columns, side, update: array(length), change: array(length),
      square: array(side * side), twice: array(side * side),
    };
  }

  /** X with all its singular values brought near one, by five Newton–Schulz steps
      X ← a X + (b A + c A²) X with A = X Xᵀ. In place; X is [rows, columns]. */
  function orthogonalise({ update: x, rows, columns, side, square, twice, change }) {
    let norm = 0;
    for (const entry of x) norm += entry * entry;
    norm = Math.sqrt(norm) + 1e-8;
    for (let i = 0; i < x.length; i++) x[i] /= norm;
    const wide = rows <= columns;
    for (let pass = 0; pass < 5; pass++) {
      if (wide) multiply(x, x, square, rows, columns, rows, { transposeB: true, symmetric: true });
      else multiply(x, x, square, columns, rows, columns, { transposeA: true, symmetric: true });
      multiply(square, square, twice, side, side, side, { symmetric: true });
      for (let i = 0; i < square.length; i++) square[i] = -4.775 * square[i] + 2.0315 * twice[i];
      if (wide) multiply(square, x, change, rows, rows, columns);
      else multiply(x, square, change, rows, columns, columns);
      for (let i = 0; i < x.length; i++) x[i] = 3.4445 * x[i] + change[i];
    }
  }

  /** Steps of a network along its gradients. `kind` is "Muon" or "Adam". */
  class Optimiser {
    constructor(network, { kind, peak, steps }) {
      Object.assign(this, { network, kind, peak, steps, done: 0 });
      const zeros = () => network.views(new Float64Array(network.parameters.length));
      [this.weightMoments, this.biasMoments] = zeros();
      [this.weightSquares, this.biasSquares] = zeros();
      this.rooms = network.weights.map((weight, l) => room(weight.length, network.sizes[l]));
    }

    step(gradient) {
      const { network, weightMoments, biasMoments, weightSquares, biasSquares } = this;
      const eta = rate(this.done, this.steps, this.peak), t = (this.done += 1);
      const [weights, biases] = network.views(gradient);
      for (let l = 0; l < network.layers; l++) {
        if (this.kind === "Muon") {
          this.muon(network.weights[l], weights[l], weightMoments[l], eta, t, this.rooms[l]);
        } else {
          this.adam(network.weights[l], weights[l], weightMoments[l], weightSquares[l], eta, t);
        }
        this.adam(network.biases[l], biases[l], biasMoments[l], biasSquares[l], eta, t);
      }
    }

    /** W ← W − η √max(1, n_out/n_in) · orthogonalised momentum, looking one step ahead. */
    muon(weight, gradient, moment, eta, t, room) {
      const beta = 0.95, { update, rows, columns } = room;
      const ahead = beta / (1 - beta ** (t + 1)), now = (1 - beta) / (1 - beta ** t);
      for (let i = 0; i < weight.length; i++) {
        moment[i] = beta * moment[i] + (1 - beta) * gradient[i];
        update[i] = ahead * moment[i] + now * gradient[i];
      }
      orthogonalise(room);
      const scale = eta * Math.sqrt(Math.max(1, columns / rows));
      for (let i = 0; i < weight.length; i++) weight[i] -= scale * update[i];
    }

    /** Adam with Nesterov's look ahead. */
    adam(weight, gradient, moment, square, eta, t) {
      const beta1 = 0.9, beta2 = 0.999;
      const ahead = beta1 / (1 - beta1 ** (t + 1)), now = (1 - beta1) / (1 - beta1 ** t);
      for (let i = 0; i < weight.length; i++) {
        moment[i] = beta1 * moment[i] + (1 - beta1) * gradient[i];
        square[i] = beta2 * square[i] + (1 - beta2) * gradient[i] * gradient[i];
        const size = Math.sqrt(square[i] / (1 - beta2 ** t)) + 1e-8;
        weight[i] -= (eta * (ahead * moment[i] + now * gradient[i])) / size;
      }
    }
  }

  return { Optimiser, orthogonalise, rate };
});
