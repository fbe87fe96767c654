"""The models that are measured, a module each: the same model in every library.

Each module has three functions, and each function takes the sizes that `claims.Claim.sizes` names:

- ``samples(rng, count, ...)``: inputs and integer targets as arrays of ``count`` samples;
- ``in_distgrad(...)`` and ``in_torch(...)``: the model, with scores of the classes along the last
  axis of its output. Parameters have the same names and shapes, so that they can be given the same
  values; the functions import their library themselves, since each process has but one.
"""
