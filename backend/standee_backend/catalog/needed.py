"""Downloads that a job needs first: models, LoRAs and cut-out networks that are not here yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from standee.composition import Composition
from standee.errors import DownloadNeeded
from standee.wire.messages import Cutout

from . import control_nets, download, lora_files, onnx_files
from .catalog import HUB_ID, ModelInfo, existing
from .hub import HubSnapshot, require_online
from .known_models import FINDER
from .model_card import configuration


@dataclass(frozen=True)
class Needed:
    """A repository of the hub that something at `field` names; `offer` asks the hub what it holds."""

    repository: str
    field: str
    offer: Callable[[], HubSnapshot]


def by_composition(info: ModelInfo, composition: Composition) -> list[Needed]:
    """Return what a composition with the model `info` lacks.

    Raises `InvalidField` for a wrong LoRA and a control picture that the model does not take, and `UnknownModel`.
    """
    field = "$.sampling.model"
    found = []
    if download.here(info) is None:
        found.append(Needed(info.folder, field, partial(download.offer, info, field)))
    for index, lora in enumerate(composition.sampling.loras):
        field = lora_files.field_of(index)
        if lora_files.locate(lora.path, field) is None:
            repository, _ = lora_files.on_hub(lora.path, field)
            offer = partial(lora_files.offer, lora.path, field)
            found.append(Needed(repository, field, offer))
    return found + _control_nets(info, composition)


def _control_nets(info: ModelInfo, composition: Composition) -> list[Needed]:
    found = []
    for path in dict.fromkeys(control_nets.weights_of(info.nets, composition).values()):
        field = "$.control"
        if path == control_nets.OWN or existing(path):
            continue
        if not HUB_ID.fullmatch(path):
            raise control_nets.missing(path, field)
        if download.network_here(path, field) is None:
            found.append(Needed(path, field, partial(download.network_offer, path, field)))
    return found


def by_cutout(spec: Cutout) -> list[Needed]:
    """Return the networks that a cut-out lacks, those that `models.toml` names among them. Raises `UnknownModel`."""
    words = bool(spec.words.strip())
    prompted = words or spec.box is not None or bool(spec.points)
    usual = configuration().cutout
    model, clicks, finder = usual.chosen(spec.model, spec.finder, prompted=prompted)
    named = {model: "$.model", clicks: "$.model"} | (
        {finder or FINDER: "$.finder"} if words else {}
    )
    found = []
    for name, field in named.items():
        repository = onnx_files.split(name)[0] or (name if HUB_ID.fullmatch(name) else "")
        if repository and download.network_here(name, field) is None:
            found.append(Needed(repository, field, partial(download.network_offer, name, field)))
    return found


def check(needed: Iterable[Needed]) -> None:
    """Raise `DownloadNeeded` for the first that is lacking; offline, and without the hub's package, what that means."""
    for one in needed:
        require_online(one.repository, one.field)
        raise DownloadNeeded(
            f"{one.repository} is not on this machine, and would have to be downloaded.",
            path=one.field,
            fix="Say yes to that: with --yes, or by `standee models download` for a model.",
        )
