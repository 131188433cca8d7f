"""How Hypothesis draws its examples: the same on every run, and with no clock.

The first example of a test compiles, so a deadline would measure the compiler. To look for
counterexamples that the fixed draw misses: `pytest tests --hypothesis-profile explore`.
"""

from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, derandomize=False)
settings.load_profile("steady")
