"""The models that are measured, a module each: the same model in every library.

Each module has a constant ``LOSS``, "cross_entropy" or "mean_squared_error", and functions that
take the sizes which `claims.Claim.sizes` names:

- ``samples(rng, count, ...)``: inputs and targets as arrays of ``count`` samples;
- ``in_distgrad(...)`` and ``in_torch(...)``: the model, with scores of the classes along the last
  axis of its output. Parameters have the same names and shapes, so that they can be given the same
  values;
- ``shapes(...)``: those names and shapes;
- ``in_jax(...)`` and ``in_chainer(...)``: the model as a function of the parameters by name and of
  the inputs.

The functions import their library themselves, since each process has but one.
"""
