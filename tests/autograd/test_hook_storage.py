import copy

from distgrad.autograd.hooks import Hooks, RemovableHandle


def test_order():
    hooks = Hooks()
    hooks.add("b")
    hooks.add("c")
    hooks.add("a", prepend=True)
    assert list(hooks.values()) == ["a", "b", "c"]


def test_a_number_never_comes_again():
    hooks = Hooks()
    first = hooks.add("a")
    first.remove()
    hooks.add("b")
    first.remove()
    assert list(hooks.values()) == ["b"]
    other = copy.deepcopy(hooks)
    other.add("c")
    assert list(other.values()) == ["b", "c"]
    assert list(hooks.values()) == ["b"]


def test_a_block_removes_the_hook_after_an_error_too():
    hooks = Hooks()
    try:
        with hooks.add("a") as handle:
            assert isinstance(handle, RemovableHandle)
            assert len(hooks) == 1
            raise ValueError
    except ValueError:
        pass
    assert not hooks
