"""Parsers of the values of options: sizes, seeds, LoRAs, control pictures, boxes, points."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

import click

from standee.composition import ControlKind, Lora, Rect
from standee.files import whole_path

KINDS: tuple[str, ...] = get_args(ControlKind)

WEIGHTS = (".safetensors", ".gguf", ".onnx")
"""How the names of models that are one file end."""

MARKED = click.option(
    "--mark/--no-mark",
    "marked",
    default=True,
    envvar="STANDEE_MARK",
    help="Say in the picture's metadata that a model made it. [default: --mark]",
)
"""Whether pictures that are written say where they come from, which the law asks for in some places."""

YES = click.option(
    "--yes", "download", is_flag=True, help="Download what is not on this machine yet."
)
"""The yes to downloads: nothing that a document names is brought from the hub without it."""


def parse_size(text: str) -> tuple[int, int]:
    """Read `512x384`, or `512` for a square."""
    if not (found := re.fullmatch(r"(\d{1,5})(?:[xX×](\d{1,5}))?", text)):
        raise click.BadParameter(f"{text!r} is not a size. Write 512x384, or 512 for a square.")
    return int(found[1]), int(found[2] or found[1])


def parse_seed(text: str) -> int:
    """Read a number, or make one for `random`."""
    if text == "random":
        return random.SystemRandom().randrange(2**32)
    if not text.isdecimal():
        raise click.BadParameter(f"{text!r} is not a seed. Write a whole number, or random.")
    return int(text)


def parse_lora(text: str) -> Lora:
    """Read `PATH` or `PATH:WEIGHT`; a path relative to this folder is made whole."""
    path, colon, weight = text.rpartition(":")
    try:
        path, counts = (path, float(weight)) if colon else (text, 1.0)
    except ValueError:
        path, counts = text, 1.0  # the colon of C:\\loras\\toon.safetensors
    if not path:
        raise click.BadParameter(f"{text!r} names no LoRA. Write PATH or PATH:WEIGHT.")
    return Lora(whole_path(path, Path()), counts)


@dataclass(frozen=True)
class ControlFile:
    """A control picture as it is named on the command line."""

    kind: ControlKind
    file: Path
    settings: dict[str, Any]


def parse_control(text: str) -> ControlFile:
    """Read `KIND=FILE[,strength=N][,start=N][,end=N]`; commas of the file's name are its own."""
    kind, equals, rest = text.partition("=")
    way = "Write KIND=FILE, with ,strength=N ,start=N or ,end=N behind it."
    if kind not in KINDS or not equals:
        raise click.BadParameter(f"{text!r} begins with none of {', '.join(KINDS)}. {way}")
    settings: dict[str, Any] = {}
    while found := re.fullmatch(r"(.+),(strength|start|end)=([^,=]+)", rest):
        rest, name = found[1], found[2]
        try:
            settings[name] = float(found[3])
        except ValueError:
            raise click.BadParameter(f"{found[3]!r} is no number. {way}") from None
    if not Path(rest).is_file():
        raise click.BadParameter(f"There is no picture {rest!r}. {way}")
    return ControlFile(cast(ControlKind, kind), Path(rest), settings)


def parse_box(text: str) -> Rect:
    """Read `x,y,width,height`."""
    try:
        x, y, w, h = (float(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a box. Write x,y,width,height in px.") from None
    return Rect(x, y, w, h)


def parse_point(text: str) -> tuple[float, float]:
    """Read `x,y`."""
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a point. Write x,y in px.") from None
    return x, y


def resolve_model(model: str | None) -> str | None:
    """Return a model's folder or file as the daemon can find it, which runs in another folder."""
    if model is None:
        return None
    try:
        there = Path(model).expanduser()
        here = any(any(there.glob(one)) for one in ("*.json", "*.onnx")) or (
            there.suffix in WEIGHTS and there.is_file()
        )
        return str(there.resolve()) if here else model
    except (OSError, RuntimeError, ValueError):  # too long, no such user, a zero byte
        return model
