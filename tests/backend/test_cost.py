"""The cost benchmark on a shrunk family: cached subjects cost no forward of their own."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

COUNT = 3
"""Of so many subjects the benchmark judges; what holds for them holds for fewer and for more."""


@pytest.mark.slow
@pytest.mark.parametrize(("family", "steps"), [("klein", 4), ("z-image", 8)])
def test_cached_subjects_take_as_many_forwards_as_none(
    monkeypatch, tmp_path, family, steps
) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import cost

    report = tmp_path / "cost.json"
    asked = ["--family", family, "--size", "tiny", "--canvas", "96"]
    asked += ["--counts", str(COUNT), "--repeats", "1"]
    monkeypatch.setattr(sys, "argv", ["cost.py", *asked, "--json", str(report)])
    assert cost.main() == 0
    forwards = {row["name"]: row["forwards"] for row in json.loads(report.read_text())}
    assert forwards["plain"] == steps
    assert forwards[f"N = {COUNT}, cached"] == steps
    assert forwards[f"N = {COUNT}, another seed"] == steps
    captured = forwards[f"N = {COUNT}, first"] - steps
    assert captured % COUNT == 0
    assert 0 < captured < steps * COUNT
    assert forwards[f"N = {COUNT}, published"] == steps * (1 + COUNT)
