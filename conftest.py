"""What holds wherever tests are collected."""

import os
from importlib.util import find_spec

# Tests of what computes by compiled kernels ask for them; elsewhere they would cost each of the
# many processes that tests start the time to load numba.
os.environ.setdefault("DISTGRAD_KERNELS", "numpy")

collect_ignore_glob = [] if find_spec("numba") else ["distgrad/backend/kernels/compiled/*"]
