"""`Hooked`: functions that a module calls before and behind it, forwards and backwards."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from distgrad.autograd.hooks import Hooks, RemovableHandle
from distgrad.nn.boundary import Boundary
from distgrad.nn.tree import Tree

if TYPE_CHECKING:
    from distgrad.nn.module import Module

__all__ = ["Hooked", "call_with_hooks"]

Hook = Callable[..., Any]


class _ForwardHook(NamedTuple):
    function: Hook
    with_kwargs: bool
    always_call: bool = False


class Hooked(Tree):
    """The part of `Module` that keeps hooks."""

    # Of the class while there are none: most modules never get one.
    _forward_pre_hooks: Hooks[_ForwardHook] = Hooks()
    _forward_hooks: Hooks[_ForwardHook] = Hooks()
    _backward_pre_hooks: Hooks[Hook] = Hooks()
    _backward_hooks: Hooks[Hook] = Hooks()

    def register_forward_pre_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before every ``forward``.

        It may return what stands in place of the positional arguments: a tuple of them, or the
        only one.

        Args:
            hook: The function.
            prepend: Call it before those that are registered already.
            with_kwargs: Call ``hook(module, args, kwargs)``, which returns None or the tuple
                (args, kwargs).

        Returns:
            A handle whose ``remove()`` takes the hook away.

        Example:
            >>> import distgrad as dg
            >>> layer = dg.nn.ReLU()
            >>> handle = layer.register_forward_pre_hook(lambda module, args: args[0] + 1)
            >>> layer(dg.zeros(1))
            tensor([1.])
        """
        return self._add_hook("_forward_pre_hooks", _ForwardHook(hook, with_kwargs), prepend)

    def register_forward_hook(
        self,
        hook: Hook,
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after every ``forward``.

        It may return what stands in place of the output.

        Args:
            hook: The function.
            prepend: Call it before those that are registered already.
            with_kwargs: Call ``hook(module, args, kwargs, output)``.
            always_call: Call it also where an exception is raised on the way; ``output`` is None
                if there is none yet. An exception of its own is then noted on the first one.

        Returns:
            A handle whose ``remove()`` takes the hook away.

        Example:
            >>> import distgrad as dg
            >>> seen = []
            >>> model = dg.nn.Sequential(dg.nn.Linear(3, 2), dg.nn.ReLU())
            >>> with model[0].register_forward_hook(lambda module, args, y: seen.append(y.shape)):
            ...     y = model(dg.ones(5, 3))
            >>> seen
            [(5, 2)]
        """
        kept = _ForwardHook(hook, with_kwargs, always_call)
        return self._add_hook("_forward_hooks", kept, prepend)

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` when the gradients of the module's outputs are known.

        ``grad_output`` is a tuple with a gradient, or None, for each output; the hook may return
        another one, with which the backward pass goes on. What stands in place of the only one
        may be returned without a tuple.

        Args:
            hook: The function.
            prepend: Call it before those that are registered already.

        Returns:
            A handle whose ``remove()`` takes the hook away.
        """
        return self._add_hook("_backward_pre_hooks", hook, prepend)

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` when its inputs' gradients are known.

        Both are tuples. ``grad_input`` has a gradient for each positional argument, zeros for a
        Tensor that gets none, and None for what is no Tensor; ``grad_output`` has one for each
        output, None for one that is not used. The hook may return what stands in place of
        ``grad_input``. Where no argument requires a gradient it is called as soon as those of the
        outputs are known, with None for each argument.

        Args:
            hook: The function.
            prepend: Call it before those that are registered already.

        Returns:
            A handle whose ``remove()`` takes the hook away.

        Example:
            >>> import distgrad as dg
            >>> layer = dg.nn.Tanh()
            >>> handle = layer.register_full_backward_hook(
            ...     lambda module, grad_input, grad_output: print(grad_input, grad_output))
            >>> layer(dg.zeros(1, requires_grad=True)).backward(dg.ones(1))
            (tensor([1.]),) (tensor([1.]),)
        """
        return self._add_hook("_backward_hooks", hook, prepend)

    def _add_hook(self, registry: str, hook: Any, prepend: bool = False) -> RemovableHandle:
        hooks: Hooks[Any] = self.__dict__.setdefault(registry, Hooks())
        return hooks.add(hook, prepend)


def call_with_hooks(module: "Module", args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a module's forward between its hooks."""
    call = _Call(module, args, kwargs)
    try:
        return call.run()
    except Exception as error:
        call.finish_after(error)
        raise


class _Call:
    """One call of a module: its arguments and its output, as the hooks leave them."""

    def __init__(self, module: "Module", args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.module = module
        self.args = args
        self.kwargs = kwargs
        self.output: Any = None
        self._called: set[int] = set()

    def run(self) -> Any:
        module = self.module
        # As they are now: a hook that is registered on the way serves the next call.
        pre_hooks = tuple(module._backward_pre_hooks.values())
        hooks = tuple(module._backward_hooks.values())
        for hook in tuple(module._forward_pre_hooks.values()):
            self._prepare(hook)
        boundary = Boundary(module, pre_hooks, hooks) if pre_hooks or hooks else None
        if boundary is not None:
            self.args = boundary.enter(self.args)
        self.output = module.forward(*self.args, **self.kwargs)
        for number, hook in tuple(module._forward_hooks.items()):
            self._called.add(number)
            self._follow(hook)
        if boundary is not None:
            self.output = boundary.leave(self.output)
        return self.output

    def finish_after(self, error: Exception) -> None:
        """Call the hooks that are always called and have not been."""
        for number, hook in tuple(self.module._forward_hooks.items()):
            if hook.always_call and number not in self._called:
                try:
                    self._follow(hook)
                except Exception as another:
                    error.add_note(f"a forward hook with always_call=True also raised {another!r}")

    def _prepare(self, hook: _ForwardHook) -> None:
        if not hook.with_kwargs:
            args = hook.function(self.module, self.args)
            if args is not None:
                self.args = args if isinstance(args, tuple) else (args,)
            return
        both = hook.function(self.module, self.args, self.kwargs)
        if both is None:
            return
        if not isinstance(both, tuple) or len(both) != 2:
            raise RuntimeError(
                "a forward pre-hook with with_kwargs=True must return None or a tuple "
                f"(args, kwargs), got {both!r}"
            )
        self.args, self.kwargs = both

    def _follow(self, hook: _ForwardHook) -> None:
        kwargs = (self.kwargs,) if hook.with_kwargs else ()
        output = hook.function(self.module, self.args, *kwargs, self.output)
        if output is not None:
            self.output = output
