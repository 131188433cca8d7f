"use strict";

/* The Lagrangian network: accelerations from a scalar, and the gradient that trains it.

   With x the features of a state, 𝓛(q, q̇) = network(x) + ½ c ‖q̇/v₀‖². Along directions A and B
   of (q, q̇), D𝓛[A] is the slope of 𝓛 and D²𝓛[A, B] its mixed second derivative. Then

       M = D²𝓛[(0, eᵢ), (0, eⱼ)],   F = D𝓛[(eᵢ, 0)] − D²𝓛[(0, eᵢ), (q̇, 0)],   M a = F.

   For the gradient of a loss, let ā = ∂loss/∂a and μ = M⁻¹ ā. Where θ moves, M a = F moves along,
   and ∂loss/∂θ = −∂s/∂θ of the one scalar

       s = D²𝓛[(0, μ), (q̇, a)] − D𝓛[(μ, 0)],

   in which μ, q̇ and a are held. So four streams go through the layers: a value, a slope along
   A = (0, μ), a slope along B = (q̇, a), and what the two make together, less a slope along (μ, 0).
   The way back carries the four home. */

playground.define("lagrangian", ({ matrix, network }) => {
  const { multiply } = matrix;
  const { Network, Features, silu } = network;

  /** M x = y of n states, two by two, into x; M is (M₁₁, M₁₂, M₂₂) of each. */
  function solve(mass, y, x, n) {
    for (let i = 0; i < n; i++) {
      const m11 = mass[3 * i], m12 = mass[3 * i + 1], m22 = mass[3 * i + 2];
      const determinant = m11 * m22 - m12 * m12;
      x[2 * i] = (m22 * y[2 * i] - m12 * y[2 * i + 1]) / determinant;
      x[2 * i + 1] = (m11 * y[2 * i + 1] - m12 * y[2 * i]) / determinant;
    }
  }

  class LagrangianNetwork {
    constructor({ width, depth, features = "sin and cos", velocityScale = 5, kineticOffset = 1 }) {
      this.features = new Features(features, velocityScale);
      this.network = new Network([this.features.size, ...Array(depth).fill(width), 1]);
      this.kineticOffset = kineticOffset;
      this.rooms = new Map();
    }

    /** Arrays for n states, kept for the next time. In x, z and back four streams lie one below
        another, n rows of each; `streams` are views of the four. */
    room(n) {
      if (!this.rooms.has(n)) {
        const { sizes, layers } = this.network;
        const seen = sizes.slice(0, layers), hidden = sizes.slice(1, -1);
        const array = (count) => new Float64Array(count);
        const four = (size) => {
          const all = array(4 * n * size), count = n * size;
          return { all, streams: [0, 1, 2, 3].map((k) => all.subarray(k * count, (k + 1) * count)) };
        };
        const gradient = array(this.network.parameters.length);
        const [weightGradients, biasGradients] = this.network.views(gradient);
        this.rooms.set(n, {
          x: seen.map(four), z: hidden.map(four), back: seen.map(four),
          mixed: hidden.map((size) => array(n * size)),
          f1: hidden.map((size) => array(n * size)),
          f2: hidden.map((size) => array(n * size)),
          f3: hidden.map((size) => array(n * size)),
          slopes: array(2 * n * this.features.each),
          value: array(n), momentum: array(2 * n), mass: array(3 * n), force: array(2 * n),
          acceleration: array(2 * n), mu: array(2 * n), minusMu: array(2 * n),
          zero: array(2 * n), e1: array(2 * n).map((_, k) => 1 - (k % 2)), e2: array(2 * n).map((_, k) => k % 2),
          gradient, weightGradients, biasGradients,
        });
      }
      return this.rooms.get(n);
    }

    /** The change of the features along (u, w), pairs of numbers for each state, into a stream x of
        the first layer. */
    push(x, slopes, n, u, w) {
      const { each, size, velocityScale } = this.features;
      for (let i = 0; i < n; i++) {
        for (let angle = 0; angle < 2; angle++) {
          const k = 2 * i + angle, row = i * size;
          for (let j = 0; j < each; j++) x[row + angle * each + j] = slopes[k * each + j] * u[k];
          x[row + 2 * each + angle] = w[k] / velocityScale;
        }
      }
    }

    /** q̈ of n states, into `a`: M a = F, solved two by two. */
    accelerate(q, v, a, n = 1) {
      const { mass, force, acceleration } = this.equation(q, v, n);
      solve(mass, force, acceleration, n);
      a.set(acceleration);
    }

    /** M, F, 𝓛 and p of n states. The streams: the value, and slopes along (0, e₁), (0, e₂) and
        (q̇, 0). On the way back a layer's sensitivity δ = ∂𝓛/∂f(z) adds Σ δ f″(z) zᵢ zⱼ to
        D²𝓛[i, j], where zᵢ is the slope of z along direction i. */
    equation(q, v, n) {
      const { sizes, layers, weights, biases } = this.network;
      const room = this.room(n), { x, z, f1, f2, f3, back, slopes, mass, force, momentum } = room;
      const { zero, e1, e2 } = room;
      const [values, along1, along2, alongQ] = x[0].streams;
      this.features.look(q, v, values, slopes, n);
      this.push(along1, slopes, n, zero, e1);
      this.push(along2, slopes, n, zero, e2);
      this.push(alongQ, slopes, n, v, zero);
      for (let l = 0; l < layers - 1; l++) {
        const width = sizes[l + 1], slope = f1[l];
        const [z0, z1, z2, zQ] = z[l].streams, [out, out1, out2, outQ] = x[l + 1].streams;
        multiply(x[l].all, weights[l], z[l].all, 4 * n, sizes[l], width);
        silu(z0, biases[l], out, slope, f2[l], f3[l], n);
        for (let k = 0; k < n * width; k++) {
          out1[k] = slope[k] * z1[k];
          out2[k] = slope[k] * z2[k];
          outQ[k] = slope[k] * zQ[k];
        }
      }
      mass.fill(0);
      force.fill(0);
      const last = weights[layers - 1], top = sizes[layers - 1];
      const [output] = x[layers - 1].streams, [start] = back[layers - 1].streams;
      for (let i = 0, k = 0; i < n; i++) {
        let sum = biases[layers - 1][0];
        for (let j = 0; j < top; j++, k++) {
          sum += output[k] * last[j];
          start[k] = last[j];
        }
        room.value[i] = sum;
      }
      for (let l = layers - 2; l >= 0; l--) {
        const width = sizes[l + 1], first = f1[l], second = f2[l];
        const [, z1, z2, zQ] = z[l].streams, [delta] = back[l + 1].streams;
        for (let i = 0, k = 0; i < n; i++) {
          let m11 = 0, m12 = 0, m22 = 0, p1 = 0, p2 = 0;
          for (const end = k + width; k < end; k++) {
            const bend = delta[k] * second[k], bend1 = bend * z1[k], bend2 = bend * z2[k];
            m11 += bend1 * z1[k];
            m12 += bend1 * z2[k];
            m22 += bend2 * z2[k];
            p1 += bend1 * zQ[k];
            p2 += bend2 * zQ[k];
            delta[k] *= first[k];
          }
          mass[3 * i] += m11;
          mass[3 * i + 1] += m12;
          mass[3 * i + 2] += m22;
          force[2 * i] -= p1;
          force[2 * i + 1] -= p2;
        }
        multiply(delta, weights[l], back[l].streams[0], n, width, sizes[l], { transposeB: true });
      }
      const [home] = back[0].streams;
      const { each, size, velocityScale } = this.features;
      const offset = this.kineticOffset / (velocityScale * velocityScale);
      for (let i = 0; i < n; i++) {
        mass[3 * i] += offset;
        mass[3 * i + 2] += offset;
        for (let angle = 0; angle < 2; angle++) {
          const k = 2 * i + angle, row = i * size;
          for (let j = 0; j < each; j++) {
            force[k] += home[row + angle * each + j] * slopes[k * each + j];
          }
          momentum[k] = home[row + 2 * each + angle] / velocityScale + offset * v[k];
          room.value[i] += 0.5 * offset * v[k] * v[k];
        }
      }
      return room;
    }

    /** The gradient of a loss whose derivative by the n accelerations is `adjoint` [n, 2].

        To be called after `accelerate` with the same states. Overwrites the streams. */
    gradient(v, adjoint, n) {
      const { sizes, layers, weights } = this.network;
      const room = this.room(n), { x, z, f1, f2, f3, back, mixed, slopes, acceleration: a } = room;
      const { zero, mu, minusMu } = room;
      solve(room.mass, adjoint, mu, n);
      for (let k = 0; k < 2 * n; k++) minusMu[k] = -mu[k];
      // The streams A, B and their mixture C. Of A and B no layer need be computed: their z are
      // sums of those along (0, e₁), (0, e₂) and (q̇, 0).
      const [, alongA, alongB, alongC] = x[0].streams;
      this.push(alongA, slopes, n, zero, mu);
      this.push(alongB, slopes, n, v, a);
      this.push(alongC, slopes, n, minusMu, zero);
      for (let l = 0; l < layers - 1; l++) {
        const width = sizes[l + 1], first = f1[l], second = f2[l], fresh = mixed[l];
        const [, z1, z2, z3] = z[l].streams, [, outA, outB, outC] = x[l + 1].streams;
        multiply(x[l].streams[3], weights[l], fresh, n, sizes[l], width);
        for (let i = 0, k = 0; i < n; i++) {
          const mu1 = mu[2 * i], mu2 = mu[2 * i + 1], a1 = a[2 * i], a2 = a[2 * i + 1];
          for (const end = k + width; k < end; k++) {
            const zA = mu1 * z1[k] + mu2 * z2[k], zB = z3[k] + a1 * z1[k] + a2 * z2[k], zC = fresh[k];
            z1[k] = zA;
            z2[k] = zB;
            z3[k] = zC;
            outA[k] = first[k] * zA;
            outB[k] = first[k] * zB;
            outC[k] = first[k] * zC + second[k] * zA * zB;
          }
        }
      }
      // s = Σ last · (mixture of the last layer); and −∂s/∂θ, layer by layer, on the way back.
      const { weightGradients, biasGradients } = room;
      const last = weights[layers - 1], top = sizes[layers - 1];
      const mixture = x[layers - 1].streams[3], start = back[layers - 1];
      weightGradients[layers - 1].fill(0);
      biasGradients[layers - 1].fill(0);
      start.all.fill(0);
      for (let i = 0, k = 0; i < n; i++) {
        for (let j = 0; j < top; j++, k++) {
          weightGradients[layers - 1][j] -= mixture[k];
          start.streams[3][k] = -last[j];
        }
      }
      for (let l = layers - 2; l >= 0; l--) {
        const width = sizes[l + 1], bias = biasGradients[l].fill(0);
        const first = f1[l], second = f2[l], third = f3[l];
        const [, zA, zB, zC] = z[l].streams, [y, yA, yB, yC] = back[l + 1].streams;
        for (let i = 0, k = 0; i < n; i++) {
          for (let j = 0; j < width; j++, k++) {
            const bend = second[k] * yC[k], both = zA[k] * zB[k];
            y[k] = first[k] * y[k] + second[k] * (zA[k] * yA[k] + zB[k] * yB[k] + zC[k] * yC[k]) + third[k] * both * yC[k];
            yA[k] = first[k] * yA[k] + bend * zB[k];
            yB[k] = first[k] * yB[k] + bend * zA[k];
            yC[k] = first[k] * yC[k];
            bias[j] += y[k];
          }
        }
        const { all } = back[l + 1];
        multiply(x[l].all, all, weightGradients[l], sizes[l], 4 * n, width, { transposeA: true });
        if (l > 0) multiply(all, weights[l], back[l].all, 4 * n, width, sizes[l], { transposeB: true });
      }
      return room.gradient;
    }

    /** The learned energy E = q̇·p − 𝓛 of one state. */
    energy(q, v) {
      const { momentum, value } = this.equation(q, v, 1);
      return v[0] * momentum[0] + v[1] * momentum[1] - value[0];
    }
  }

  return { LagrangianNetwork };
});
