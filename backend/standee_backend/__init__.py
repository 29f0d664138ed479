"""The Standee backend: the daemon, and the engine that composes pictures on this machine's own device.

`daemon` and what it stands on import no torch; only the worker child process does, and `StandeePipeline`, which is for
notebooks and loads when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .library_noise import hush

if TYPE_CHECKING:
    from .pipeline import ControlImage as ControlImage
    from .pipeline import StandeePipeline as StandeePipeline
    from .pipeline import Subject as Subject

__all__ = ["ControlImage", "StandeePipeline", "Subject"]

hush()  # before anything of the backend imports what there is to hush


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(".pipeline", __name__), name)
