"""`standee bench`: how good a model is with this method, in the paper's tables."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import click

from standee.client.packages import require

from ..completion import model_names
from ..console import Console, answers, common
from ..job_runs import connect
from ..options import YES

MEASURES = ("order", "identity", "defects")


@click.command()
@click.option(
    "-m",
    "--model",
    default="mini",
    show_default=True,
    shell_complete=model_names,
    help="A name, a folder or a hub id.",
)
@click.option(
    "--set",
    "subjects",
    metavar="SET",
    help="dreambench, lamicbench, or a folder. [default: the model's own, or dreambench]",
)
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    help="So many cases, of each kind in turn. [default: all]",
)
@click.option(
    "--size", type=click.IntRange(64, 8192), help="The canvas' sides in px. [default: the model's]"
)
@click.option("--steps", type=click.IntRange(1, 200), help="[default: the model's]")
@click.option("--clip", metavar="MODEL", help="A folder or hub id of CLIP.")
@click.option("--dino", metavar="MODEL", help="A folder or hub id of DINOv2.")
@click.option(
    "--finder", metavar="MODEL", help="A folder or hub id of Grounding DINO: measures places."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("standee-bench"),
    show_default=True,
    help="The folder of the run; a run that was broken off goes on there.",
)
@YES
@common
@answers
@click.pass_context
def bench(context: click.Context, console: Console, /, output: Path, **choices: Any) -> None:
    """Measure a model: identity, defects, occlusion order.

    Each case is composed by the method as it is delivered, at several thresholds with and without
    perturbation, and without the method. It writes a report with pictures and 95 % intervals.

    \b
    Examples:
      standee bench --sample 8                         a quick look, on the bundled model
      standee bench -m black-forest-labs/FLUX.1-dev --set dreambench --yes
    """
    require("backend")
    from ..progress import counted

    client = connect(context, start=True)
    given = {name: value for name, value in choices.items() if value is not None}
    with counted("Composing") as on_picture:
        page, report = import_module("standee_backend.bench.main").main(
            output, client, on_picture=on_picture, **given
        )
    lines = [f"report: {page}"]
    for kind, rows in report["tables"].items():
        said = rows["as delivered"]
        figures = ", ".join(f"{name} {said[name][0]:.2f}" for name in MEASURES if name in said)
        lines.append(f"{kind + ':':<10} {figures}")
    console.answer({"report": str(page), **report}, lines)
