"""Numbers for people: durations, sizes, progress."""

from __future__ import annotations

IN_BYTES = ("downloading", "checking")
"""Stages whose steps are bytes."""


def how_far(stage: str, step: int, of: int) -> str:
    """Return the count of a stage for a person: `3/28`, or `1.2/23.8 GB` of one in bytes."""
    if stage not in IN_BYTES:
        return f"{step}/{of}"
    unit, name = (10**9, "GB") if of >= 10**9 else (10**6, "MB")
    return f"{step / unit:.1f}/{of / unit:.1f} {name}"


def time_left(seconds: float) -> str:
    """Return a duration as people say it: `8 s`, `3 min 20 s`, `1 h 5 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def size(count: float) -> str:
    """Return a number of bytes as people say it."""
    for unit in ("bytes", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
