"""Loading of a catalogued model into a family that runs.

diffusers loads, quantizes, places and offloads; here are only the choices. Weights are read from
safetensors alone: a model named by a stranger's composition must not run code.
"""

from __future__ import annotations

import json
import logging
import re
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from accelerate import cpu_offload_with_hook
from diffusers.hooks import apply_group_offloading
from safetensors import SafetensorError

from standee.errors import InvalidField, MissingDependency, StandeeError, UnknownModel

from ...catalog import download
from ...catalog.catalog import ModelInfo, describe
from ...catalog.sampling_defaults import SamplingDefaults
from ...hardware.load_presets import Offload, Preset, presets
from ...hardware.options import Options, resolve
from ...library_noise import be_quiet
from ..families import open_family
from ..families.base import Family
from ..families.wide_layers import needs_wide_layers, widen
from .non_finite import refuse_non_finite
from .picture_readers import READERS, picture_readers
from .quantization import cast_to_fp8, is_gguf, large_text_encoder, packing, tile
from .transformer_file import Unreadable, difference, read_transformer

log = logging.getLogger(__name__)

HARMLESS = re.compile(r"(^|\.)(position_ids|inv_freq)$|^lm_head\.")
"""Weights that older programs saved and newer ones compute, and a language model's head, which nothing reads here."""

DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}

GRAPHS = 32
"""How many graphs one block may have, one for each mode of a site, with and without LoRAs; torch gives 8."""


def load(info: ModelInfo, options: Options, preset: Preset | None = None) -> Family:
    """Load a model on this machine, ready to compose; without `preset` with the best that `options` leave.

    Raises `UnknownModel` (not there, not readable, or out of reach), `InvalidField` (options that
    this machine or this model cannot do, path `$.offload` and so on), `MissingDependency`, and
    torch's own `OutOfMemoryError`.
    """
    device, _ = resolve(options)
    preset = preset or presets(options, device.type)[0]
    be_quiet()
    folder = download.folder(info, "$.sampling.model")
    here = describe(folder)
    if device.type == "cuda":
        torch.cuda.set_device(device)  # quantized weights are packed on the current device
    pipeline = _read(folder, here.pipeline, preset, info.file, device)
    for part in _modules(pipeline):
        part.eval().requires_grad_(False)
    tile(pipeline)
    defaults = SamplingDefaults().having(here.defaults | info.defaults)
    _place(pipeline, device, preset.offload)
    place = partial(_place, pipeline, device, preset.offload)
    opened: Family = open_family(pipeline, device, here, defaults, place)
    refuse_non_finite(opened, pipeline)
    attention = opened.attend_by(options.attention)
    if options.step_cache:
        opened.reuse_blocks(options.step_cache)
    if options.compile:
        if device.type == "cuda" and find_spec("triton") is None:
            raise MissingDependency(
                "Compiling for CUDA needs the package triton.",
                fix="Run `pip install triton` (on Windows `triton-windows`), or load without it.",
            )
        compile_blocks(pipeline.transformer)
    how = info.name, folder, device, preset.name, attention
    log.info("Loaded %s from %s on %s: preset %s, attention %s", *how)
    return opened


def _read(
    folder: Path, pipeline: str, preset: Preset, file: Path | None, device: torch.device
) -> Any:
    """Read the weights from a folder, without network, and pack them as the preset says.

    With `file` the transformer's come from there.
    """
    dtype = DTYPES[preset.dtype]
    index = json.loads((folder / "model_index.json").read_text("utf-8"))
    packed = {
        "transformer": preset.quantization,
        large_text_encoder(index): preset.text_quantization,
    }
    try:
        readers = picture_readers(folder, index)
        parts: dict[str, Any] = dict.fromkeys(readers)
        for name, cls in _classes(index).items():
            way = packed.get(name, "none")
            config = packing(way, dtype, index[name][0])
            if name == "transformer" and file:
                parts[name] = _read_file(file, cls, folder, dtype, config)
            else:
                parts[name] = _read_part(folder, name, cls, dtype, config)
            if needs_wide_layers(device, dtype):
                widen(parts[name])
            if way == "fp8" and not (name == "transformer" and is_gguf(file)):
                cast_to_fp8(parts[name], dtype)  # before the next is read, or the host holds both
        made = getattr(diffusers, pipeline).from_pretrained(
            folder, **parts, dtype=dtype, local_files_only=True
        )
        made.register_modules(**readers)
        return made
    except torch.OutOfMemoryError:
        raise
    except StandeeError:
        raise
    except ImportError as error:
        raise MissingDependency(
            f"The model in {folder} needs a package that is not installed: {_line(error)}",
            fix="Install it into the daemon's environment.",
        ) from error
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise _unknown(
            f"The model in {folder} cannot be loaded: {_line(error)}",
            "Download or save it again, with its weights as safetensors.",
        ) from error


def _classes(index: dict[str, Any]) -> dict[str, Any]:
    """Return the classes of a pipeline's parts that have weights."""
    libraries = {"diffusers": diffusers, "transformers": transformers}
    found = {
        name: getattr(libraries[said[0]], said[1])
        for name, said in index.items()
        if isinstance(said, list) and said[0] in libraries and name not in READERS
    }
    return {
        name: cls
        for name, cls in found.items()
        if isinstance(cls, type) and issubclass(cls, torch.nn.Module)
    }


