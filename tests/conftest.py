"""What holds for the whole suite."""

from hypothesis import settings

# The same examples in every run, and no time limits: a slow machine is no failure.
settings.register_profile("distgrad", deadline=None, derandomize=True, database=None)
settings.load_profile("distgrad")
