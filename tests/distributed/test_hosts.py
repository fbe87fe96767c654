"""Which rank acts for which on other machines."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from distgrad.distributed.hosts import Hosts

NAMES = st.lists(st.sampled_from("abcd"), min_size=1, max_size=12)


@given(NAMES)
def test_every_rank_has_one_agent_on_each_other_machine(names):
    hosts = Hosts(names, 0)
    for rank, name in enumerate(names):
        agents = hosts.agents(rank)
        assert sorted(names[agent] for agent in agents) == sorted(set(names) - {name})
        for agent in agents:
            assert hosts.agent(rank, agent) == agent
            assert rank in hosts.served(agent)


@given(NAMES)
def test_the_work_for_others_is_divided_evenly_on_a_machine(names):
    hosts = Hosts(names, 0)
    for machine in hosts.machines:
        served = [len(hosts.served(rank)) for rank in machine]
        assert sum(served) == len(names) - len(machine)
        assert max(served) - min(served) < len(hosts.machines)


@given(NAMES)
def test_runs_are_the_ranks_in_order_cut_where_the_machine_changes(names):
    runs = Hosts(names, 0).runs()
    assert [rank for run in runs for rank in run] == list(range(len(names)))
    assert all(len({names[rank] for rank in run}) == 1 for run in runs)
    assert all(names[a[-1]] != names[b[0]] for a, b in pairwise(runs))


def test_a_rank_is_its_own_agent_on_its_machine():
    hosts = Hosts(["a", "b", "a"], 2)
    assert hosts.here == [0, 2]
    assert hosts.agent(2, 0) == 2
