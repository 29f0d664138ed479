"""Operations and memory of composing at the published sizes, counted instead of timed.

    python benchmarks/flops.py [--family flux] [--canvas 1024] [--json flops.json]      (`MODELS` has the names)

The models are built without weights on torch's `meta` device, and the engine's own forwards run on them, as `cost.py`
runs them with random weights on a GPU. Ratios are to plain text to picture; `edited` is the family's own edit pipeline
with the subjects' crops as its references. They leave out what a GPU loses besides:
smaller forwards fill it less, and tokens travel.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from measuring.cost_meter import CACHED, FIRST, MEMORY
from measuring.random_weights import CANVAS, MODELS, open_random
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

from standee.geometry import Cells
from standee_backend.engine.capture import BATCH, TokenCapture
from standee_backend.engine.compose import SMALLER, plain_steps
from standee_backend.engine.families.base import Family
from standee_backend.engine.families.conditioning import ReferenceTokens
from standee_backend.engine.injection import Injection, inject
from standee_backend.engine.layout import reference_crop
from standee_backend.engine.memory.footprint import META, Blueprint
from standee_backend.engine.memory.workload import Workload
from standee_backend.engine.references import Reference, ShownReferences
from standee_backend.engine.schedule import Schedule
from standee_backend.engine.settings import FREE
from standee_backend.hardware.load_presets import CARDS
from standee_backend.hardware.memory_estimate import peak

COUNTS = (1, 3, 5)
WORDS = "a"


@dataclass
class Row:
    """One kind of run: 10^12 operations, the device's peak in GiB, and both as ratios to the plain run."""

    name: str
    operations: float
    ratio: float
    peak: float | None = None
    peak_ratio: float | None = None


def main() -> int:
    """Count; exit status 1 when a goal is missed."""
    given = _arguments()
    rows = measure(given.family, given.canvas)
    for row in rows:
        weighed = f"{row.peak:10.2f}{row.peak_ratio:10.3f}" if row.peak else ""
        print(f"{row.name:22}{row.operations:10.0f}{row.ratio:10.3f}{weighed}")
    if given.json:
        given.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")
    return 0 if judge(rows) else 1


def measure(name: str, canvas: int, counts: Sequence[int] = COUNTS) -> list[Row]:
    """Count plain runs and those of so many subjects, of three eighths of the canvas each."""
    family = open_random(name, "real", META)
    plan = Blueprint(family)
    cells, side = canvas // family.patch, canvas * 3 // 8 // family.patch
    around = reference_crop(Cells(0, 0, side, side))
    crop = (around.rows, around.cols, side * side)
    with plan.dry():
        work = Work(plan, cells, crop)
        plain = work.text + work.steps * work.plain + work.decode
        costs = {count: work.composed(count) for count in counts}
        weighed = _peak(plan, laid_out(family, cells, ()))
        rows = [Row("plain", plain / 1e12, 1.0, weighed, 1.0)]
        for count, (first, cached) in costs.items():
            memory = _peak(plan, laid_out(family, cells, (crop,) * count))
            for kind, cost in ((f"N = {count}, first", first), (f"N = {count}, cached", cached)):
                rows.append(Row(kind, cost / 1e12, cost / plain, memory, memory / weighed))
        for count in counts if family.takes_references else ():
            cost = work.edited(count)
            rows.append(Row(f"N = {count}, edited", cost / 1e12, cost / plain))
        for count in counts:
            cost = work.text + work.steps * (2 * count + 1) * work.plain + work.decode
            rows.append(Row(f"N = {count}, published", cost / 1e12, cost / plain))
    return rows


