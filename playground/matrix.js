"use strict";

/* Products of matrices that lie in flat Float64Arrays. All the time of a training step goes here,
   so eight sums stay in registers while their rows and columns go by. "| 0" says that an index is
   a whole number of 32 bits: nobody need look whether it became larger. */

playground.define("matrix", () => {
  /** C = A B for A [n, k], B [k, m] and C [n, m], all row by row.

      `a` and `b` may be handed transposed: entry (i, l) of A lies at a[i · down + l · right].
      Where C is known to be symmetric, half of it need not be computed. */
  function multiply(a, b, c, n, k, m, { transposeA = false, transposeB = false, symmetric = false } = {}) {
    const [down, right] = transposeA ? [1, n] : [k, 1];
    const [under, beside] = transposeB ? [1, k] : [m, 1];
    const tall = n - (n % 2), wide = m - (m % 4);
    const beside2 = 2 * beside, beside3 = 3 * beside;
    for (let i = 0; i < tall; i += 2) {
      for (let j = symmetric ? i - (i % 4) : 0; j < wide; j += 4) {
        let c00 = 0, c01 = 0, c02 = 0, c03 = 0, c10 = 0, c11 = 0, c12 = 0, c13 = 0;
        let p = i * down, r = j * beside;
        for (let l = 0; l < k; l++) {
          const a0 = a[p], a1 = a[(p + down) | 0];
          const b0 = b[r], b1 = b[(r + beside) | 0], b2 = b[(r + beside2) | 0], b3 = b[(r + beside3) | 0];
          c00 += a0 * b0; c01 += a0 * b1; c02 += a0 * b2; c03 += a0 * b3;
          c10 += a1 * b0; c11 += a1 * b1; c12 += a1 * b2; c13 += a1 * b3;
          p = (p + right) | 0;
          r = (r + under) | 0;
        }
        let to = i * m + j;
        c[to] = c00; c[to + 1] = c01; c[to + 2] = c02; c[to + 3] = c03; to += m;
        c[to] = c10; c[to + 1] = c11; c[to + 2] = c12; c[to + 3] = c13;
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
    if (!symmetric) return;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < i; j++) c[i * m + j] = c[j * m + i];
    }
  }

  return { multiply };
});
