from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from diffusers import AutoencoderDC
from diffusers.models.embeddings import apply_rotary_emb

from training import scenes, text, transformer
from training.batches import CELL, SHORT, WINDOW, WORDS, Sampler
from training.presets import PRESETS
from training.world import data, rendering

TOKENS = 600
CHUNKS = 6  # two of scenes, and close-ups of every size
FEWER = 8  # of each


@pytest.fixture(scope="module")
def store(work: Path, mini: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    (folder / "fluent-emoji-3d.tgz").symlink_to(work / "fluent-emoji-3d.tgz")
    vae = AutoencoderDC.from_pretrained(mini / "vae").eval()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendering, "CHUNK", FEWER)
        scenes.extend(folder, vae, CHUNKS, torch.device("cpu"))
    return folder


@pytest.fixture(scope="module")
def sampler(store: Path) -> Sampler:
    return Sampler(store, TOKENS)


def test_names_come_first_in_close_ups_that_a_figure_fills(sampler: Sampler) -> None:
    for step in range(8):
        batch = sampler.draw(step, 0.1)
        assert batch.close
        assert batch.apart is None
        assert batch.latents.shape[2:] == (12, 12)


def test_later_scenes_and_all_sizes_of_close_ups_come(sampler: Sampler) -> None:
    batches = [sampler.draw(step, 0.5) for step in range(60)]
    close = {batch.latents.shape[2] * 8 for batch in batches if batch.close}
    assert close == {*data.CLOSE_UPS, WINDOW * CELL}
    assert 0.3 < np.mean([batch.close for batch in batches]) < 0.9


def test_the_autoencoder_sees_scenes_alone_which_have_room_for_its_crops(store: Path) -> None:
    seen = scenes.load_pictures(store)
    assert {pictures.shape[1:3] for pictures in seen} <= {canvas[::-1] for canvas in data.CANVASES}
    assert len(seen) == 2


def test_a_name_is_told_to_the_cells_of_its_figure(sampler: Sampler) -> None:
    apart = [batch for step in range(30) if (batch := sampler.draw(step, 0.5)).apart]
    for batch in apart:
        rows, columns = (side // 2 for side in batch.latents.shape[2:])
        told = batch.apart
        for cells, (first, last) in zip(
            told.cells.reshape(-1, rows, columns), told.corners, strict=True
        ):
            ids = torch.stack(
                torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij"), dim=-1
            )
            assert torch.equal(cells, ((ids > first) & (ids < last)).all(dim=-1))
            assert cells.any()
        for words, caption in zip(told.words, batch.captions, strict=True):
            assert words not in caption
    assert {batch.length for batch in apart} == {SHORT, text.MAX_TOKENS}
    assert {batch.apart.length for batch in apart} == set(WORDS)


def test_a_step_is_as_large_as_its_tokens(sampler: Sampler) -> None:
    for step in range(20):
        batch = sampler.draw(step, 0.5)
        assert len(batch.latents) == 1 or batch.latents[:, 0].numel() / 4 <= TOKENS


def test_the_cells_of_a_name_alone_see_it(sampler: Sampler) -> None:
    told = next(told for step in range(30) if (told := sampler.draw(step, 0.5).apart))
    mask = transformer.mask_of(told.cells, 9, told.length)
    first, second = mask[:, 0, 9 + told.length :, :].split(
        [9, told.length, told.cells.shape[1]], dim=2
    )[:2]
    assert torch.equal(first, ~told.cells[..., None].expand_as(first))
    assert torch.equal(second, told.cells[..., None].expand_as(second))


def test_words_stand_at_the_corners_of_their_rectangle(figures: list[data.Figure]) -> None:
    mini = transformer.build(PRESETS["cpu"], [figure.name for figure in figures])
    states = torch.randn(2, 4, 12, 64, generator=torch.Generator().manual_seed(0))
    corners = torch.tensor([[[1.5, 0.25], [6.0, 7.5]], [[-0.5, 2.0], [3.0, 9.0]]])
    turned = transformer.Standing.at(mini, corners, 3, 5).turn(states)
    for one, (first, last), ours in zip(states, corners, turned, strict=True):
        ids = torch.zeros(12, 3)
        ids[3:6, 1:], ids[6:8, 1:] = first, last
        theirs = apply_rotary_emb(one[None], mini.transformer.pos_embed(ids))
        torch.testing.assert_close(ours, theirs[0])


@pytest.mark.parametrize(("dtype", "within"), [(torch.float32, 1e-5), (torch.bfloat16, 2e-2)])
def test_plain_attention_is_torchs_own_with_the_same_mask(
    dtype: torch.dtype, within: float
) -> None:
    cells = torch.tensor([[True, False, False], [False, True, True]])
    mask = transformer.mask_of(cells, 1, 3)
    query, key, value = torch.randn(3, 2, 4, 7, 8, generator=torch.Generator().manual_seed(0)).to(
        dtype
    )
    made = []
    for plain in (True, False):
        with transformer.Attention(mask, plain):
            made.append(F.scaled_dot_product_attention(query=query, key=key, value=value))
    torch.testing.assert_close(*made, atol=within, rtol=within)


def test_every_kind_of_batch_trains(sampler: Sampler, figures: list[data.Figure]) -> None:
    preset = PRESETS["cpu"]
    mini = transformer.build(preset, [figure.name for figure in figures])
    kinds = {(b.close, bool(b.apart)): b for step in range(30) if (b := sampler.draw(step, 0.5))}
    assert len(kinds) == 3
    for batch in kinds.values():
        loss = transformer.loss_of(mini, batch, torch.device("cpu"))
        loss.backward()
        assert 0.1 < loss.item() < 10
