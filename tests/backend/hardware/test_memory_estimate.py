"""Which preset a job gets follows from what it takes and from what there is; no torch is needed to tell."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from standee.errors import OutOfMemory
from standee.formatting import size
from standee_backend.hardware.load_presets import CARDS, GIB, following
from standee_backend.hardware.machine import published
from standee_backend.hardware.memory_estimate import (
    TOLERANCE,
    Footprint,
    Plan,
    WorkingMemory,
    choose,
    host,
    packed_as,
    peak,
)

FLUX = published()["FLUX.1-dev"]
PLENTY = 1000 * GIB


def fits(room: float, ram: int = PLENTY, footprint: Footprint = FLUX) -> Plan:
    return choose(lambda _: footprint, CARDS, int(room), ram)


@pytest.mark.parametrize("model", published())
def test_each_preset_takes_less_than_the_one_before(model: str) -> None:
    peaks = [peak(published()[model], preset) for preset in CARDS]
    assert peaks == sorted(peaks, reverse=True)


def test_the_first_preset_with_room_is_taken() -> None:
    for preset, before in zip(CARDS[1:], CARDS, strict=False):
        room = peak(FLUX, before) - 1
        assert fits(room).preset == preset
        assert fits(room + 1).preset == before


def test_a_larger_job_gets_a_smaller_preset() -> None:
    room = peak(FLUX, CARDS[2])
    more = replace(FLUX.working, decode=FLUX.working.decode + 8 * GIB)
    assert fits(room).preset == CARDS[2]
    assert fits(room, footprint=replace(FLUX, working=more)).preset in CARDS[3:]


def test_the_hosts_memory_counts_too() -> None:
    assert fits(PLENTY, ram=host(FLUX, CARDS[0])).preset == CARDS[0]
    assert fits(PLENTY, ram=host(FLUX, CARDS[0]) - 1).preset == CARDS[1]
    with pytest.raises(OutOfMemory, match="of this machine's memory") as caught:
        fits(PLENTY, ram=GIB)
    assert caught.value.path == "$.sampling.model"


def test_a_job_is_refused_only_where_an_estimate_cannot_be_that_wrong() -> None:
    least = peak(FLUX, CARDS[-1])
    assert fits(least / (1 + TOLERANCE) + 1).preset == CARDS[-1]
    with pytest.raises(OutOfMemory, match=size(least)) as caught:
        fits(least / (1 + TOLERANCE) - 2)
    assert caught.value.path == "$.canvas"


def test_the_transformer_is_there_before_pictures_are_encoded_when_it_was_at_work_already() -> None:
    working = WorkingMemory(0, 5 * GIB, 0, 0, 0, 0)
    model = next(preset for preset in CARDS if preset.offload == "model")
    assert peak(replace(FLUX, working=working), model) < 13 * GIB
    again = peak(replace(FLUX, working=replace(working, transformer_first=True)), model)
    assert again == FLUX.autoencoder.whole + FLUX.transformer["fp8"].whole + 5 * GIB


def test_a_packed_file_takes_its_own_size_whatever_the_preset_says() -> None:
    packed = packed_as(FLUX, 7 * GIB)
    assert {weights.whole for weights in packed.transformer.values()} == {7 * GIB}
    assert packed.transformer["none"].block < FLUX.transformer["none"].block
    assert packed.text == FLUX.text


def test_after_the_last_preset_there_is_none() -> None:
    assert following(CARDS, CARDS[-2]) == [CARDS[-1]]
    assert following(CARDS, CARDS[-1]) == []
