"""A transformer's file in any layout has all the weights of its model, or is refused by their names."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import diffusers
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from standee.errors import UnknownModel
from standee_backend.catalog import catalog
from standee_backend.engine.loading.load import load
from standee_backend.engine.loading.transformer_file import Unreadable, read_transformer
from standee_backend.hardware.options import Options
from support import single_files

Weights = dict[str, Tensor]

ORIGINAL: dict[str, Callable[[Path], Weights]] = {
    "flux": single_files.original_flux,
    "klein": single_files.original,
    "z-image": single_files.original_z_image,
    "qwen-image": single_files.as_diffusers,
    "krea2": single_files.original_krea2,
}


@pytest.fixture(scope="module", params=ORIGINAL)
def kind(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def folder(kind, tiny_flux, tiny_model) -> Path:
    return tiny_flux if kind == "flux" else tiny_model(kind)


@pytest.fixture(scope="module")
def weights(kind, folder) -> Weights:
    return ORIGINAL[kind](folder)


@pytest.fixture(scope="module")
def model(folder) -> torch.nn.Module:
    name = json.loads((folder / "model_index.json").read_text())["transformer"][1]
    cls = getattr(diffusers, name)
    with torch.device("meta"):
        return cls.from_config(cls.load_config(folder, subfolder="transformer"))


@pytest.fixture
def read(model, tmp_path) -> Callable[[Weights], Weights]:
    def read(weights: Weights) -> Weights:
        file = tmp_path / "transformer.safetensors"
        save_file({name: one.contiguous() for name, one in weights.items()}, file)
        return read_transformer(file, model, torch.float32)

    return read


def agree(found: Weights, folder: Path, tolerance: float = 0) -> None:
    expected = load_file(folder / "transformer" / "diffusion_pytorch_model.safetensors")
    assert found.keys() == expected.keys()
    for name, weight in expected.items():
        torch.testing.assert_close(found[name].float(), weight, rtol=tolerance, atol=tolerance / 99)


def scaled(weights: Weights, suffix: str, rows: bool = False) -> Weights:
    """Pack the matrices of blocks in 8 bits, with a scale each or one a row."""
    packed = dict(weights)
    for name, weight in weights.items():
        if weight.ndim == 2 and name.endswith(".weight") and ".0." in name:
            most = weight.abs().amax(dim=1, keepdim=True) if rows else weight.abs().max()
            scale = (most / 448).clamp(min=1e-8)
            packed[name] = (weight / scale).to(torch.float8_e4m3fn)
            packed[name.removesuffix("weight") + suffix] = scale
    return packed


@pytest.mark.parametrize("prefix", ["", "model.diffusion_model.", "diffusion_model."])
def test_the_makers_layout_is_the_model_under_any_prefix(folder, weights, read, prefix) -> None:
    agree(read({prefix + name: weight for name, weight in weights.items()}), folder)


def test_diffusers_layout_is_the_model_under_a_prefix(folder, read) -> None:
    theirs = load_file(folder / "transformer" / "diffusion_pytorch_model.safetensors")
    agree(read({f"transformer.{name}": weight for name, weight in theirs.items()}), folder)


def test_of_a_file_with_all_parts_the_transformer_is_taken(folder, weights, read) -> None:
    whole = {f"model.diffusion_model.{name}": weight for name, weight in weights.items()}
    whole["text_encoders.t5xxl.transformer.shared.weight"] = torch.zeros(4, 4)
    whole["vae.decoder.conv_in.weight"] = torch.zeros(4, 4, 3, 3)
    agree(read(whole), folder)


@pytest.mark.parametrize(
    ("suffix", "rows"), [("scale_weight", False), ("weight_scale", False), ("weight_scale", True)]
)
def test_weights_in_8_bits_are_multiplied_by_their_scales(
    folder, weights, read, suffix, rows
) -> None:
    packed = scaled(weights, suffix, rows)
    packed["scaled_fp8"] = torch.zeros(2).to(torch.float8_e4m3fn)
    for name in [name for name in packed if name.endswith(suffix)]:
        layer = name.removesuffix(suffix)
        packed[f"{layer}{'scale_input' if suffix == 'scale_weight' else 'input_scale'}"] = (
            torch.ones(1)
        )
        said = b'{"format": "float8_e4m3fn"}'
        packed[f"{layer}comfy_quant"] = torch.tensor(list(said), dtype=torch.uint8)
    assert len(packed) > len(weights)
    agree(read(packed), folder, tolerance=0.08)


def test_missing_weights_are_named(weights, read) -> None:
    names = sorted(weights)[3:19]
    left = {name: weight for name, weight in weights.items() if name not in names}
    with pytest.raises(Unreadable) as caught:
        read(left)
    said = ", ".join(names[:3]).replace("_norm.scale", "_norm.weight")
    assert f"lacks 16 weights: {said} and 13 more" in str(caught.value)


def test_weights_too_many_are_named(weights, read) -> None:
    with pytest.raises(
        Unreadable, match=r"1 weights that do not belong to it: double_blocks\.99\.x"
    ):
        read(weights | {"double_blocks.99.x": torch.zeros(2)})


def test_weights_of_another_size_are_named(weights, read) -> None:
    name = next(name for name, weight in weights.items() if weight.ndim == 2)
    rows, columns = weights[name].shape
    with pytest.raises(Unreadable) as caught:
        read(weights | {name: torch.zeros(rows, columns + 8)})
    assert f"its {name} is {rows} x {columns + 8}, where {rows} x {columns} is needed" in str(
        caught.value
    )


@pytest.mark.parametrize("sign", ["weight_scale_2", "absmax", "qweight", "int8", "nvfp4"])
def test_packings_that_are_not_read_are_called_so(weights, read, sign) -> None:
    name = next(name for name, weight in weights.items() if weight.ndim == 2)
    layer = name.removesuffix("weight")
    packed = dict(weights)
    if sign == "int8":
        packed |= {name: weights[name].to(torch.int8), f"{layer}weight_scale": torch.ones(1)}
    elif sign == "nvfp4":
        packed[f"{layer}comfy_quant"] = torch.tensor(
            list(b'{"format": "nvfp4"}'), dtype=torch.uint8
        )
    else:
        packed[layer + sign] = torch.ones(1)
    with pytest.raises(Unreadable, match="packed in a way that is not read") as caught:
        read(packed)
    assert layer in str(caught.value)
    assert "GGUF" in caught.value.fix


def test_a_file_of_another_kind_is_called_what_it_looks_like(tiny_model, tiny_flux) -> None:
    from diffusers import ZImageTransformer2DModel as Network

    with torch.device("meta"):
        config = Network.load_config(tiny_model("z-image"), subfolder="transformer")
        model = Network.from_config(config)
    file = tiny_flux / "transformer" / "diffusion_pytorch_model.safetensors"
    with pytest.raises(Unreadable, match=r"weights are none of that.* looks like FLUX\.1"):
        read_transformer(file, model, torch.float32)


# -- folders ---------------------------------------------------------------------------------------

PARTS = {
    "transformer": "diffusion_pytorch_model.safetensors",
    "vae": "diffusion_pytorch_model.safetensors",
    "text_encoder": "model.safetensors",
}


@pytest.mark.parametrize(
    ("model", "part", "how"),
    [
        ("flux", "transformer", "missing"),
        ("flux", "text_encoder", "missing"),
        ("klein", "transformer", "too many"),
        ("klein", "vae", "missing"),
        ("z-image", "transformer", "missing"),
        ("z-image", "text_encoder", "too many"),
    ],
)
def test_a_folder_that_is_not_whole_is_refused_with_the_weights_names(
    tiny_flux, tiny_model, tmp_path, model, part, how
) -> None:
    folder = tiny_flux if model == "flux" else tiny_model(model)
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    file = copy / part / PARTS[part]
    weights = load_file(file)
    names = [f"extra.{index}" for index in range(4)]
    if how == "missing":
        names = [name for name in sorted(weights) if weights[name].ndim == 2][:5]
        weights = {name: weight for name, weight in weights.items() if name not in names}
    else:
        weights |= {name: torch.zeros(2) for name in names}
    save_file(weights, file, {"format": "pt"})
    with pytest.raises(UnknownModel) as caught:
        load(catalog.find(str(copy)), Options(device="cpu"))
    error = caught.value
    said = f"its {part} lacks {len(names)} weights" if how == "missing" else "that do not belong"
    assert said in error.message
    assert str(copy) in error.message
    assert sum(name.removeprefix("text_model.") in error.message for name in names) == 3
    assert error.path == "$.sampling.model"
    assert error.fix
