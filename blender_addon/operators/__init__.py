"""Operators: every action scriptable, undoable, and with a reason when it is greyed out."""

from . import (
    animation,
    arrange,
    binding,
    compose,
    cutout,
    document,
    first_steps,
    layers,
    loras,
    presets,
    results,
    scene,
    standees,
    subjects,
)

MODULES = (
    layers,
    subjects,
    cutout,
    standees,
    binding,
    scene,
    compose,
    animation,
    results,
    document,
    first_steps,
    presets,
    loras,
    arrange,
)
CLASSES = tuple(kind for module in MODULES for kind in module.CLASSES)
