"""What holds for the whole suite."""

import signal

from hypothesis import settings

# The same examples in every run, and no time limits: a slow machine is no failure.
settings.register_profile("distgrad", deadline=None, derandomize=True, database=None)
settings.load_profile("distgrad")

# A shell starts what it puts in the background with SIGINT ignored, and children inherit that: the
# programs under test would not hear the interrupts that they are sent.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
