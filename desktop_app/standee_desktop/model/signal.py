"""Signals of the model: a list of listeners, called in order, in the thread that emits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Signal(Generic[T]):
    """Something that happens. `event.connect(listener)`; `event.emit(value)` calls the listeners."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[T], object]] = []

    def connect(self, listener: Callable[[T], object]) -> Callable[[], None]:
        """Call `listener` from now on; return the function that ends it."""
        self._listeners.append(listener)
        return lambda: self.disconnect(listener)

    def disconnect(self, listener: Callable[[T], object]) -> None:
        """Stop calling `listener`; one that is not connected is no error."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def emit(self, value: T) -> None:
        """Call every listener that was connected when this began."""
        for listener in tuple(self._listeners):
            listener(value)
