"""`Stateful`: the state of a module as a dictionary, and the loading of one."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from distgrad.autograd.hooks import Hooks, RemovableHandle
from distgrad.nn.hooks import Hooked
from distgrad.nn.loading import IncompatibleKeys, Loading, Place
from distgrad.nn.tree import join
from distgrad.tensor import Tensor

__all__ = ["Stateful"]

Hook = Callable[..., None]


class Stateful(Hooked):
    """The part of `Module` that saves and loads parameters and persistent buffers."""

    _state_dict_pre_hooks: Hooks[Hook] = Hooks()
    _state_dict_post_hooks: Hooks[Hook] = Hooks()
    _load_state_dict_pre_hooks: Hooks[Hook] = Hooks()
    _load_state_dict_post_hooks: Hooks[Hook] = Hooks()

    def state_dict(
        self,
        *,
        destination: dict[str, Any] | None = None,
        prefix: str = "",
        keep_vars: bool = False,
    ) -> dict[str, Any]:
        """Return all parameters and persistent buffers under their dotted names.

        The Tensors are detached and share memory with the module; a shared parameter stands under
        each of its names.

        Args:
            destination: A dictionary to add them to, which is returned. Default: a new one.
            prefix: What the names begin with.
            keep_vars: Return the parameters and buffers themselves, not detached.

        Example:
            >>> from distgrad import nn
            >>> state = nn.Sequential(nn.Linear(2, 3), nn.ReLU()).state_dict()
            >>> {name: value.shape for name, value in state.items()}
            {'0.weight': (3, 2), '0.bias': (3,)}
        """
        state: dict[str, Any] = {} if destination is None else destination
        for hook in tuple(self._state_dict_pre_hooks.values()):
            hook(self, prefix, keep_vars)
        for name, value in self._own_state():
            state[prefix + name] = value if keep_vars else value.detach()
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=state, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in tuple(self._state_dict_post_hooks.values()):
            hook(self, state, prefix, {})
        return state

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy values into the parameters and persistent buffers, in place.

        Values are Tensors or arrays of the same shape; they are converted to the data type of what
        they are copied into. Everything is checked first: if it raises, nothing was changed. (A
        hook of `register_load_state_dict_post_hook` may still change which names are missing or
        unexpected; with one, that is judged after the copy.)

        Args:
            state_dict: The values under the names that `state_dict` gives.
            strict: Whether each name must be given, and no other.
            assign: Put what is given in place of the parameters and buffers instead of copying:
                they take its data type and share its memory, and an optimizer made before does
                not know them. What was shared is then so no longer.

        Returns:
            ``missing_keys`` and ``unexpected_keys``, two lists of names.

        Raises:
            TypeError: If ``state_dict`` is not a mapping.
            RuntimeError: One for all that does not fit: names that are missing or unexpected, if
                ``strict``; and in any case shapes that differ, and values that are no numbers.
        """
        return Loading(self, state_dict, strict, assign).run()

    def _own_state(self) -> Iterator[tuple[str, Tensor]]:
        """Yield the module's own parameters and persistent buffers, not those below it."""
        for name, parameter in self._parameters.items():
            if parameter is not None:
                yield name, parameter
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._transient_buffers:
                yield name, buffer

    def _places(self) -> Iterator[Place]:
        """Yield where the state of the module and of all below it stands."""
        for path, module in self._walk(""):
            for name, value in module._own_state():
                yield Place(join(path, name), module, name, value)

    # Hooks

    def register_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before `state_dict` reads the module."""
        return self._add_hook("_state_dict_pre_hooks", hook)

    def register_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` when the module is in it.

        The hook may change the dictionary, in which the module's names begin with ``prefix``;
        ``local_metadata`` is empty.
        """
        return self._add_hook("_state_dict_post_hooks", hook)

    def register_load_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Call a hook before `load_state_dict` compares what is given with the module.

        It is called with (module, state_dict, prefix, local_metadata, strict, missing_keys,
        unexpected_keys, error_msgs), and may change the dictionary, which is a copy and holds the
        names that begin with ``prefix``: to rename what an older version of the module wrote, for
        example. What it adds to the three lists is reported; ``local_metadata`` is empty.

        Example:
            >>> import distgrad as dg
            >>> layer = dg.nn.Linear(2, 1, bias=False)
            >>> def rename(module, state_dict, prefix, *others):
            ...     state_dict[prefix + "weight"] = state_dict.pop(prefix + "matrix")
            >>> handle = layer.register_load_state_dict_pre_hook(rename)
            >>> layer.load_state_dict({"matrix": dg.ones(1, 2)})
            IncompatibleKeys(missing_keys=[], unexpected_keys=[])
        """
        return self._add_hook("_load_state_dict_pre_hooks", hook)

    def register_load_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` when `load_state_dict` has copied the values.

        The hook may change the lists ``missing_keys`` and ``unexpected_keys``, which hold the names
        of the whole model; what is still in them is refused where loading is strict.
        """
        return self._add_hook("_load_state_dict_post_hooks", hook)
