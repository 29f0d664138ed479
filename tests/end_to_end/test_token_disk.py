"""Captured tokens outlive the daemon: what one has captured, the next one finds on disk."""

import io
import re
import time

import numpy as np
import pytest
from PIL import Image

from standee import Canvas, Composition, Layer, Rect, Sampling
from standee_backend import StandeePipeline, Subject
from support.daemons import Running

NOISE = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)


def compose(running, model, x):
    """Start a daemon and have it make a picture of a subject at `x`; return the picture, and what the log says."""
    running.start()
    subject = io.BytesIO()
    Image.fromarray(NOISE).save(subject, "PNG")
    with running.client() as client:
        layer = Layer(
            picture=client.put_blob(subject.getvalue()), rect=Rect(x, 48, 64, 64), fidelity=1.0
        )
        [made] = client.compose(
            Composition(
                canvas=Canvas(160, 160),
                prompt="a cat",
                layers=(layer,),
                sampling=Sampling(model=str(model), steps=4),
            )
        )
    said = re.findall(
        r"Tokens: (\d+) of (\d+) found(?:, (\d+) of them on the disk)?", running.log.read_text()
    )
    return made.data, [int(number or 0) for number in said[-1]]


@pytest.mark.slow
def test_a_restarted_daemon_captures_nothing_again(tmp_path, tiny_model, monkeypatch) -> None:
    model = tiny_model("klein")
    running = Running(tmp_path / "home", toy=False)
    try:
        monkeypatch.setenv("STANDEE_TOKEN_DISK", "1")
        _, (found, captured, _) = compose(running, model, 32)
        assert (found, captured) == (0, 3)  # the first step is without
        folder, deadline = running.home / "tokens", time.monotonic() + 20
        while len(list(folder.glob("*.tokens"))) < captured:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        running.stop()
        moved, counts = compose(running, model, 64)
        assert counts == [captured, captured, captured]
    finally:
        running.stop()
    forgetful = StandeePipeline.from_pretrained(str(model), device="cpu", token_cache=0)
    subject = Subject(NOISE, rect=(64, 48, 64, 64), fidelity=1.0)
    fresh = forgetful(
        "a cat", layers=[subject], width=160, height=160, num_inference_steps=4
    ).images[0]
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(moved)).convert("RGB")), fresh)
