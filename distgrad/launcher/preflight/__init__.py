"""Is this machine fit for a run? The checks of ``distgrad doctor``, some of them at every launch.

Each check gives a `result.Result`: green, yellow or red, one line with the numbers, and the
command that mends it. None of them waits for ever: it ends at a limit and says whom it waited for.

* `resources` and `single_copy` look at one machine: memory, disk, cores, and what it lets one
  process see of another. `this_machine` gathers them.
* `hosts` lets mpirun put the same questions to every host of a hostfile, each alone.
* `ranks` starts ranks that report (`distgrad.distributed.probe`), and judges what they say.
* `doctor` runs all of these; `quick` those that start no process, before a launch.
"""
