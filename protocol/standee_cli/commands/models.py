"""`standee models`: those that can be used, and downloads from the hub."""

from __future__ import annotations

import importlib.util
import sys
from importlib import import_module
from pathlib import Path

import click

from standee.client.packages import require
from standee.errors import InvalidField, JobCancelled
from standee.formatting import size
from standee.wire.events import Progress

from ..console import Console, answers, common, shows_progress
from ..job_runs import connect

FIELD = "$.model"


@click.command()
@click.argument("model")
@click.option("--yes", is_flag=True, help="Do not ask whether you accept its licence.")
@shows_progress
@common
@answers
@click.pass_context
def download(context: click.Context, console: Console, model: str, yes: bool) -> None:
    """Download a model of the Hugging Face hub, and check it.

    MODEL is a name such as FLUX.1-schnell or a hub id, of a network for cut-outs too; owner/name/file.onnx
    is one file of it. A download that was stopped goes on where it
    was. Some models ask you to accept their licence on their page, and to log in with
    `hf auth login`.

    \b
    Examples:
      standee models download FLUX.1-schnell
      standee models download someone/some-flux --yes
    """
    require("backend")
    if console.connection is not None:
        raise click.UsageError("Download models on the machine whose daemon uses them.", context)
    from ..progress import ProgressDisplay

    catalog, downloads, onnx_files = (
        import_module(f"standee_backend.catalog.{name}")
        for name in ("catalog", "download", "onnx_files")
    )
    if onnx_files.split(model)[0]:
        offer = downloads.network_offer(model, FIELD)
    else:
        info = catalog.find(model)
        if Path(info.folder).exists():
            said = f"{model} is on this machine already: {info.folder}"
            console.answer({"path": info.folder}, [said])
            return
        offer = downloads.offer(info, FIELD)
    console.say(f"{offer.repository}: {size(offer.size)} in {len(offer.files)} files.")
    _confirm(console, offer.licence, offer.licence_url, yes)
    plain = console.json and console.progress == "auto"
    with ProgressDisplay("none" if plain else console.progress) as watching:

        def report(stage: str, done: int, of: int, left: float | None) -> None:
            watching(Progress(stage=stage, step=done, of=of, eta=left))

        try:
            folder = downloads.bring(offer, FIELD, downloads.DownloadObserver(report))
        except KeyboardInterrupt:
            raise JobCancelled(
                "Stopped. What has arrived is kept.", fix="The same command goes on with it."
            ) from None
    console.answer({"path": str(folder)}, [str(folder)])


def _confirm(console: Console, licence: str, url: str, accepted: bool) -> None:
    """Show a model's licence and ask for consent. Raises `InvalidField` where nobody can answer."""
    console.say(f"Its licence: {licence or 'none is named'}, see {url}")
    if accepted:
        return
    if not sys.stdin.isatty():
        raise InvalidField("The licence has to be accepted first.", fix="Read it, then add --yes.")
    if not click.confirm("Do you accept it?", err=True):
        raise JobCancelled("Nothing was downloaded.")


@click.group(invoke_without_command=True)
@common
@answers
@click.pass_context
def models(context: click.Context, console: Console) -> None:
    """List the models that can make pictures, or download one.

    Any FLUX.1, FLUX.2, Z-Image, Qwen-Image or Krea 2 model in a folder, or on the hub, can be used
    besides: `standee compose scene.standee --model /models/some-flux`.
    """
    if context.invoked_subcommand is not None:
        return
    if console.connection is None:
        _check_configuration(console)
    found = connect(context, start=True).models()
    rows = [(model.name, model.family, model.description, model.path) for model in found]
    console.table(found, ("Name", "Family", "Description", "Where"), rows)


def _check_configuration(console: Console) -> None:
    """Say what is wrong with models.toml: the daemon leaves its models out of the list."""
    if importlib.util.find_spec("standee_backend"):
        try:
            import_module("standee_backend.catalog.model_card").configuration()
        except InvalidField as error:
            console.say(f"Warning: {error} Its models are left out.")
