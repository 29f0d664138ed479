"""The cost benchmark on a shrunk family: cached subjects cost no forward of their own."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.slow
@pytest.mark.parametrize(("family", "steps"), [("klein", 4), ("z-image", 8)])
def test_cached_subjects_take_as_many_forwards_as_none(
    monkeypatch, tmp_path, family, steps
) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import cost

    report = tmp_path / "cost.json"
    asked = ["--family", family, "--size", "tiny", "--canvas", "96", "--repeats", "1"]
    monkeypatch.setattr(sys, "argv", ["cost.py", *asked, "--json", str(report)])
    assert cost.main() == 0
    forwards = {row["name"]: row["forwards"] for row in json.loads(report.read_text())}
    assert forwards["plain"] == steps
    for count in (1, 3, 5):
        assert forwards[f"N = {count}, cached"] == steps
        assert forwards[f"N = {count}, another seed"] == steps
        captured = forwards[f"N = {count}, first"] - steps
        assert captured % count == 0
        assert 0 < captured < steps * count
        assert forwards[f"N = {count}, published"] == steps * (1 + count)
