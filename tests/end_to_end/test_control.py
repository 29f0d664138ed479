"""Control pictures in jobs: whose weights they need is the daemon's to say, and they come after a yes alone."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from standee import Canvas, Composition, Control, Sampling
from standee.errors import DownloadNeeded, InvalidField
from standee_backend import ControlImage, StandeePipeline
from support.daemons import Running
from support.hub_server import Hub

NAME = "someone/depth"


@pytest.fixture
def hub(tiny_net) -> Iterator[Hub]:
    served = Hub(NAME, tiny_net("flux"), licence="a licence")
    yield served
    served.close()


@pytest.fixture
def daemon(hub, tiny_model, tiny_net, tmp_path, monkeypatch) -> Iterator[Running]:
    """A daemon whose models.toml names two nets for `mine`: one of the hub, and a folder."""
    home = tmp_path / "home"
    home.mkdir()
    given = {"depth": NAME, "pose": str(tiny_net("flux-guided"))}
    nets = ", ".join(f"{kind} = {json.dumps(where)}" for kind, where in given.items())
    said = f"[models.mine]\npath = {json.dumps(str(tiny_model('flux')))}\ncontrol = {{ {nets} }}\n"
    (home / "models.toml").write_text(said)
    monkeypatch.setenv("STANDEE_HOME", str(home))
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    running = Running(home, toy=False).start()
    yield running
    running.stop()


def picture(level: int) -> bytes:
    pixels = np.full((48, 64, 3), level, np.uint8)
    pixels[:, :32] = 0
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def test_a_job_names_the_kind_and_the_daemon_brings_the_weights_after_a_yes(hub, daemon) -> None:
    with daemon.client() as client:
        [mine] = [model for model in client.models() if model.name == "mine"]
        assert mine.control == ("depth", "pose")
        depth = client.put_blob(picture(200))

        def controlled(*kinds: str, model: str = "mine") -> Composition:
            control = tuple(Control(kind, depth) for kind in kinds)
            sampling = Sampling(model=model, steps=1)
            return Composition(canvas=Canvas(64, 48), sampling=sampling, control=control)

        with pytest.raises(InvalidField) as refused:
            client.submit(controlled("depth", model="mini"))
        assert refused.value.path == "$.control[0].kind"
        with pytest.raises(DownloadNeeded) as caught:
            client.submit(controlled("depth"))
        assert caught.value.path == "$.control"
        assert hub.headers == [], "the hub is not even asked"
        [offer] = client.downloads(controlled("depth"))
        assert (offer.repository, offer.licence) == (NAME, "a licence")
        hub.headers.clear()
        [plain] = client.compose(controlled())
        [posed] = client.compose(controlled("pose"))
        assert hub.headers == [], "what is here needs no hub"
        in_a_notebook = StandeePipeline.from_pretrained("mine", device="cpu")
        again = in_a_notebook(
            width=64,
            height=48,
            num_inference_steps=1,
            control=[ControlImage("pose", picture(200))],
        )
        composed = Image.open(io.BytesIO(posed.data)).convert("RGB")
        assert np.array_equal(composed, again.images[0])
        with pytest.raises(DownloadNeeded):
            in_a_notebook(control=[ControlImage("depth", picture(200))])
        assert hub.headers == [], "nothing comes that was not asked for"
        [both] = client.compose(controlled("pose", "depth"), download=True)
        assert {name for name, _ in hub.ranges} == set(hub.files)
        assert client.downloads(controlled("depth")) == ()
    assert len({one.digest for one in (plain, posed, both)}) == 3
    assert list(both.receipt["model"]["control"]) == ["pose", "depth"]
    assert [one["kind"] for one in both.receipt["composition"]["control"]] == ["pose", "depth"]
