"""Probe of attention sites: which depend on position, and which on content.

    python benchmarks/probe_sites.py [--model mini] [--turn shift] [--steps 12] [--json probe.json]

One site at a time, the image's keys are rotated as if they stood elsewhere (`shift`: a quarter of the canvas down and
to the right) or nowhere (`remove`), and pictures are sampled with it. Where that changes the result much, the site
looks things up by position; where little, by content (FreeFlux, arXiv 2503.16153). Subjects whose tokens are shared in
content sites only lend their looks and not their layout: the last line is made for `defaults` in models.toml.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from standee_backend.catalog import catalog
from standee_backend.engine.compose import denoise
from standee_backend.engine.families import flux
from standee_backend.engine.families.base import Family
from standee_backend.engine.loading.load import load
from standee_backend.engine.references import gaussian
from standee_backend.engine.schedule import Schedule
from standee_backend.hardware.options import Options

PROMPTS = ("a red fox in a meadow", "a mug on a table", "a robot on a beach")


def main(arguments: list[str] | None = None) -> int:
    """Probe every site, print a table from content to position, and suggest a set."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--model", default="mini", help="a name, a folder or a hub id")
    parser.add_argument("--turn", choices=["shift", "remove"], default="shift")
    parser.add_argument("--steps", type=int, help="the model's own number without it")
    parser.add_argument(
        "--size", type=int, help="the canvas' sides in px, the model's own without it"
    )
    parser.add_argument("--share", type=float, default=0.25, help="how many sites are suggested")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)

    info = catalog.find(given.model)
    family = load(info, Options())
    assert isinstance(family, Family)
    side = (given.size or info.size or 1024) // family.patch
    steps = given.steps or family.defaults.steps
    before = sample(family, side, steps)
    rows = []
    for site, attention in enumerate(family.attentions):
        with turned(family, site, side, given.turn):
            after = sample(family, side, steps)
        change = fmean(
            float((b - a).square().mean().sqrt() / a.std())
            for a, b in zip(before, after, strict=True)
        )
        rows.append({"site": site, "attention": type(attention).__name__, "change": change})
        print(f"\r{site + 1} of {len(family.sites)} sites", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)

    rows.sort(key=lambda row: row["change"])
    print(f"{'site':>4}  {'change':>8}  attention")
    for row in rows:
        print(f"{row['site']:4}  {row['change']:8.4f}  {row['attention']}")
    content = sorted(row["site"] for row in rows[: max(1, round(given.share * len(rows)))])
    if family.name == "flux" and len(family.sites) == 57:
        known = len(set(content) & set(flux.CONTENT_SITES))
        print(f"{known} of the {len(flux.CONTENT_SITES)} published content sites are among them")
    print(f"share_sites = {content}")
    if given.json:
        report = {"model": info.name, "turn": given.turn, "sites": rows, "content": content}
        given.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0


def sample(family: Family, side: int, steps: int) -> list[Tensor]:
    """Return the clean tokens (1, cells, channels) of a picture for each prompt; the seed is the prompt's number."""
    cells = side * side
    schedule = Schedule.of(family.sigmas(steps, cells))
    made = []
    for seed, words in enumerate(PROMPTS):
        prompt = family.encode_prompt(words, family.defaults.guidance)
        noise = gaussian(seed, (1, cells, family.channels)).to(family.device)
        made.append(denoise(family, noise, prompt, family.grid_ids(side, side), schedule)[0])
    family.release()
    return made


@contextmanager
def turned(family: Family, site: int, side: int, turn: str) -> Iterator[None]:
    """Turn the image's keys at one site, during the block, by `turn` on a grid of `side` x `side` cells.

    Rotations add up, so the keys are turned between their norm and their own rotation.
    """
    attention, processor = family.attentions[site], family.processors[site]
    if turn == "shift":
        quarter = side // 4 + 1
        ids = family.grid_ids(quarter, quarter)
        cos, sin = family.rotation(ids[-1:] - ids[:1])
    else:
        cos, sin = family.rotation(family.grid_ids(side, side))
        sin = -sin

    def turn_keys(_: Any, given: tuple[Tensor, ...], keys: Tensor) -> Tensor:
        first = processor.first_cell
        image = keys[:, first : first + side * side]  # (batch, cells, heads, head dims)
        even, odd = image.float().unflatten(-1, (-1, 2)).unbind(-1)
        across = torch.stack([-odd, even], dim=-1).flatten(-2)
        rotated = (image * cos[:, None] + across * sin[:, None]).to(keys.dtype)
        return torch.cat([keys[:, :first], rotated, keys[:, first + side * side :]], dim=1)

    handle = attention.norm_k.register_forward_hook(turn_keys)
    try:
        yield
    finally:
        handle.remove()


if __name__ == "__main__":
    sys.exit(main())
