"""The probe of sites: keys are turned at one site, there only, and as far as it says."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest
import torch
from diffusers.models.attention_dispatch import dispatch_attention_fn

from standee_backend.catalog import catalog
from standee_backend.engine.families.base import Family
from standee_backend.engine.loading.load import load
from standee_backend.engine.references import gaussian
from standee_backend.hardware.options import Options

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "probe_sites.py"
SIDE = 4


@pytest.fixture(scope="module")
def probe():
    spec = importlib.util.spec_from_file_location("probe_sites", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", params=["flux", "klein", "z-image-turbo", "qwen-image"])
def family(request, tiny_model, tiny_flux) -> Family:
    folder = tiny_flux if request.param == "flux" else tiny_model(request.param)
    opened = load(catalog.find(str(folder)), Options(device="cpu"))
    assert isinstance(opened, Family)
    return opened


def keys_at_sites(family, monkeypatch) -> list[torch.Tensor]:
    """Return the image's keys as they enter each site's attention."""
    seen = []
    where = {
        next(one.__module__ for one in type(processor).__mro__ if "diffusers" in one.__module__)
        for processor in family.processors
    }

    def watched(query, key, value, **how):
        seen.append(key)
        return dispatch_attention_fn(query, key, value, **how)

    with monkeypatch.context() as patch:
        for module in where:
            patch.setattr(sys.modules[module], "dispatch_attention_fn", watched)
        family.velocity(
            gaussian(0, (1, SIDE * SIDE, family.channels)),
            torch.tensor(0.5),
            family.encode_prompt("a cat", 0.0),
            family.grid_ids(SIDE, SIDE),
        )
    if family.name == "z_image":
        del seen[1]  # the refiner of the text
    image = slice(0, SIDE * SIDE) if family.name == "z_image" else slice(-SIDE * SIDE, None)
    return [keys[0, image] for keys in seen]


def test_removed_rotation_leaves_keys_as_their_norm_made_them(probe, family, monkeypatch) -> None:
    normed = []
    with probe.turned(family, 1, SIDE, "remove"):
        handle = family.attentions[1].norm_k.register_forward_hook(
            lambda module, given, keys: normed.append(module.forward(given[0]))
        )
        keys = keys_at_sites(family, monkeypatch)[1]
        handle.remove()
    first = family.processors[1].first_cell
    expected = normed[0][0, first : first + SIDE * SIDE]
    if family.name == "z_image":  # its image also stands behind the text, on an axis of 8 dims
        keys, expected = keys[..., 8:], expected[..., 8:]
    torch.testing.assert_close(keys, expected, atol=1e-5, rtol=1e-5)


def test_shifted_keys_stand_a_quarter_of_the_canvas_away(probe, family, monkeypatch) -> None:
    plain = keys_at_sites(family, monkeypatch)
    with probe.turned(family, 0, SIDE, "shift"):
        shifted = keys_at_sites(family, monkeypatch)
    ids = family.grid_ids(2, 2)
    cos, sin = family.rotation(ids[-1:] - ids[:1])
    turn = torch.complex(cos[:, ::2], sin[:, ::2])
    expected = torch.view_as_complex(plain[0].unflatten(-1, (-1, 2))) * turn[:, None]
    torch.testing.assert_close(
        torch.view_as_complex(shifted[0].unflatten(-1, (-1, 2))), expected, atol=1e-5, rtol=1e-5
    )
    again = keys_at_sites(family, monkeypatch)
    assert all(torch.equal(a, b) for a, b in zip(again, plain, strict=True))


def test_the_script_ranks_every_site_and_suggests_some(probe, tiny_model, tmp_path, capsys) -> None:
    report = tmp_path / "probe.json"
    asked = ["--size", "64", "--steps", "2", "--json", str(report)]
    assert probe.main(["--model", str(tiny_model("klein")), *asked]) == 0
    found = json.loads(report.read_text())
    changes = [row["change"] for row in found["sites"]]
    assert len(changes) == 3
    assert changes == sorted(changes)
    assert changes[0] > 0
    assert f"share_sites = {found['content']}" in capsys.readouterr().out
