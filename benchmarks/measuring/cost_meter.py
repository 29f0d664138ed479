"""Measuring runs for `cost.py`: seconds, forwards, tokens and peak memory, and the table of ratios."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import chain
from statistics import median
from typing import Any

import torch
from torch import Tensor

from standee_backend.engine.families.base import Family
from standee_backend.engine.families.conditioning import Conditioning
from standee_backend.engine.memory.live_bytes import LiveBytes

MINI_FIRST, MINI_CACHED, MINI_SCENE = 1.5, 1.15, 1.25
"""On the bundled model, what three subjects may cost the first time and from the cache, and a scene's filled hole."""

FIRST, CACHED, MEMORY = 1.35, 1.03, 1.10
"""At real size, what three subjects may cost the first time and from the cache, and their peak memory."""


@dataclass
class Meter:
    """Counts the forwards of a family, and the tokens that pass through them."""

    family: Family
    forwards: int = 0
    tokens: int = 0

    def __post_init__(self) -> None:
        run = self.family.run  # a guided step makes two

        def counted(
            tokens: Tensor, sigma: Tensor, conditioning: Conditioning, ids: Tensor
        ) -> Tensor:
            self.tokens += len(tokens) * (tokens.shape[1] + conditioning.text.shape[1])
            return run(tokens, sigma, conditioning, ids)

        self.family.run = counted  # type: ignore[method-assign]
        self.family.transformer.register_forward_pre_hook(self._count)

    def _count(self, *_: Any) -> None:
        self.forwards += 1

    def time(self, run: Callable[[], object]) -> dict[str, float]:
        """Return what a run costs. One that says `times` ran a part of its steps, and is scaled by that."""
        self.forwards = self.tokens = 0
        self._wait()
        started = time.perf_counter()
        said = run()
        self._wait()
        seconds = time.perf_counter() - started
        times = said["times"] if isinstance(said, dict) else 1.0
        cost = {"forwards": self.forwards, "tokens": self.tokens, "seconds": seconds}
        return {name: value * times for name, value in cost.items()}

    def weigh(self, run: Callable[[], object]) -> float:
        """Return the peak of a run in GiB, weights included: the device's, or that of the tensors on a CPU."""
        if self.family.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
            run()
            return torch.cuda.max_memory_allocated() / 2**30
        models = [m for m in self.family.pipeline.components.values() if hasattr(m, "parameters")]
        weights = list(chain.from_iterable(chain(m.parameters(), m.buffers()) for m in models))
        with LiveBytes(weights) as alive:
            run()
        return (alive.mark() + sum(weight.nbytes for weight in weights)) / 2**30

    def _wait(self) -> None:
        if self.family.device.type == "cuda":
            torch.cuda.synchronize()


@dataclass
class Row:
    """One kind of run: medians, and ratios to the plain run beside it."""

    name: str
    compiled: bool
    forwards: float
    tokens: float
    seconds: float
    ratio: float
    peak: float | None
    peak_ratio: float | None

    def said(self) -> dict[str, Any]:
        """Return it for a JSON file."""
        return asdict(self)


def summarise(
    taken: dict[str, list[dict[str, float]]], peaks: dict[str, float | None], compiled: bool
) -> list[Row]:
    """Turn measured runs, the plain one first, into rows."""
    plain, whole = taken["plain"], peaks["plain"]
    rows = []
    for name, costs in taken.items():
        ratios = [c["seconds"] / base["seconds"] for c, base in zip(costs, plain, strict=True)]
        peak = peaks[name]
        rows.append(
            Row(
                name,
                compiled,
                costs[0]["forwards"],
                costs[0]["tokens"],
                median(c["seconds"] for c in costs),
                median(ratios),
                peak,
                peak / whole if peak and whole else None,
            )
        )
    return rows


def print_rows(rows: list[Row]) -> None:
    """Print the table."""
    head = ("forwards", "tokens", "seconds", "x plain", "GiB", "x plain")
    print(f"{'':30}" + "".join(f"{title:>10}" for title in head))
    for row in rows:
        name = f"{'compiled' if row.compiled else 'eager':10}{row.name}"
        tokens = f"{row.tokens:10.0f}" if row.tokens else f"{'':10}"
        print(
            f"{name:30}{row.forwards:10.0f}{tokens}{row.seconds:10.2f}{row.ratio:10.2f}"
            + _number(row.peak)
            + _number(row.peak_ratio)
        )


def judge(rows: list[Row], family: str | None, size: str | None) -> bool:
    """Print which goals are met; a shrunk family has none. Returns whether all are."""
    if size == "tiny":
        print(f"The goals for {family} are those of its real size.")
        return True
    three = {row.name.split(", ")[1]: row for row in rows if row.name.startswith("N = 3")}
    if family is None:
        scene = next(row for row in rows if row.name == "scene")
        goals = [
            ("three subjects, the first time", three["first"].ratio, MINI_FIRST),
            ("three subjects, cached", three["cached"].ratio, MINI_CACHED),
            ("three subjects, cached, another seed", three["another seed"].ratio, MINI_CACHED),
            ("a scene whose hole is filled", scene.ratio, MINI_SCENE),
        ]
    else:
        peak = three["first"].peak_ratio or 0.0
        goals = [
            ("three subjects, the first time", three["first"].ratio, FIRST),
            ("three subjects, cached", three["cached"].ratio, CACHED),
            ("their peak memory", max(peak, three["cached"].peak_ratio or 0.0), MEMORY),
        ]
    for what, value, goal in goals:
        print(f"{'met   ' if value <= goal else 'MISSED'} {what}: {value:.2f} of {goal} plain runs")
    return all(value <= goal for _, value, goal in goals)


def _number(value: float | None) -> str:
    return f"{value:10.2f}" if value is not None else f"{'':10}"
