"""`standee compose`: the picture of a document."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from standee.composition import Composition, Control, Lora, resized, validate
from standee.document.document import Document
from standee.document.load import load_document
from standee.errors import InvalidField, MissingBlob
from standee.files import check_writable
from standee.wire.events import Result

from ..completion import model_names
from ..console import FILE, Console, answers, common, shows_progress
from ..job_runs import STDIO, check_output, connect, run_job, write_results
from ..options import (
    MARKED,
    YES,
    ControlFile,
    parse_control,
    parse_lora,
    parse_seed,
    parse_size,
    resolve_model,
)

MADE_BEFORE = (".png", ".jpg", ".jpeg", ".webp")
"""Files that are pictures with a receipt; what is made from them gets another name."""


@click.command()
@click.argument("file", type=FILE)
@click.option(
    "-o", "--output", type=FILE, help="The PNG to write, - for stdout. [default: named after FILE]"
)
@click.option("--prompt", help="Words for the whole picture.")
@click.option(
    "--seed", type=parse_seed, metavar="N|random", help="Another number, another picture."
)
@click.option("--steps", type=int, help="More steps take longer and look finer.")
@click.option("--guidance", type=float, help="How closely the picture follows the prompt.")
@click.option(
    "--model",
    shell_complete=model_names,
    help="A name of `standee models`, a folder or a hub id.",
)
@click.option(
    "--lora",
    "loras",
    type=parse_lora,
    multiple=True,
    metavar="PATH[:WEIGHT]",
    help="Lay a LoRA over the model: a file, a folder or a hub id. Give it again for more.",
)
@click.option("--no-loras", is_flag=True, help="Leave out the LoRAs that FILE names.")
@click.option(
    "--control",
    "controls",
    type=parse_control,
    multiple=True,
    metavar="KIND=FILE[,strength=N,start=N,end=N]",
    help="A picture of depth, normal, lines or pose that the canvas follows. Give it again for more.",
)
@click.option("--no-control", is_flag=True, help="Leave out the control pictures that FILE names.")
@click.option("--count", type=int, help="Make several pictures, with seeds one after another.")
@click.option(
    "--size",
    type=parse_size,
    metavar="WxH",
    help="Another canvas; the arrangement is scaled along.",
)
@click.option(
    "--pictures",
    type=click.Path(exists=True, path_type=Path),
    help="A folder or document with the pictures that FILE names.",
)
@click.option("--save", type=FILE, help="Also keep the results in this .standee document.")
@click.option("--priority", type=click.IntRange(-100, 100), default=0, help="Higher goes first.")
@shows_progress
@click.option(
    "--detach", is_flag=True, help="Hand it in and leave; `standee jobs JOB -o FILE` fetches it."
)
@YES
@MARKED
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
    detach: bool,
    download: bool,
    marked: bool,
    controls: tuple[ControlFile, ...],
    no_control: bool,
    **changes: Any,
) -> None:
    """Make the picture of a document.

    FILE is a .standee document, a composition in JSON (it may name picture files beside it, such as
    "picture": "cat.png"), or a picture that Standee made: its receipt makes the same pixels again.
    With - it is read from stdin.

    \b
    Examples:
      standee compose scene.standee -o beach.png
      standee compose scene.standee --prompt "at night" --seed random --count 4
      standee compose scene.standee --model FLUX.1-dev --lora toon.safetensors:0.8
      standee compose scene.standee --control depth=depth.png,strength=0.8,end=0.8
      standee compose beach.png --pictures scene.standee -o again.png

    Press Ctrl-C to cancel.
    """
    with load_document(file, pictures) as document:
        made_before = file.suffix.lower() in MADE_BEFORE
        document.composition = with_options(document.composition, **changes)
        if controls or no_control:
            document.composition = with_controls(document, controls)
        if detach and (output or save):
            raise click.UsageError("What is detached is written later: leave out -o and --save.")
        out = output or _default_output(file, made_before)
        sampling, canvas = document.composition.sampling, document.composition.canvas
        if not detach:
            check_output(console, out, sampling.count, 3 * canvas.width * canvas.height)
        if save is not None:
            check_writable(save)
            if save.exists() and not (file != STDIO and save.samefile(file)):
                _take_over(document, save)
        client = connect(context, start=True)

        def keep(results: list[Result]) -> list[dict[str, Any]]:
            made = write_results(results, out, marked=marked)
            if save is not None:
                for result in results:
                    name = f"{'stdin' if file == STDIO else file.stem}-{result.seed}"
                    document.add_result(result.data, result.receipt, name)
                document.save(save)
            if made_before:
                _compare(file, results, console)
            return made

        spec, blobs = document.composition, document.blobs
        try:
            if detach:
                job = client.submit(spec, blobs, priority=priority, download=download)
                console.answer({"job": job}, [job])
                return
            made = run_job(
                client,
                spec,
                blobs,
                keep,
                priority=priority,
                download=download,
                shown=console.progress,
            )
        except MissingBlob as error:
            raise MissingBlob(
                error.message, path=error.path, fix="Say where it is: --pictures FOLDER."
            ) from None
    if out != STDIO:
        console.answer({"results": made}, [picture["path"] for picture in made])


def _default_output(file: Path, made_before: bool) -> Path:
    """Return what a picture is called where nothing else is wished."""
    if file == STDIO:
        return Path("standee.png")
    return Path(f"{file.stem}{'-again' if made_before else ''}.png")


def with_options(
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
        given["model"] = resolve_model(given["model"])
    composition = replace(composition, sampling=replace(composition.sampling, **given))
    if prompt is not None:
        composition = replace(composition, prompt=prompt)
    if size is not None:
        if min(size) < 1:
            raise InvalidField("A canvas needs a width and a height.", fix="Write --size 512x384.")
        composition = resized(composition, *size)
    checked: Composition = validate(composition)
    return checked


def with_controls(document: Document, controls: Sequence[ControlFile]) -> Composition:
    """Return a document's composition under these control pictures alone, which become the document's.

    Raises `InvalidField` and `BadPicture`.
    """
    given = tuple(
        Control(one.kind, document.add_picture(one.file), **one.settings) for one in controls
    )
    changed = msgspec.structs.replace(document.composition, control=given)
    checked: Composition = validate(changed)
    return checked


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
