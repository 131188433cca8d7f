"""What all tests share: how Hypothesis draws its examples, and the precision as a fixture.

The examples are the same on every run, and there is no clock: the first example of a test
compiles, so a deadline would measure the compiler. To look for counterexamples that the fixed
draw misses: `pytest tests --hypothesis-profile explore`.

JAX stays in float32 unless a test asks for more. A module whose facts need float64 says so once:
`pytestmark = pytest.mark.usefixtures("float64")`.
"""

import os
from contextlib import contextmanager

import jax
import pytest
from hypothesis import settings

from lnn_tutorial import data, store

settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, derandomize=False)
settings.load_profile("steady")

# Most tests compile many small functions and run each of them once.
jax.config.update("jax_disable_most_optimizations", True)


@contextmanager
def _x64(enabled):
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", enabled)
    try:
        yield
    finally:
        jax.config.update("jax_enable_x64", before)


@pytest.fixture(scope="module")
def float64():
    """Double precision in the whole module."""
    with _x64(True):
        yield


@pytest.fixture(scope="session")
def measured():
    """`data.measured`; a test skips where files are not to be had, and in CI it fails."""
    missing = {}

    def table(name, **settings):
        if name not in missing:
            try:
                return data.measured(name, **settings)
            except store.StoreError as error:
                missing[name] = str(error)
        if os.environ.get("LNN_REQUIRE_DATA") == "1":
            pytest.fail(f"LNN_REQUIRE_DATA=1, but {missing[name]}", pytrace=False)
        return pytest.skip(missing[name])

    return table


@pytest.fixture(scope="module")
def optimised():
    """Fast code in the whole module, for tests that compute for longer than they compile."""
    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", True)


@pytest.fixture
def float32():
    """Single precision in one test, also of a module in double precision."""
    with _x64(False):
        yield
