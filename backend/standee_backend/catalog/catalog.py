"""The catalogue of models by name: the bundled one, configured ones, and the hub cache's.

A model is a folder in diffusers layout. Nothing here imports torch, runs a model or uses the
network: the daemon lists and checks models, the worker loads them (`engine/loading/`). What is
said about them besides is in `model_card.py`.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from msgspec import field
from msgspec.structs import replace

from standee.composition import ControlKind
from standee.errors import InvalidField, StandeeError, UnknownModel
from standee.files import NETWORK, read_regular, text_of
from standee.wire import messages

from . import control_nets, single_file
from .known_models import KNOWN
from .model_card import ModelCard, ModelEntry, configuration, read_card
from .sampling_defaults import SamplingDefaults, defaults_of

log = logging.getLogger(__name__)

MINI = Path(__file__).parents[1] / "models" / "mini"
"""The model that comes along."""

FAMILIES = {
    "FluxPipeline": "flux.Flux",
    "FluxKontextPipeline": "flux.FluxKontext",
    "FluxControlPipeline": "flux.FluxControl",
    "Flux2Pipeline": "flux2.Flux2Dev",
    "Flux2KleinPipeline": "flux2.Flux2",
    "ZImagePipeline": "z_image.ZImage",
    "Krea2Pipeline": "krea2.Krea2",
    "QwenImagePipeline": "qwen_image.QwenImage",
    "QwenImageEditPlusPipeline": "qwen_image.QwenImageEdit",
}
"""The pipelines of diffusers that can be used, and the class in `engine/families` that opens each."""

MAX_JSON = 2**20
"""The most bytes of a model's description; those of makers have a few KiB."""

MAX_LAYERS = 1000
"""The most layers of one kind; the largest models that are known have some sixty."""

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")


class ModelInfo(messages.ModelInfo, frozen=True):
    """A model that can be loaded, as it is listed and sent to clients.

    `path` is its folder, hub id or file, and `pipeline` its class in diffusers; of a file, `base` is
    the folder or hub id of the other parts. A model of the hub that is not on this machine yet is
    described once it is loaded; `defaults`, settings of `SamplingDefaults`, are then those that `models.toml` names.
    `nets` are the weights of its kinds of `control`.
    """

    base: str = ""
    licence: str = ""
    source: Literal["bundled", "configured", "folder", "hub"] = "folder"
    pipeline: str = "FluxPipeline"
    defaults: dict[str, Any] = field(default_factory=dict)
    nets: dict[ControlKind, str] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """The folder or hub id in diffusers layout."""
        return self.base or self.path

    @property
    def file(self) -> Path | None:
        """The file of the transformer's weights, where it is not in the folder."""
        return Path(self.path) if self.base else None


def models() -> tuple[ModelInfo, ...]:
    """Return the models that have a name; those that cannot be used are logged and left out."""
    try:
        configured = configuration().models
    except InvalidField as error:
        log.warning("%s", error)
        configured = {}
    known = {name: entry for name, entry in KNOWN.items() if cached(entry.path)}
    listed = []
    for name in ("mini", *configured, *(known.keys() - configured.keys())):
        try:
            listed.append(find(name))
        except StandeeError as error:
            log.warning("The model %r cannot be used: %s", name, error)
    return tuple(listed)


def find(name: str) -> ModelInfo:
    """Return the model called `name`: a listed name, a folder in diffusers layout, a file, or a hub id.

    Raises `UnknownModel`, which says what is available, and `InvalidField` where `models.toml`
    cannot be read.
    """
    if name == "mini":
        return describe(MINI, name=name, source="bundled")
    configured = configuration().models
    entry = configured.get(name) or KNOWN.get(name)
    path = entry.path if entry else name
    source = "configured" if name in configured else "folder"
    if not entry and path.startswith(NETWORK):
        raise _unusable(
            f"{path} is a folder of another computer, which only models.toml may name.",
            "Name it there, or copy it onto this machine.",
        )
    here = existing(path)
    if here is not None and here.is_file():
        file = here.resolve()
        single_file.check(file)
        base = single_file.base_of(file, entry.base if entry else "")
        parts = _at(base, entry, name if entry else file.stem, source, cached_base)
        if parts is None:
            raise _unusable(
                f"{base}, the base of {file}, is neither a folder nor a hub id.",
                "Correct `base` in models.toml.",
            )
        return replace(parts, path=str(file), base=parts.path)
    source = "configured" if name in configured else "folder" if here else "hub"
    found = _at(path, entry, name if entry or not here else "", source, cached)
    if found is None:
        raise _unknown(name, path, configured)
    return found


def _at(
    path: str,
    entry: ModelEntry | None,
    name: str,
    source: Any,
    look: Callable[[str], Path | None],
) -> ModelInfo | None:
    """Return the model in a folder or of the hub, or `None` where `path` can be neither.

    `look` says where a hub id's files are on this machine.
    """
    if folder := existing(path):
        return describe(folder, entry, name=name, source=source)
    if not HUB_ID.fullmatch(path):
        return None
    if here := look(path):
        return replace(describe(here, entry, name=name, source=source), path=path)
    card = entry or ModelCard()
    nets = entry.control if entry else {}
    return ModelInfo(
        name=name,
        path=path,
        description=card.description,
        licence=card.licence,
        size=card.size,
        source=source,
        defaults=card.defaults,
        nets=nets,
        control=tuple(sorted(nets)),
    )


