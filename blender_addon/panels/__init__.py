"""Sidebar panels of the 3D view, in the order of work: compose, subjects, scene, results, time."""

from . import animation, compose, lists, results, scene, subjects

CLASSES = tuple(
    kind
    for module in (lists, compose, subjects, scene, results, animation)
    for kind in module.CLASSES
)
