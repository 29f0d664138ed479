"""Desktop editor: arrange subjects as layered rectangles on a canvas and compose them.

`model/` is pure Python; everything else shows it with Qt. `shell/assembly.py` puts the parts together.
"""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the editor; `argv` are the arguments after the program's name. Returns the exit code."""
    from .shell.application import run

    return run(argv)
