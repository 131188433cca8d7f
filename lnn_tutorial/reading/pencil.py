r"""The share ρ(c) = ‖R c‖ / ‖S c‖ of sums of terms, and which terms it can do without.

ρ² are the eigenvalues of RᵀR c = ρ² SᵀS c, the least of them that of the best sum; see `formula`.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.linalg

ROUNDING = 1e-5
"""A share ρ below this is rounding: ρ² is an eigenvalue, in double precision."""


@dataclass(frozen=True, eq=False)
class Pencil:
    """RᵀR and SᵀS of some terms, normed, by states; ρ² are the eigenvalues of the one by the other.

    Args:
        known, drawn: R and S `[n, d, K]`, columns divided by the norm of S.
        norm: that norm `[K]`.
        stay: which terms are never struck out `[K]`.
    """

    known: np.ndarray
    drawn: np.ndarray
    norm: np.ndarray
    stay: np.ndarray

    @classmethod
    def of(cls, known, drawn, stay):
        """From R and S as they are."""
        norm = np.linalg.norm(drawn.reshape(-1, drawn.shape[-1]), axis=0)
        return cls(known / norm, drawn / norm, norm, stay)

    @cached_property
    def grams(self):
        """RᵀR and SᵀS `[K, K]`."""
        flat = (x.reshape(-1, x.shape[-1]) for x in (self.known, self.drawn))
        return tuple(x.T @ x for x in flat)

    def shares(self, rows=None):
        """The ρ of all independent combinations, rising."""
        return np.sqrt(np.maximum(scipy.linalg.eigh(*self._some(rows), eigvals_only=True), 0))

    def share(self, rows):
        """The least ρ of a combination of some terms."""
        return self.shares(rows)[0]

    def best(self, rows):
        """The coefficients of that combination, of the terms as they were given."""
        return least_vector(*self._some(rows)) / self.norm[rows]

    def _some(self, rows):
        return self.grams if rows is None else tuple(x[np.ix_(rows, rows)] for x in self.grams)

    def struck_out(self, rows):
        """From some terms to one: `[(ρ, the terms that are left)]`."""
        among, steps = np.asarray(rows), []
        rows = among
        while True:
            if len(rows) <= FEW:
                rows = self._exchanged(rows, among)
            steps.append((float(self.share(rows)), rows))
            if len(rows) - self.stay[rows].sum() <= 1:
                return steps
            after = self._without_each(rows)
            # of terms that make no difference the last ones of the library go first
            same = max(ROUNDING**2, (1 + 1e-3) * after.min())
            order = np.lexsort((-np.arange(len(rows)), np.maximum(after, same), self.stay[rows]))
            several = max(1, len(rows) // 12) if len(rows) > MANY else 1
            while several > 1 and self.share(np.delete(rows, order[:several])) > GENTLE * max(
                ROUNDING, steps[-1][0]
            ):
                several //= 2  # each alone may do without, and not all together
            rows = np.sort(np.delete(rows, order[:several]))

    def _without_each(self, rows):
        """ρ² `[k]` without each of some terms.

        A term is left out by the constraint that its coefficient is zero; between the two lowest
        eigenvalues λ₀ and λ₁ the new one is the root of Σᵢ vᵢ² / (λᵢ − λ) = 0, with v the entries
        of the term in all eigenvectors.
        """
        values, vectors = scipy.linalg.eigh(*self._some(rows))
        values, weight = np.maximum(values, 0), vectors**2
        low, high = np.full(len(rows), values[0]), np.full(len(rows), values[1])
        for _ in range(60):
            middle = np.sqrt(np.maximum(low, 1e-24) * np.maximum(high, 1e-24))
            slope = (weight / (values - middle[:, None] + 1e-300)).sum(axis=1)
            low, high = np.where(slope < 0, middle, low), np.where(slope < 0, high, middle)
        return high

    def _exchanged(self, rows, among):
        """Some terms, with one after the other exchanged for another while that lowers ρ."""
        known, drawn = self.grams
        while True:
            now, better = self.share(rows), None
            others = np.setdiff1d(among, rows)
            if not len(others) or now < ROUNDING:
                return rows
            for out in np.flatnonzero(~self.stay[rows]):
                tried = np.tile(rows, (len(others), 1))
                tried[:, out] = others
                a, b = (x[tried[:, :, None], tried[:, None, :]] for x in (known, drawn))
                inverse = np.linalg.inv(np.linalg.cholesky(b))
                least = np.linalg.eigvalsh(inverse @ a @ np.swapaxes(inverse, 1, 2))[:, 0]
                if least.min() < (better[0] if better else (0.9 * now) ** 2):
                    better = least.min(), np.sort(tried[least.argmin()])
            if better is None:
                return rows
            rows = better[1]


MANY, FEW = 50, 12
"""Above so many terms several are struck out at a time; at so few they are exchanged for others."""

GENTLE = 1.05
"""Several are struck out at a time if together they raise ρ by no more."""


def least_vector(known, drawn):
    """The vector of the least eigenvalue of the one matrix by the other."""
    return scipy.linalg.eigh(known, drawn, subset_by_index=[0, 0])[1][:, 0]
