"""What subjects cost at a published size, counted: the goals hold, and the cache saves every forward of a subject."""

from __future__ import annotations

from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.slow
def test_three_subjects_cost_what_they_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import flops

    rows = flops.measure("klein", 1024, counts=(3,))
    assert flops.judge(rows)
    plain, first, cached, published = (row.operations for row in rows)
    assert plain < cached < first < published
    assert [row.name for row in rows] == [
        "plain",
        "N = 3, first",
        "N = 3, cached",
        "N = 3, published",
    ]
