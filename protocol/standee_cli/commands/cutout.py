"""`standee cutout`: masks of subjects."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from standee.composition import Rect, validate
from standee.document.document import Document
from standee.wire.events import Result
from standee.wire.messages import Cutout, Point

from ..console import FILE, Console, answers, common, shows_progress
from ..job_runs import STDIO, check_output, connect, run_job, write_output
from ..options import YES, parse_box, parse_point, resolve_model


@click.command()
@click.argument("picture", type=FILE)
@click.option(
    "-o", "--output", type=FILE, help="The mask to write, - for stdout. [default: PICTURE-mask.png]"
)
@click.option(
    "--box",
    type=parse_box,
    metavar="X,Y,W,H",
    help="Where the subject is, in the picture's own px.",
)
@click.option("--words", default="", help="What the subject is, as in --words 'a red mug'.")
@click.option(
    "--inside",
    type=parse_point,
    multiple=True,
    metavar="X,Y",
    help="A point on it; may be repeated.",
)
@click.option(
    "--outside", type=parse_point, multiple=True, metavar="X,Y", help="A point that is not on it."
)
@click.option(
    "--model",
    help="An ONNX file of a network such as ISNet, U2-Net or BiRefNet, a mask-generation model such as "
    "facebook/sam2.1-hiera-small, or grabcut. [default: what the daemon's models.toml names, or grabcut]",
)
@click.option(
    "--mask", type=FILE, help="A mask to go on from: points change the piece they lie on."
)
@click.option("--finder", help="The model that looks for the words. [default: Grounding DINO tiny]")
@YES
@shows_progress
@common
@answers
@click.pass_context
def cutout(
    context: click.Context,
    console: Console,
    picture: Path,
    output: Path | None,
    box: Rect | None,
    words: str,
    inside: tuple[tuple[float, float], ...],
    outside: tuple[tuple[float, float], ...],
    model: str | None,
    mask: Path | None,
    finder: str | None,
    download: bool,
) -> None:
    """Cut the subject out of a picture.

    It writes a mask, white where the subject is. Name it in a composition as the "mask" of
    the "picture". PICTURE may be - for stdin.

    \b
    Examples:
      standee cutout cat.jpg
      standee cutout cat.jpg --box 120,80,400,520 -o cat-mask.png
      standee cutout cat.jpg --model isnet.onnx --inside 140,300 --outside 20,20
      standee cutout table.jpg --words "a red mug" --model facebook/sam2.1-hiera-small
    """
    given = picture == STDIO
    out = output or Path("mask.png" if given else f"{picture.stem}-mask.png")
    check_output(console, out)
    with Document() as document:
        digest = document.add_picture(sys.stdin.buffer.read() if given else picture)
        spec = Cutout(
            picture=digest,
            box=box,
            points=(*(Point(*at) for at in inside), *(Point(*at, inside=False) for at in outside)),
            model=resolve_model(model),
            words=words,
            finder=resolve_model(finder),
            mask=document.add_picture(mask) if mask else None,
        )
        spec = validate(spec, Cutout)
        client = connect(context, start=True)

        def keep(results: list[Result]) -> dict[str, Any]:
            [result] = results
            write_output(out, result.data)
            return {"path": str(out), "width": result.width, "height": result.height}

        made = run_job(
            client, spec, document.blobs, keep, download=download, shown=console.progress
        )
    if out != STDIO:
        console.answer({"results": [made]}, [str(out)])