def describe(
    folder: Path,
    card: ModelCard | None = None,
    *,
    name: str = "",
    source: Literal["bundled", "configured", "folder", "hub"] = "folder",
) -> ModelInfo:
    """Return what a model's folder holds; `card` beats its own. Raises `UnknownModel`."""
    if folder.is_file():
        raise _unusable(f"{folder} is a file, not a folder.", "Give a folder in diffusers layout.")
    index = _read(folder, "model_index.json")
    pipeline = index.get("_class_name")
    if not isinstance(pipeline, str) or pipeline not in FAMILIES:
        raise _unusable(
            f"The model in {folder} is a {pipeline}, which Standee does not know.",
            f"Use a model whose pipeline is {' or '.join(FAMILIES)}.",
        )
    transformer, vae = (_read(folder, part + "/config.json") for part in ("transformer", "vae"))
    _check_layers(folder, transformer)
    scheduler = folder / "scheduler" / "scheduler_config.json"
    shifted = _read(folder, "scheduler/scheduler_config.json") if scheduler.is_file() else {}
    checkpoint = dict(defaults_of(index, transformer, shifted))
    own = ModelCard(size=1024, defaults=checkpoint).under(_card(folder)).under(card or ModelCard())
    settings = SamplingDefaults().having(own.defaults)
    named = card.control if isinstance(card, ModelEntry) else {}
    nets = control_nets.nets_of(pipeline, transformer, named)
    latent_px = 2 ** (len(vae.get("block_out_channels") or vae.get("dim_mult") or ()) - 1)
    return ModelInfo(
        name=name or own.name or folder.resolve().name,
        family=FAMILIES[pipeline].partition(".")[0],
        description=own.description,
        path=str(folder.resolve()),
        patch=int(2 * latent_px),
        steps=settings.steps,
        guidance=settings.guidance,
        size=own.size,
        licence=own.licence,
        source=source,
        pipeline=pipeline,
        defaults=own.defaults,
        nets=nets,
        control=tuple(sorted(nets)),
    )


def cached(hub_id: str) -> Path | None:
    """Return the folder of a hub model that is on this machine, or `None`."""
    return _cached(hub_id, "model_index.json", ("transformer", "vae"))


def cached_base(hub_id: str) -> Path | None:
    """Return the folder of a hub model that is on this machine, whole or without its transformer's weights."""
    folder = _cached(hub_id, "model_index.json", ("text_encoder", "vae"))
    return folder if folder and (folder / "transformer" / "config.json").is_file() else None


def cached_network(hub_id: str) -> Path | None:
    """Return the folder of a single network of transformers that is on this machine, or `None`."""
    return _cached(hub_id, "config.json", (".",))


def cached_repository(hub_id: str) -> Path | None:
    """Return the folder of a hub repository that is on this machine, whole or in part."""
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import LocalEntryNotFoundError
    except ImportError:
        return None
    try:
        return Path(snapshot_download(hub_id, local_files_only=True))
    except LocalEntryNotFoundError:
        return None


def _cached(hub_id: str, index: str, parts: Sequence[str]) -> Path | None:
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    found = try_to_load_from_cache(hub_id, index)
    folder = Path(found).parent if isinstance(found, str) else None
    return folder if folder and all(_whole(folder / part) for part in parts) else None


def _whole(folder: Path) -> bool:
    """Whether a network's weights are all there: a download may have stopped in between."""
    for index in folder.glob("*.safetensors.index.json"):
        try:
            parts = set(json.loads(index.read_text("utf-8"))["weight_map"].values())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return False
        if not all((index.parent / str(name)).exists() for name in parts):
            return False
    return any(folder.glob("*.safetensors"))


def existing(path: str) -> Path | None:
    """Return the folder or file at `path`, or `None` where there is none that can be looked at."""
    try:
        found = Path(path).expanduser()
        return found if found.exists() else None
    except (OSError, RuntimeError, ValueError):
        return None


def _check_layers(folder: Path, config: dict[str, Any]) -> None:
    """Raise `UnknownModel` for more layers than a model has: building so many takes for ever."""
    for name, count in config.items():
        if name.endswith("layers") and isinstance(count, int) and count > MAX_LAYERS:
            raise _unusable(
                f"The transformer in {folder} says that it has {count:,} layers ({name}).",
                "Get the model again.",
            )


def _card(folder: Path) -> ModelCard:
    if not (folder / "standee.json").is_file():
        return ModelCard()
    try:
        return read_card(_read(folder, "standee.json"), ModelCard)
    except InvalidField as error:
        said = f"{error.message} ({error.path})"
        raise _unusable(f"{folder / 'standee.json'}: {said}", error.fix) from None


def _read(folder: Path, name: str) -> dict[str, Any]:
    """Return one of a model's JSON files."""
    try:
        data = json.loads(text_of(read_regular(folder / name, MAX_JSON)))
    except FileNotFoundError:
        raise _unusable(
            f"The folder {folder} is no model in diffusers layout: it has no {name}.",
            "Give the folder that holds model_index.json, with all its subfolders.",
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise _unusable(f"{folder / name} cannot be read: {error}.", "Get it again.") from None
    if not isinstance(data, dict):
        raise _unusable(f"{folder / name} holds no map of fields.", "Get it again.")
    return data


def _unusable(message: str, fix: str) -> UnknownModel:
    return UnknownModel(message, path="$.sampling.model", fix=fix)


def _unknown(name: str, path: str, configured: dict[str, ModelEntry]) -> UnknownModel:
    said = f"There is no model {name!r}" + (f": {path} does not exist." if path != name else ".")
    names = ["mini", *configured, *(key for key, entry in KNOWN.items() if cached(entry.path))]
    return _unusable(
        said,
        f"Available: {', '.join(dict.fromkeys(names))}; or give a folder in diffusers layout, or a"
        " hub id such as black-forest-labs/FLUX.1-schnell.",
    )
