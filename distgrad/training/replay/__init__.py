"""`distgrad replay`: the steps of a run made again, to look into one or to compare two runs.

Every step follows from the configuration, the seed and the state before it, whatever the number of
ranks: so one process can make any step of any run again, bit for bit. In the order of their use:

* `recording` reads what a run has left;
* `player` makes its steps again, one at a time;
* `observation` looks into one step;
* `step` compares one with what was recorded of it;
* `comparison`, `parting` and `cause` find where two runs part;
* `printing` says what came of it, and `command` does it all for the command line.
"""

from distgrad.training.replay.parting import Parting, find_parting
from distgrad.training.replay.step import StepReplay, replay_step

__all__ = ["Parting", "StepReplay", "find_parting", "replay_step"]
