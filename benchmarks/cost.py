"""What composing costs: forwards, tokens and seconds for N = 0, 1, 3, 5 subjects, side by side in one run.

    python benchmarks/cost.py [--model mini] [--repeats 3] [--json cost.json]

Each row is timed in turn with a plain text-to-picture run of the same model, and given as a ratio to it. `published`
is the schedule of the published code: an inversion pass per subject and step, then full-frame batches of N + 1.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
from fidelity import Blobs
from torch import Tensor

from standee.composition import Canvas, Composition, Layer, Rect, Sampling
from standee_backend import catalog
from standee_backend.engine.compose import compose
from standee_backend.engine.families.base import Conditioning, Family
from standee_backend.engine.families.pipeline import PipelineFamily
from standee_backend.engine.loading import load
from standee_backend.hardware import Options

HERE = Path(__file__).parent
GOAL = 1.8
"""Three subjects cost at most this many plain runs."""


@dataclass
class Meter:
    """Counts the forwards of a family, and the tokens that pass through them."""

    family: PipelineFamily
    forwards: int = 0
    tokens: int = 0

    def __post_init__(self) -> None:
        run = self.family.run  # a guided step makes two

        def counted(
            tokens: Tensor, sigma: Tensor, conditioning: Conditioning, ids: Tensor
        ) -> Tensor:
            self.forwards += 1
            self.tokens += len(tokens) * (tokens.shape[1] + conditioning.text.shape[1])
            return run(tokens, sigma, conditioning, ids)

        self.family.run = counted  # type: ignore[method-assign]

    def measure(self, run: Callable[[], object]) -> dict[str, float]:
        self.forwards = self.tokens = 0
        started = time.perf_counter()
        run()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        seconds = time.perf_counter() - started
        return {"forwards": self.forwards, "tokens": self.tokens, "seconds": seconds}


def main() -> int:
    """Run the benchmark; exit status 1 when the goal is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--model", default="mini", help="a name, a folder or a hub id")
    parser.add_argument("--size", type=int, default=256, help="the canvas' sides in px")
    parser.add_argument("--subjects", type=Path, default=HERE / "figures")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()

    family, blobs = load(catalog.find(arguments.model), Options()), Blobs()
    assert isinstance(family, PipelineFamily)
    meter = Meter(family)
    figures = [path.read_bytes() for path in sorted(arguments.subjects.glob("*.*"))[:5]]
    runs: dict[str, Callable[[], object]] = {}
    for count in (0, 1, 3, 5):
        given = composition(arguments.model, arguments.size, figures[:count], blobs)
        runs[f"ours, N = {count}"] = lambda given=given: compose(family, given, blobs.read, seed=0)
    for count in (1, 3, 5):
        runs[f"published, N = {count}"] = lambda count=count: published(
            family, arguments.size, count
        )
    plain = "ours, N = 0"
    for run in (runs[plain], runs["ours, N = 1"]):
        run()  # warm up

    times: dict[str, list[dict[str, float]]] = {name: [] for name in runs}
    for _ in range(arguments.repeats):
        for name, run in runs.items():
            times[name].append(meter.measure(run))
    report = {name: _row(rows, times[plain]) for name, rows in times.items()}
    print(f"{'':18}{'forwards':>10}{'tokens':>10}{'seconds':>10}{'x plain':>10}")
    for name, row in report.items():
        print(
            f"{name:18}{row['forwards']:10.0f}{row['tokens']:10.0f}"
            f"{row['seconds']:10.2f}{row['ratio']:10.2f}"
        )
    met = report["ours, N = 3"]["ratio"] <= GOAL
    print(f"{'met   ' if met else 'MISSED'} three subjects for at most {GOAL} plain runs")
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0 if met else 1


def composition(model: str, size: int, figures: list[bytes], blobs: Blobs) -> Composition:
    """Stand figures of three eighths of the canvas in a row, each overlapping the one before."""
    side = size * 3 / 8
    layers = tuple(
        Layer(
            picture=blobs.add(figure), rect=Rect(index * size / 7, size / 3 + index * 8, side, side)
        )
        for index, figure in enumerate(figures)
    )
    return Composition(
        canvas=Canvas(size, size),
        prompt="a meadow",
        layers=layers,
        sampling=Sampling(model=model),
    )


def published(family: Family, size: int, count: int) -> Tensor:
    """Run the published schedule's forwards on noise, and decode: its cost does not depend on content."""
    side = size // family.patch
    sigmas = family.sigmas(family.defaults.steps, side * side)[:-1]
    prompt = family.encode_prompt("a meadow", family.defaults.guidance)
    ids = family.grid_ids(side, side)
    tokens = torch.randn(count + 1, side * side, family.channels).to(family.device)
    for sigma in sigmas.flip(0):
        for row in tokens[:count]:
            family.velocity(row[None], sigma, prompt, ids)
    batch = Conditioning.batch([prompt] * (count + 1))
    for sigma in sigmas:
        family.velocity(tokens, sigma, batch, ids)
    return family.decode_latents(tokens[-1:], side, side)


def _row(rows: list[dict[str, float]], plain: list[dict[str, float]]) -> dict[str, Any]:
    ratios = [row["seconds"] / base["seconds"] for row, base in zip(rows, plain, strict=True)]
    return {
        "forwards": rows[0]["forwards"],
        "tokens": rows[0]["tokens"],
        "seconds": median(row["seconds"] for row in rows),
        "ratio": median(ratios),
    }


if __name__ == "__main__":
    sys.exit(main())
