"""Bytes alive: what is made counts each time, on `meta` as on a CPU, and a view of it never."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import layer_norm

from standee_backend.engine.memory.live_bytes import LiveBytes


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_what_is_made_counts_each_time_and_a_view_never(device: str) -> None:
    given = torch.zeros(4, 8, device=device)
    with LiveBytes([given]) as live:
        made = [given * 2.0 for _ in range(3)]
        assert live.now == 3 * 4 * 8 * 4
        views = [one.view(8, 4) for one in made for _ in range(2)]
        changed = [given.add_(1.0) for _ in range(2)]
        assert live.now == 3 * 4 * 8 * 4
        doubled = [given.to(torch.float64) for _ in range(2)]
        assert live.now == (3 * 4 + 2 * 8) * 4 * 8
        del made, views, changed, doubled
        assert live.now == 0
        assert live.mark() == (3 * 4 + 2 * 8) * 4 * 8


def test_a_number_is_no_other_of_another_type_and_strides_stay() -> None:
    given = torch.zeros(4, 8, dtype=torch.int64, device="meta")
    with LiveBytes():
        for _ in range(2):
            assert [(given * one).dtype for one in (1, 1.0)] == [torch.int64, torch.float32]
            turned = given.T.to(torch.float32)
            assert (turned + 1.0).stride() == (1, 8)
            assert layer_norm(turned.contiguous(), (4,)).shape == (8, 4)
