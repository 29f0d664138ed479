"""Simplified Chinese translation of the whole interface."""

from .actions import ACTIONS
from .settings import SETTINGS
from .words import WORDS

CHINESE: dict[str, str] = {**SETTINGS, **ACTIONS, **WORDS}
