"""Every word of the interface in Simplified Chinese."""

from .actions import ACTIONS
from .settings import SETTINGS
from .words import WORDS

CHINESE: dict[str, str] = {**SETTINGS, **ACTIONS, **WORDS}
