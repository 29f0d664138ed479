"""A progress bar that remembers what it was told."""

from typing import Any, ClassVar


class ProgressBar:
    shown: ClassVar[list[tuple[float, float, Any]]] = []

    def __init__(self, total: float) -> None:
        self.total = total

    def update_absolute(
        self, value: float, total: float | None = None, preview: Any = None
    ) -> None:
        self.total = self.total if total is None else total
        self.shown.append((value, self.total, preview))
