from __future__ import annotations

from pathlib import Path

import numpy as np

from training import scenes
from training.world import data, rendering


def test_chunks_show_no_held_out_figure(work: Path, figures: list[data.Figure]) -> None:
    [(pixels, told)] = rendering.render_chunks(work, [0])
    training, held_out = ({figure.name for figure in half} for half in data.split(figures))
    shown = {name for one in told for name in one.figures if name}
    assert len(pixels) == len(told) == rendering.CHUNK
    assert shown
    assert shown <= training
    assert not shown & held_out


def test_held_out_scenes_show_figures_that_no_chunk_does(work: Path) -> None:
    pixels = scenes.held_out_scenes(work, 2, (96, 64))
    assert pixels.shape == (2, 64, 96, 3)
    assert np.array_equal(pixels, scenes.held_out_scenes(work, 2, (96, 64)))


def test_three_of_four_chunks_are_close_ups_of_all_sizes_in_turn(
    figures: list[data.Figure],
) -> None:
    chunks = [rendering.render_chunk(index, figures) for index in range(6)]
    close = [told[0].box is not None for _, told in chunks]
    assert close == [False, True, True, True, False, True]
    sizes = [pixels.shape[1:3] for pixels, told in chunks if told[0].box]
    assert sizes == [(side, side) for side in sorted(data.CLOSE_UPS)]
