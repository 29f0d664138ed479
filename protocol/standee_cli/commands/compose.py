"""The commands that make pictures: `standee compose` and `standee cutout`."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import click
import msgspec

from standee.composition import Composition, Lora, Rect, validate
from standee.document.document import Document
from standee.document.load import open_input, resized, whole_path
from standee.errors import InvalidField, MissingBlob
from standee.wire.events import Result
from standee.wire.messages import Cutout, Point

from ..console import FILE, Console, answers, common
from ..job_runs import check_writable, connect, run_job, write_file, write_results

MADE_BEFORE = (".png", ".jpg", ".jpeg", ".webp")
"""Files that are pictures with a receipt; what is made from them gets another name."""


def a_size(text: str) -> tuple[int, int]:
    """Read `512x384`, or `512` for a square."""
    if not (found := re.fullmatch(r"(\d{1,5})(?:[xX×](\d{1,5}))?", text)):
        raise click.BadParameter(f"{text!r} is not a size. Write 512x384, or 512 for a square.")
    return int(found[1]), int(found[2] or found[1])


def a_seed(text: str) -> int:
    """Read a number, or make one for `random`."""
    if text == "random":
        return random.SystemRandom().randrange(2**32)
    if not text.isdecimal():
        raise click.BadParameter(f"{text!r} is not a seed. Write a whole number, or random.")
    return int(text)


def a_lora(text: str) -> Lora:
    """Read `PATH` or `PATH:WEIGHT`; a path relative to this folder is made whole."""
    path, colon, weight = text.rpartition(":")
    try:
        path, counts = (path, float(weight)) if colon else (text, 1.0)
    except ValueError:
        path, counts = text, 1.0  # the colon of C:\\loras\\toon.safetensors
    if not path:
        raise click.BadParameter(f"{text!r} names no LoRA. Write PATH or PATH:WEIGHT.")
    return Lora(whole_path(path, Path()), counts)


def a_box(text: str) -> Rect:
    """Read `x,y,width,height`."""
    try:
        x, y, w, h = (float(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a box. Write x,y,width,height in px.") from None
    return Rect(x, y, w, h)


def a_point(text: str) -> tuple[float, float]:
    """Read `x,y`."""
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a point. Write x,y in px.") from None
    return x, y


@click.command()
@click.argument("file", type=FILE)
@click.option("-o", "--output", type=FILE, help="The PNG to write. [default: named after FILE]")
@click.option("--prompt", help="Words for the whole picture.")
@click.option("--seed", type=a_seed, metavar="N|random", help="Another number, another picture.")
@click.option("--steps", type=int, help="More steps take longer and look finer.")
@click.option("--guidance", type=float, help="How closely the picture follows the prompt.")
@click.option("--model", help="A name of `standee models`, a folder or a hub id.")
@click.option(
    "--lora",
    "loras",
    type=a_lora,
    multiple=True,
    metavar="PATH[:WEIGHT]",
    help="Lay a LoRA over the model: a file, a folder or a hub id. Give it again for more.",
)
@click.option("--no-loras", is_flag=True, help="Leave out the LoRAs that FILE names.")
@click.option("--count", type=int, help="Make several pictures, with seeds one after another.")
@click.option(
    "--size", type=a_size, metavar="WxH", help="Another canvas; the arrangement is scaled along."
)
@click.option(
    "--pictures",
    type=click.Path(exists=True, path_type=Path),
    help="A folder or document with the pictures that FILE names.",
)
@click.option("--save", type=FILE, help="Also keep the results in this .standee document.")
@click.option("--priority", type=click.IntRange(-100, 100), default=0, help="Higher goes first.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@common
@answers
@click.pass_context
def compose(
    context: click.Context,
    console: Console,
    /,
    file: Path,
    output: Path | None,
    pictures: Path | None,
    save: Path | None,
    priority: int,
    quiet: bool,
    **changes: Any,
) -> None:
    """Make the picture of a document.

    FILE is a .standee document, a composition in JSON (it may name picture files beside it, such as
    "picture": "cat.png"), or a picture that Standee made: its receipt makes the same pixels again.

    \b
    Examples:
      standee compose scene.standee -o beach.png
      standee compose scene.standee --prompt "at night" --seed random --count 4
      standee compose scene.standee --model FLUX.1-dev --lora toon.safetensors:0.8
      standee compose beach.png --pictures scene.standee -o again.png

    Press Ctrl-C to cancel.
    """
    with open_input(file, pictures) as document:
        made_before = file.suffix.lower() in MADE_BEFORE
        out = output or Path(f"{file.stem}{'-again' if made_before else ''}.png")
        for path in filter(None, (out, save)):
            check_writable(path)
        if save is not None and save.exists() and not save.samefile(file):
            _take_over(document, save)
        document.composition = changed(document.composition, **changes)
        client = connect(context, start=True)
        try:
            results = run_job(
                client, document.composition, document.blobs, priority=priority, quiet=quiet
            )
        except MissingBlob as error:
            raise MissingBlob(
                error.message, path=error.path, fix="Say where it is: --pictures FOLDER."
            ) from None
        made = write_results(results, out)
        if save is not None:
            for result in results:
                document.add_result(result.data, result.receipt, f"{file.stem}-{result.seed}")
            document.save(save)
        if made_before:
            _compare(file, results, console)
    console.answer({"results": made}, [picture["path"] for picture in made])


@click.command()
@click.argument("picture", type=FILE)
@click.option("-o", "--output", type=FILE, help="The mask to write. [default: PICTURE-mask.png]")
@click.option(
    "--box", type=a_box, metavar="X,Y,W,H", help="Where the subject is, in the picture's own px."
)
@click.option("--words", default="", help="What the subject is, as in --words 'a red mug'.")
@click.option(
    "--inside", type=a_point, multiple=True, metavar="X,Y", help="A point on it; may be repeated."
)
@click.option(
    "--outside", type=a_point, multiple=True, metavar="X,Y", help="A point that is not on it."
)
@click.option(
    "--model",
    help="A mask-generation model such as facebook/sam2.1-hiera-small. [default: GrabCut]",
)
@click.option("--finder", help="The model that looks for the words. [default: Grounding DINO tiny]")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
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
    finder: str | None,
    quiet: bool,
) -> None:
    """Cut the subject out of a picture.

    It writes a mask, white where the subject is. Name it in a composition as the "mask" of
    the "picture".

    \b
    Examples:
      standee cutout cat.jpg
      standee cutout cat.jpg --box 120,80,400,520 -o cat-mask.png
      standee cutout table.jpg --words "a red mug" --model facebook/sam2.1-hiera-small
    """
    out = output or Path(f"{picture.stem}-mask.png")
    check_writable(out)
    with Document() as document:
        digest = document.add_picture(picture)
        spec = Cutout(
            picture=digest,
            box=box,
            points=(*(Point(*at) for at in inside), *(Point(*at, inside=False) for at in outside)),
            model=located(model),
            words=words,
            finder=located(finder),
        )
        spec = validate(spec, Cutout)
        client = connect(context, start=True)
        [result] = run_job(client, spec, document.blobs, quiet=quiet)
    write_file(out, result.data)
    made = {"path": str(out), "width": result.width, "height": result.height}
    console.answer({"results": [made]}, [str(out)])


def changed(
    composition: Composition,
    *,
    prompt: str | None = None,
    size: tuple[int, int] | None = None,
    loras: tuple[Lora, ...] = (),
    no_loras: bool = False,
    **sampling: Any,
) -> Composition:
    """Return the composition as the options say, checked. `None` leaves a setting as it is."""
    replace = msgspec.structs.replace
    given = {name: value for name, value in sampling.items() if value is not None}
    if loras or no_loras:
        given["loras"] = loras
    if "model" in given:
        given["model"] = located(given["model"])
    composition = replace(composition, sampling=replace(composition.sampling, **given))
    if prompt is not None:
        composition = replace(composition, prompt=prompt)
    if size is not None:
        if min(size) < 1:
            raise InvalidField("A canvas needs a width and a height.", fix="Write --size 512x384.")
        composition = resized(composition, *size)
    checked: Composition = validate(composition)
    return checked


def located(model: str | None) -> str | None:
    """Return a model's folder as the daemon can find it, which runs in another folder."""
    if model is None:
        return None
    folder = Path(model).expanduser()
    return str(folder.resolve()) if any(folder.glob("*.json")) else model


def _take_over(document: Document, path: Path) -> None:
    """Add what the document at `path` holds: saving there must not lose earlier results."""
    with Document.open(path) as earlier:
        for digest in earlier.blobs:
            document.add_picture(earlier.read(digest))
        for name, result in earlier.results.items():
            document.add_result(result.data, result.receipt, name)


def _compare(file: Path, results: list[Result], console: Console) -> None:
    """Tell when a picture made again may differ from the first because the model is not the same."""
    from standee.document.receipt import extract

    before = extract(file.read_bytes()).get("model")
    if any(result.receipt.get("model") != before for result in results):
        console.say("Note: the model has changed since, so the picture may look different.")