class Work:
    """The operations of each kind of forward of a family, on a canvas of `cells` x `cells`."""

    def __init__(self, plan: Blueprint, cells: int, crop: tuple[int, int, int]) -> None:
        self.plan, self.family, self.cells, self.crop = plan, plan.family, cells, crop
        family, own = self.family, self.family.defaults
        self.noise = torch.empty(1, cells * cells, family.channels, device=META)
        self.ids = family.grid_ids(cells, cells)
        prompt = family.encode_prompt(WORDS, own.guidance)
        guided = family.guided_by_negative(own.guidance)
        self.prompt = replace(prompt, negative=prompt if guided else None)
        self.sigma = torch.tensor(1.0, device=META)
        self.steps = own.steps
        levels = tuple(
            1 - step / own.steps for step in range(own.steps + 1)
        )  # `meta` has no values
        self.schedule = Schedule(torch.tensor(levels, device=META), levels)
        self.canvas = torch.empty(1, 3, *[cells * family.patch] * 2, device=META)
        self.counted: dict[tuple[int | None, ...], int] = {}
        self.text = operations(lambda: family.encode_prompt(WORDS, own.guidance))
        self.plain = operations(
            lambda: family.velocity(self.noise, self.sigma, self.prompt, self.ids)
        )
        self.decode = operations(lambda: family.decode_latents(self.noise, cells, cells))

    def composed(self, subjects: int) -> tuple[int, int]:
        """Return what a picture with so many subjects costs the first time, and with their tokens from the cache.

        Then their own words, none here, are remembered too.
        """
        family, own, plan = self.family, self.family.defaults, self.plan
        by_input = own.share_by == "input"
        sharing = float(own.sharing and not by_input)
        references = [
            plan.reference(self.crop, self.prompt, own.tau, sharing) for _ in range(subjects)
        ]
        encode = operations(lambda: [reference.crop.line for reference in references])
        held = operations(self.held) if own.anchor else 0
        details = operations(lambda: self.details(references)) if own.detail else 0
        start = plain_steps(self.steps, references)
        shown = [replace(reference, sharing=1.0) for reference in references if by_input]
        steps = range(start, self.steps)
        beside = ShownReferences(family, shown, self.schedule, steps)
        captures = TokenCapture(family, references, self.schedule, self.noise.shape[1], start=start)
        captured, forwards = 0, start * self.plain
        for step in steps:
            made: list[Injection] = []
            captured += operations(
                lambda step=step, made=made: made.append(captures.injection(step))
            )
            forwards += self.forward(made.pop(), beside.tokens(step))
        cached = self.text + held + forwards + self.decode
        if by_input:
            cached += encode
        words = self.text if subjects else 0
        return cached + words + encode + details + captured, cached

    def edited(self, subjects: int) -> int:
        """Return what the family's own edit pipeline costs, which is shown so many crops in each of its steps."""
        crops = [self.plan.reference(self.crop, self.prompt, FREE, 1.0) for _ in range(subjects)]
        encode = operations(lambda: [one.crop.line for one in crops])
        shown = ShownReferences(self.family, crops, self.schedule, range(self.steps))
        forwards = sum(self.forward(Injection(), shown.tokens(step)) for step in range(self.steps))
        return self.text + encode + forwards + self.decode

    def forward(self, injection: Injection, beside: ReferenceTokens | None) -> int:
        """Return the operations of the picture's forward.

        They depend on how many tokens it receives, and whether keys are made of those that are shared.
        """
        given = injection.put, injection.share_at, beside and beside.ids
        makes = injection.share is not None and not injection.share.keys
        sizes = makes, *(None if rows is None else len(rows) for rows in given)
        if makes or sizes not in self.counted:
            with inject(self.family.sites, injection):
                self.counted[sizes] = operations(
                    lambda: self.family.velocity(
                        self.noise, self.sigma, self.prompt, self.ids, beside
                    )
                )
        return self.counted[sizes]

    def held(self) -> None:
        """Decode the place that was predicted, smaller, and encode the canvas with the subjects pasted onto it."""
        part = self.cells // SMALLER if not self.cells % SMALLER else self.cells
        place = self.noise.new_empty(1, part * part, self.family.channels)
        self.family.decode_latents(place, part, part)
        self.family.encode_latents(self.canvas)

    def details(self, references: Sequence[Reference]) -> None:
        """Decode what the autoencoder makes of the subjects' crops."""
        for reference in references:
            self.family.decode_latents(reference.crop.line[0][None], *reference.crop.size)


def laid_out(family: Family, cells: int, crops: tuple[tuple[int, int, int], ...]) -> Workload:
    """Return the layout of a canvas of `cells` x `cells` with these crops, by the family's own defaults."""
    own = family.defaults
    plain = plain_steps(own.steps, crops)
    return Workload(
        cells, cells, crops, guidance=own.guidance, anchored=bool(own.anchor and crops),
        steps=min(own.steps - plain, 1 + BATCH), plain=plain > 0,
        beside=own.share_by == "input", detail=bool(own.detail),
    )  # fmt: skip


def operations(run: Callable[[], object]) -> int:
    """Return the floating-point operations of a run."""
    with FlopCounterMode(display=False) as counter, AttentionCount() as attention:
        run()
    return int(counter.get_total_flops()) + attention.operations


class AttentionCount(TorchFunctionMode):
    """Counts the operations of attention, of which a dry run computes nothing that a counter would see."""

    def __init__(self) -> None:
        super().__init__()
        self.operations = 0

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        given = kwargs or {}
        if function is torch.nn.functional.scaled_dot_product_attention:
            names = dict(zip(("query", "key", "value"), args, strict=False)) | given
            query, key, value = (names[name] for name in ("query", "key", "value"))
            pairs = query.shape[:-1].numel() * key.shape[-2]
            self.operations += 2 * pairs * (query.shape[-1] + value.shape[-1])
        return function(*args, **given)


def judge(rows: list[Row]) -> bool:
    """Print which goals are met; return whether all are."""
    three = {row.name.split(", ")[1]: row for row in rows if row.name.startswith("N = 3")}
    goals = [
        ("three subjects, the first time", three["first"].ratio, FIRST),
        ("three subjects, cached", three["cached"].ratio, CACHED),
        ("their peak memory", three["first"].peak_ratio or 0.0, MEMORY),
    ]
    for what, value, goal in goals:
        print(f"{'met   ' if value <= goal else 'MISSED'} {what}: {value:.3f} of {goal} plain runs")
    return all(value <= goal for _, value, goal in goals)


def _peak(plan: Blueprint, layout: Workload) -> float:
    """Return the predicted peak in GiB with all weights on the device."""
    return peak(plan.footprint(layout), CARDS[0]) / 2**30


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--family", choices=tuple(MODELS), default="flux")
    parser.add_argument("--canvas", type=int, default=CANVAS["real"], help="its sides in px")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
