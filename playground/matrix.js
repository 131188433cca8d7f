"use strict";

/* Products of matrices that lie in flat Float64Arrays. All the time of a training step goes here,
   so eight sums stay in registers while their rows and columns go by. */

playground.define("matrix", () => {
  /** C = A B for A [n, k], B [k, m] and C [n, m], all row by row.

      `a` and `b` may be handed transposed: entry (i, l) of A lies at a[i · down + l · right]. */
  function multiply(a, b, c, n, k, m, { transposeA = false, transposeB = false } = {}) {
    const [down, right] = transposeA ? [1, n] : [k, 1];
    const [under, beside] = transposeB ? [1, k] : [m, 1];
    const tall = n - (n % 4), wide = m - (m % 2);
    const down2 = 2 * down, down3 = 3 * down;
    for (let i = 0; i < tall; i += 4) {
      for (let j = 0; j < wide; j += 2) {
        let c00 = 0, c01 = 0, c10 = 0, c11 = 0, c20 = 0, c21 = 0, c30 = 0, c31 = 0;
        let p = i * down, r = j * beside;
        for (let l = 0; l < k; l++, p += right, r += under) {
          const b0 = b[r], b1 = b[r + beside];
          const a0 = a[p], a1 = a[p + down], a2 = a[p + down2], a3 = a[p + down3];
          c00 += a0 * b0; c01 += a0 * b1;
          c10 += a1 * b0; c11 += a1 * b1;
          c20 += a2 * b0; c21 += a2 * b1;
          c30 += a3 * b0; c31 += a3 * b1;
        }
        let to = i * m + j;
        c[to] = c00; c[to + 1] = c01; to += m;
        c[to] = c10; c[to + 1] = c11; to += m;
        c[to] = c20; c[to + 1] = c21; to += m;
        c[to] = c30; c[to + 1] = c31;
      }
    }
    // What is left at the right and below.
    for (let i = 0; i < n; i++) {
      for (let j = i < tall ? wide : 0; j < m; j++) {
        let sum = 0;
        for (let l = 0; l < k; l++) sum += a[i * down + l * right] * b[l * under + j * beside];
        c[i * m + j] = sum;
      }
    }
  }

  return { multiply };
});
