"""Which ranks share a machine, and which of them acts there for a rank of another machine."""

from collections.abc import Sequence

__all__ = ["Hosts"]


class Hosts:
    """The ranks, by machine.

    On every other machine one rank stands for a rank: its agent, which has the same place among
    the ranks of its machine, counted anew where there are fewer.

    Args:
        names: The name of each rank's machine.
        rank: This rank.

    Attributes:
        machines: The ranks of each machine.
        here: Those of this one.

    Example:
        >>> hosts = Hosts(["a", "a", "b", "b", "b"], rank=1)
        >>> hosts.machines, hosts.here, hosts.runs()
        ([[0, 1], [2, 3, 4]], [0, 1], [[0, 1], [2, 3, 4]])
        >>> [hosts.agents(rank) for rank in range(5)]
        [[2], [3], [0], [1], [0]]
        >>> hosts.served(0), hosts.served(4)
        ([2, 4], [])
    """

    def __init__(self, names: Sequence[str], rank: int) -> None:
        ranks: dict[str, list[int]] = {}
        for number, name in enumerate(names):
            ranks.setdefault(name, []).append(number)
        self.machines = list(ranks.values())
        self.here = ranks[names[rank]]
        self._machine_of = [ranks[name] for name in names]

    def agent(self, rank: int, neighbour: int) -> int:
        """Return who stands for a rank on a neighbour's machine: on its own the rank itself."""
        home, machine = self._machine_of[rank], self._machine_of[neighbour]
        return machine[home.index(rank) % len(machine)]

    def agents(self, rank: int) -> list[int]:
        """Return who stands for a rank on the other machines."""
        home = self._machine_of[rank]
        return [self.agent(rank, machine[0]) for machine in self.machines if machine is not home]

    def served(self, agent: int) -> list[int]:
        """Return the ranks on other machines for which one stands on its own."""
        return [
            rank
            for rank, home in enumerate(self._machine_of)
            if home is not self._machine_of[agent] and self.agent(rank, agent) == agent
        ]

    def runs(self) -> list[list[int]]:
        """Return the ranks in their order, cut where the machine changes."""
        runs: list[list[int]] = []
        for rank, machine in enumerate(self._machine_of):
            if runs and runs[-1][-1] in machine:
                runs[-1].append(rank)
            else:
                runs.append([rank])
        return runs
