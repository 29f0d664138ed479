"""What went wrong, for the panel."""

from dataclasses import dataclass


@dataclass
class Notice:
    """What went wrong, and what to do."""

    message: str
    fix: str = ""
