"""Every action as an operator: scriptable, undoable, and saying why it is greyed out."""

from . import (
    arrange,
    bind,
    compose,
    document,
    layers,
    loras,
    presets,
    results,
    scenes,
    sequences,
    subjects,
)

MODULES = (
    layers,
    subjects,
    bind,
    scenes,
    compose,
    sequences,
    results,
    document,
    presets,
    loras,
    arrange,
)
CLASSES = tuple(kind for module in MODULES for kind in module.CLASSES)
