"""Starts the ranks of a run: finds the right ``mpirun``, writes its command line, watches over it.

`launch` runs a command on N ranks and returns the exit status to pass on; `preview` returns the
command line that it would run. Both raise `LaunchError` before anything has been started when the
machine cannot do what is asked.

The package imports nothing but the standard library and never loads MPI: a process that has
loaded MPI makes a poor parent of MPI processes, so the question which MPI is installed goes to a
child Python. In the order of a launch:

* `mpi_runtime` asks which MPI library mpi4py loads, or can be made to load;
* `mpirun` finds the mpirun that belongs to it, and refuses one that does not; `places` knows where
  both may be;
* `preflight` looks whether this machine is fit for the run;
* `job_folder` ties together what belongs to the job, and `leftovers` ends and removes it;
* `command_line` writes the command in the dialect of Open MPI or of Hydra;
* `supervision` runs it: it waits for `events`, asks the `ranks` to stop, and tells by the `outcome`
  what the exit status is;
* `pump`, `output` and `banners` turn what mpirun prints into lines tagged by rank.
"""

from distgrad.launcher.errors import LaunchError
from distgrad.launcher.launch import launch, preview
from distgrad.launcher.options import LaunchOptions

__all__ = ["LaunchError", "LaunchOptions", "launch", "preview"]