def _read_part(folder: Path, name: str, cls: Any, dtype: torch.dtype, packed: Any) -> Any:
    """Read a part from its folder, and packed where `packed` says how. Raises `UnknownModel`."""
    reading = {"dtype": dtype, "local_files_only": True, "use_safetensors": True}
    if packed is not None:
        reading["quantization_config"] = packed
    part, said = cls.from_pretrained(folder / name, **reading, output_loading_info=True)
    unexpected = [key for key in said["unexpected_keys"] if not HARMLESS.search(key)]
    if problem := difference(said["missing_keys"], unexpected):
        raise _unknown(
            f"The model in {folder} is not whole: its {name} {problem}.",
            "Download or save it again, with all of its weights and the config.json that belongs to them.",
        )
    return part


def _read_file(file: Path, cls: Any, folder: Path, dtype: torch.dtype, packed: Any) -> Any:
    """Read a transformer of the configuration in `folder` from a file, in whichever layout it is.

    GGUF comes packed already. Raises `UnknownModel` and `MissingDependency`.
    """
    if is_gguf(file):
        if find_spec("gguf") is None:
            raise MissingDependency(
                f"{file.name} needs the package gguf.",
                fix="Run `pip install gguf` in the daemon's environment.",
            )
        packed = diffusers.GGUFQuantizationConfig(compute_dtype=dtype)
    config = {"subfolder": "transformer", "local_files_only": True}
    try:
        with torch.device("meta"):
            model = cls.from_config(cls.load_config(str(folder), **config))
        return cls.from_single_file(
            read_transformer(file, model, dtype),
            config=str(folder),
            dtype=dtype,
            quantization_config=packed,
            **config,
        )
    except (torch.OutOfMemoryError, ImportError):
        raise
    except Unreadable as error:
        said, fix = str(error), error.fix
    except Exception as error:  # diffusers and gguf raise whatever they stumble over
        said, fix = _line(error), "Get it again; or name a base of its own kind in models.toml."
    raise _unknown(f"{file} cannot be read as a {cls.__name__} like that of {folder}: {said}", fix)


def _place(pipeline: Any, device: torch.device, offload: Offload) -> None:
    """Put the weights where they belong: on the device, or on the host to be fetched when needed.

    Text encoders alone are sent back once they have encoded all prompts (`encode_prompts`). Of whole
    models only one is on the device at a time, and the small autoencoder: previews would else swap the
    transformer out and in again. In groups, the transformer goes block by block, the next one on its
    way while one computes. The other parts go layer by layer without such look-ahead: it would rely on
    one order of calls, and an autoencoder encodes or decodes as it comes.
    """
    try:
        if offload == "none":
            pipeline.to(device)
        elif offload == "text":
            pipeline._all_hooks = []
            for part in _modules(pipeline):
                if part in (pipeline.transformer, pipeline.vae):
                    part.to(device)
                else:
                    pipeline._all_hooks.append(cpu_offload_with_hook(part, device)[1])
        elif offload == "model":
            pipeline.model_cpu_offload_seq = pipeline.model_cpu_offload_seq.removesuffix("->vae")
            pipeline._exclude_from_cpu_offload = ["vae"]
            pipeline.enable_model_cpu_offload(device=device)
            first, *_, last = pipeline._all_hooks
            first.hook.prev_module_hook = last  # the next prompt sends the transformer away
        else:
            ahead = device.type == "cuda"
            for part in _modules(pipeline):
                if part is pipeline.transformer:
                    part.enable_group_offload(
                        device, offload_type="block_level", num_blocks_per_group=1, use_stream=ahead
                    )
                else:
                    apply_group_offloading(part, device, offload_type="leaf_level")
    except torch.OutOfMemoryError:
        raise
    except (ValueError, RuntimeError, NotImplementedError) as error:
        raise InvalidField(
            f"This model cannot be offloaded as {offload!r} here: {_line(error)}",
            path="$.offload",
            fix="Use another offload; `standee doctor` says what suits this machine.",
        ) from error


def compile_blocks(transformer: Any, backend: str = "inductor") -> None:
    """Compile a transformer's repeated blocks; that happens at the first step of each mode.

    Every size is a variable of its own, even where two happen to be the same: a graph is good for all layouts.
    """
    torch._dynamo.config.recompile_limit = max(GRAPHS, torch._dynamo.config.recompile_limit)
    torch.fx.experimental._config.use_duck_shape = False
    transformer.compile_repeated_blocks(dynamic=True, backend=backend)


def _modules(pipeline: Any) -> list[torch.nn.Module]:
    return [part for part in pipeline.components.values() if isinstance(part, torch.nn.Module)]


def _line(error: BaseException) -> str:
    """Return the first line of what an error says, as a sentence."""
    said = (str(error).strip() or type(error).__name__).splitlines()[0]
    return said[:300].rstrip(". ") + "."


def _unknown(message: str, fix: str) -> StandeeError:
    return UnknownModel(message, path="$.sampling.model", fix=fix)
