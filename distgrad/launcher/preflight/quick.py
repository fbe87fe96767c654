"""What every launch checks first: the part of the preflight that starts no process."""

import os

from distgrad.launcher.errors import LaunchError
from distgrad.launcher.options import LaunchOptions
from distgrad.launcher.preflight.result import Level, Result
from distgrad.launcher.preflight.this_machine import Planned, check_quickly
from distgrad.launcher.supervision import say

_ALLOCATIONS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "PE_HOSTFILE")
"""Set by a batch system, which says on how many machines mpirun starts ranks."""


def check_launch(vendor: str | None, options: LaunchOptions) -> None:
    """Looks for what would hinder a launch on this machine; says what is not well.

    Ranks that a hostfile places are on other machines, about which nothing can be known here.

    Raises:
        LaunchError: if the ranks would surely fail.
    """
    if options.hostfile is not None:
        return
    # Of a batch system's machines this is one, with at least a rank.
    allocated = any(name in os.environ for name in _ALLOCATIONS)
    ranks = 1 if allocated else options.ranks
    bad = [
        result
        for result in check_quickly(Planned(vendor, ranks, options.folder))
        if result.level != Level.GREEN
    ]
    reds = [_line(result) for result in bad if result.level == Level.RED]
    if reds:
        raise LaunchError("\n".join([*reds, "See all checks: distgrad doctor"]))
    for result in bad:
        say(_line(result))


def _line(result: Result) -> str:
    return f"{result.check}: {result.text}. Mend it: {result.remedy}"
