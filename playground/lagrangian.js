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

    /** Arrays for n states, kept for the next time. In x and z four streams lie one below another:
        rows 0 … n are values, then come three more. */
    room(n) {
      if (!this.rooms.has(n)) {
        const { sizes, layers } = this.network;
        const hidden = sizes.slice(1, -1);
        const array = (count) => new Float64Array(count);
        const gradient = array(this.network.parameters.length);
        const [weightGradients, biasGradients] = this.network.views(gradient);
        this.rooms.set(n, {
          x: sizes.slice(0, layers).map((size) => array(4 * n * size)),
          z: hidden.map((size) => array(4 * n * size)),
          f1: hidden.map((size) => array(n * size)),
          f2: hidden.map((size) => array(n * size)),
          f3: hidden.map((size) => array(n * size)),
          back: sizes.slice(0, layers).map((size) => array(4 * n * size)),
          slopes: array(2 * n * this.features.each),
          value: array(n), momentum: array(2 * n), mass: array(3 * n), force: array(2 * n),
          acceleration: array(2 * n), mu: array(2 * n),
          gradient, weightGradients, biasGradients,
        });
      }
      return this.rooms.get(n);
    }

    /** The change of the features along (u, w), scaled, into the rows of stream `stream`. */
    push(x, stream, slopes, n, direction) {
      const { each, size, velocityScale } = this.features;
      for (let i = 0; i < n; i++) {
        const [u1, u2, w1, w2] = direction(i), row = (stream * n + i) * size;
        for (let j = 0; j < each; j++) {
          x[row + j] = slopes[2 * i * each + j] * u1;
          x[row + each + j] = slopes[(2 * i + 1) * each + j] * u2;
        }
        x[row + 2 * each] = w1 / velocityScale;
        x[row + 2 * each + 1] = w2 / velocityScale;
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
      this.features.look(q, v, x[0], slopes, n);
      this.push(x[0], 1, slopes, n, () => [0, 0, 1, 0]);
      this.push(x[0], 2, slopes, n, () => [0, 0, 0, 1]);
      this.push(x[0], 3, slopes, n, (i) => [v[2 * i], v[2 * i + 1], 0, 0]);
      for (let l = 0; l < layers - 1; l++) {
        const width = sizes[l + 1], count = n * width, zl = z[l], out = x[l + 1], slope = f1[l];
        multiply(x[l], weights[l], zl, 4 * n, sizes[l], width);
        silu(zl, biases[l], out, slope, f2[l], f3[l], n);
        for (let k = 0; k < count; k++) {
          out[k + count] = slope[k] * zl[k + count];
          out[k + 2 * count] = slope[k] * zl[k + 2 * count];
          out[k + 3 * count] = slope[k] * zl[k + 3 * count];
        }
      }
      mass.fill(0);
      force.fill(0);
      const last = weights[layers - 1], top = sizes[layers - 1];
      for (let i = 0; i < n; i++) {
        let sum = biases[layers - 1][0];
        for (let j = 0; j < top; j++) {
          sum += x[layers - 1][i * top + j] * last[j];
          back[layers - 1][i * top + j] = last[j];
        }
        room.value[i] = sum;
      }
      for (let l = layers - 2; l >= 0; l--) {
        const width = sizes[l + 1], count = n * width, delta = back[l + 1], zl = z[l];
        const first = f1[l], second = f2[l];
        for (let i = 0, k = 0; i < n; i++) {
          let m11 = 0, m12 = 0, m22 = 0, p1 = 0, p2 = 0;
          for (const end = k + width; k < end; k++) {
            const bend = delta[k] * second[k];
            const z1 = zl[k + count], z2 = zl[k + 2 * count], zq = zl[k + 3 * count];
            m11 += bend * z1 * z1;
            m12 += bend * z1 * z2;
            m22 += bend * z2 * z2;
            p1 += bend * z1 * zq;
            p2 += bend * z2 * zq;
            delta[k] *= first[k];
          }
          mass[3 * i] += m11;
          mass[3 * i + 1] += m12;
          mass[3 * i + 2] += m22;
          force[2 * i] -= p1;
          force[2 * i + 1] -= p2;
        }
        multiply(delta, weights[l], back[l], n, width, sizes[l], { transposeB: true });
      }
      const { each, size, velocityScale } = this.features;
      const offset = this.kineticOffset / (velocityScale * velocityScale);
      for (let i = 0; i < n; i++) {
        mass[3 * i] += offset;
        mass[3 * i + 2] += offset;
        for (let angle = 0; angle < 2; angle++) {
          const k = 2 * i + angle, row = i * size;
          for (let j = 0; j < each; j++) {
            force[k] += back[0][row + angle * each + j] * slopes[k * each + j];
          }
          momentum[k] = back[0][row + 2 * each + angle] / velocityScale + offset * v[k];
          room.value[i] += 0.5 * offset * v[k] * v[k];
        }
      }
      return room;
    }

    /** The gradient of a loss whose derivative by the n accelerations is `adjoint` [n, 2].

        To be called after `accelerate` with the same states. Overwrites the streams. */
    gradient(v, adjoint, n) {
      const { sizes, layers, weights } = this.network;
      const room = this.room(n), { x, z, f1, f2, f3, back, slopes, mu, acceleration: a } = room;
      solve(room.mass, adjoint, mu, n);
      // The streams A, B and their mixture. Of A and B no layer need be computed: their z are sums
      // of those along (0, e₁), (0, e₂) and (q̇, 0).
      this.push(x[0], 1, slopes, n, (i) => [0, 0, mu[2 * i], mu[2 * i + 1]]);
      this.push(x[0], 2, slopes, n, (i) => [v[2 * i], v[2 * i + 1], a[2 * i], a[2 * i + 1]]);
      this.push(x[0], 3, slopes, n, (i) => [-mu[2 * i], -mu[2 * i + 1], 0, 0]);
      for (let l = 0; l < layers - 1; l++) {
        const width = sizes[l + 1], count = n * width, zl = z[l], out = x[l + 1];
        const first = f1[l], second = f2[l], along = zl.slice(3 * count);
        multiply(x[l].subarray(3 * n * sizes[l]), weights[l], zl.subarray(3 * count), n, sizes[l], width);
        for (let i = 0, k = 0; i < n; i++) {
          const mu1 = mu[2 * i], mu2 = mu[2 * i + 1], a1 = a[2 * i], a2 = a[2 * i + 1];
          for (const end = k + width; k < end; k++) {
            const z1 = zl[k + count], z2 = zl[k + 2 * count];
            const zA = mu1 * z1 + mu2 * z2, zB = along[k] + a1 * z1 + a2 * z2;
            zl[k + count] = zA;
            zl[k + 2 * count] = zB;
            out[k + count] = first[k] * zA;
            out[k + 2 * count] = first[k] * zB;
            out[k + 3 * count] = first[k] * zl[k + 3 * count] + second[k] * zA * zB;
          }
        }
      }
      // s = Σ last · (mixture of the last layer); and −∂s/∂θ, layer by layer, on the way back.
      const { weightGradients, biasGradients } = room;
      const last = weights[layers - 1], top = sizes[layers - 1], mixed = 3 * n * top;
      weightGradients[layers - 1].fill(0);
      biasGradients[layers - 1].fill(0);
      back[layers - 1].fill(0);
      for (let i = 0, k = mixed; i < n; i++) {
        for (let j = 0; j < top; j++, k++) {
          weightGradients[layers - 1][j] -= x[layers - 1][k];
          back[layers - 1][k] = -last[j];
        }
      }
      for (let l = layers - 2; l >= 0; l--) {
        const width = sizes[l + 1], count = n * width, zl = z[l], y = back[l + 1];
        const first = f1[l], second = f2[l], third = f3[l], bias = biasGradients[l].fill(0);
        for (let i = 0, k = 0; i < n; i++) {
          for (let j = 0; j < width; j++, k++) {
            const zA = zl[k + count], zB = zl[k + 2 * count], zC = zl[k + 3 * count];
            const yA = y[k + count], yB = y[k + 2 * count], yC = y[k + 3 * count];
            const bend = second[k] * yC;
            y[k] = first[k] * y[k] + second[k] * (zA * yA + zB * yB) + bend * zC + third[k] * zA * zB * yC;
            y[k + count] = first[k] * yA + bend * zB;
            y[k + 2 * count] = first[k] * yB + bend * zA;
            y[k + 3 * count] = first[k] * yC;
            bias[j] += y[k];
          }
        }
        multiply(x[l], y, weightGradients[l], sizes[l], 4 * n, width, { transposeA: true });
        if (l > 0) multiply(y, weights[l], back[l], 4 * n, width, sizes[l], { transposeB: true });
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
