"""Model cards: `models.toml` of the user, and `standee.json` in a model's folder.

Both hold the fields of `ModelCard`; where they differ, `models.toml` counts. It lies in Standee's home,
gives names to folders and hub ids, and may also say how models are loaded (`hardware/options.py`):

    [models.krea]
    path = "black-forest-labs/FLUX.1-Krea-dev"
    description = "FLUX.1 Krea, for photographs."
    defaults = { steps = 28, guidance = 4.5 }

    [models.quantized]
    path = "/models/flux1-dev-Q4_K_S.gguf"
    base = "black-forest-labs/FLUX.1-dev"

    [models.dev]
    path = "black-forest-labs/FLUX.1-dev"
    control = { depth = "/nets/depth" }

    [cutout]
    model = "/models/isnet.onnx"
    clicks = "facebook/sam2.1-hiera-small"

    [hardware]
    offload = "model"
"""

from __future__ import annotations

import tomllib
from typing import Annotated, Any, TypeVar

from msgspec import Meta, Struct

from standee.composition import ControlKind, Name, Pixels, Text
from standee.errors import InvalidField
from standee.files import home, text_of
from standee.validation import convert
from standee.wire.messages import GRABCUT

from ..hardware.options import Options, check
from .sampling_defaults import SamplingDefaults


class ModelCard(Struct, frozen=True, kw_only=True):
    """How a model describes itself; all of it may be left out.

    `size` is its usual canvas in px, `defaults` are settings of `SamplingDefaults`.
    """

    name: Name = ""
    description: Text = ""
    licence: Name = ""
    size: Pixels | None = None
    defaults: dict[str, Any] = {}

    def under(self, upper: ModelCard) -> ModelCard:
        """Return this card with everything that `upper` says written over it."""
        return ModelCard(
            name=upper.name or self.name,
            description=upper.description or self.description,
            licence=upper.licence or self.licence,
            size=upper.size or self.size,
            defaults=self.defaults | upper.defaults,
        )


AnyCard = TypeVar("AnyCard", bound=ModelCard)

Where = Annotated[str, Meta(max_length=1000)]
"""A folder, a file or a hub id; empty for none."""


class ModelEntry(ModelCard, frozen=True, kw_only=True):
    """A model of `models.toml`: its card, and where it is (a folder, a hub id, or a file of weights).

    A file holds the transformer alone; `base` is the folder or hub id that the other parts come from. `control` are
    the weights of control nets; see `control_nets.py`.
    """

    path: Annotated[str, Meta(min_length=1, max_length=1000)]
    base: Where = ""
    control: dict[ControlKind, Where] = {}


class CutoutModels(Struct, frozen=True):
    """The networks that cut out where a job names none; see `messages.Cutout`.

    `model` finds the subject, `clicks` is a mask-generation model for points and boxes, `finder` finds words.
    """

    model: Where = ""
    clicks: Where = ""
    finder: Where = ""

    def chosen(
        self, model: str | None, finder: str | None, *, prompted: bool
    ) -> tuple[str, str, str]:
        """Return what cuts out, what takes points and boxes besides, and what would find words, if it is named.

        `model` and `finder` are what a job names; it is `prompted` by a box, by points or words.
        """
        clicks = self.clicks if prompted and model is None else ""
        return model or self.model or GRABCUT, clicks or GRABCUT, finder or self.finder


def read_card(table: Any, kind: type[AnyCard]) -> AnyCard:
    """Return a card from a table of TOML or JSON. Raises `InvalidField`."""
    card: AnyCard = convert(table, kind)
    try:
        SamplingDefaults().having(card.defaults)
    except InvalidField as error:
        raise _below("$.defaults", error) from None
    return card


class Configuration(Struct, frozen=True):
    """The content of `models.toml`."""

    models: dict[Name, ModelEntry] = {}
    cutout: CutoutModels = CutoutModels()
    hardware: Options = Options()


def configuration() -> Configuration:
    """Read `models.toml`; without the file, return an empty one. Raises `InvalidField`."""
    path = home() / "models.toml"
    try:
        said: _Tables = convert(tomllib.loads(text_of(path.read_bytes())), _Tables)
        entries = {name: _entry(name, table) for name, table in said.models.items()}
        cutout = _networks(said.cutout)
        return Configuration(entries, cutout, check(said.hardware, path="$.hardware"))
    except FileNotFoundError:
        return Configuration()
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidField(f"{path} cannot be read: {error}.", fix="Correct the file.") from None
    except InvalidField as error:
        message = f"{path}: {error.message}"
        raise InvalidField(message, path=error.path, fix=error.fix) from None


class _Tables(Struct, frozen=True):
    """`models.toml` before its tables are checked one by one, so that errors can name them."""

    models: dict[str, Any] = {}
    cutout: dict[str, Any] = {}
    hardware: dict[str, Any] = {}


def _networks(table: Any) -> CutoutModels:
    try:
        networks: CutoutModels = convert(table, CutoutModels)
    except InvalidField as error:
        where = "$.cutout" + error.path.removeprefix("$")
        raise InvalidField(error.message, path=where, fix=error.fix) from None
    return networks


def _entry(name: str, table: Any) -> ModelEntry:
    try:
        return read_card(table, ModelEntry)
    except InvalidField as error:
        raise _below(f"$.models.{name}", error) from None


def _below(path: str, error: InvalidField) -> InvalidField:
    """Return an error of a part with the path that it has in the whole."""
    return InvalidField(error.message, path=path + error.path.removeprefix("$"), fix=error.fix)
