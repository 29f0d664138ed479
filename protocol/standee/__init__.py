"""Standee: stand your subjects in a scene.

The public face for scripts, add-ons and editors:

    from standee import Canvas, Client, Composition, Layer, Rect

    with Client.connect(start=True) as client:
        digest = client.put_blob(Path("cat.png").read_bytes())
        cat = Layer(picture=digest, rect=Rect(160, 128, 256, 320), prompt="a cat")
        beach = Composition(canvas=Canvas(512, 512), prompt="a cat on the beach", layers=(cat,))
        [result] = client.compose(beach)
        Path("out.png").write_bytes(result.data)

Names load when they are first used: geometry does not bring sockets with it, nor messages numpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client.client import Client as Client
    from .composition import Canvas as Canvas
    from .composition import Composition as Composition
    from .composition import Control as Control
    from .composition import Layer as Layer
    from .composition import Lora as Lora
    from .composition import Method as Method
    from .composition import Rect as Rect
    from .composition import Sampling as Sampling
    from .composition import Scene as Scene
    from .document.document import Document as Document
    from .errors import StandeeError as StandeeError
    from .wire.events import Result as Result
    from .wire.session import Task as Task

__version__ = "0.1.0"

_HOMES = {
    "Canvas": "composition",
    "Client": "client.client",
    "Composition": "composition",
    "Control": "composition",
    "Document": "document.document",
    "Layer": "composition",
    "Lora": "composition",
    "Method": "composition",
    "Rect": "composition",
    "Result": "wire.events",
    "Sampling": "composition",
    "Scene": "composition",
    "StandeeError": "errors",
    "Task": "wire.session",
}

__all__ = [
    "Canvas",
    "Client",
    "Composition",
    "Control",
    "Document",
    "Layer",
    "Lora",
    "Method",
    "Rect",
    "Result",
    "Sampling",
    "Scene",
    "StandeeError",
    "Task",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
