"""Captured tokens outlive the daemon: what one has captured, the next one finds on disk."""

import io
import re
import time

import numpy as np
import pytest
from PIL import Image

from standee import Canvas, Composition, Layer, Rect, Sampling
from support.daemons import Running


def compose(running, model, x):
    """Start a daemon and have it make a picture of a subject at `x`; return the picture, and what the log says."""
    running.start()
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    subject = io.BytesIO()
    Image.fromarray(noise).save(subject, "PNG")
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
    running, forgetful = (
        Running(tmp_path / "home", toy=False),
        Running(tmp_path / "other", toy=False),
    )
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
        monkeypatch.setenv("STANDEE_TOKEN_DISK", "0")
        monkeypatch.setenv("STANDEE_TOKEN_CACHE", "0")
        fresh, (found, _, _) = compose(forgetful, model, 64)
        assert found == 0
        assert pixels(moved) == pixels(fresh)
        assert not (forgetful.home / "tokens").exists()
    finally:
        running.stop()
        forgetful.stop()


def pixels(png):
    return Image.open(io.BytesIO(png)).tobytes()
