"""What people say about models: `models.toml` of the user, and `standee.json` in a model's folder.

Both hold the fields of `Card`; where they differ, `models.toml` counts. It lies in Standee's home,
gives names to folders and hub ids, and may also say how models are loaded (`hardware/options.py`):

    [models.krea]
    path = "black-forest-labs/FLUX.1-Krea-dev"
    description = "FLUX.1 Krea, for photographs."
    defaults = { steps = 28, guidance = 4.5 }

    [models.quantized]
    path = "/models/flux1-dev-Q4_K_S.gguf"
    base = "black-forest-labs/FLUX.1-dev"

    [cutout]
    model = "/models/isnet.onnx"
    clicks = "facebook/sam2.1-hiera-small"

    [hardware]
    offload = "model"
"""

from __future__ import annotations

import tomllib
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from standee.composition import Name, Pixels, Text, Unit
from standee.errors import InvalidField
from standee.files import home, text_of
from standee.validation import convert
from standee.wire.messages import GRABCUT

from ..hardware.options import Options, check


class Preferences(Struct, frozen=True, omit_defaults=True):
    """What a model prefers where a composition leaves the choice to it; see `families.base.Defaults`."""

    steps: Annotated[int, Meta(ge=1, le=200)] | None = None
    guidance: Annotated[float, Meta(ge=0.0, le=50.0)] | None = None
    tau: Unit | None = None
    scene_tau: Unit | None = None
    anchor: Unit | bool | None = None
    sharing: bool | None = None
    share_by: Literal["attention", "input"] | None = None
    share_sites: tuple[Annotated[int, Meta(ge=0)], ...] | None = None
    detail: Unit | None = None
    join_words: bool | None = None
    text_tokens: Annotated[int, Meta(ge=8, le=4096)] | None = None

    def given(self) -> dict[str, Any]:
        """Return those that are set."""
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in values.items() if value is not None}

    def under(self, upper: Preferences) -> Preferences:
        """Return these with everything that `upper` sets laid over them."""
        return replace(self, **upper.given())


class Card(Struct, frozen=True, kw_only=True):
    """How a model describes itself; all of it may be left out. `size` is its usual canvas in px."""

    name: Name = ""
    description: Text = ""
    licence: Name = ""
    size: Pixels | None = None
    defaults: Preferences = Preferences()

    def under(self, upper: Card) -> Card:
        """Return this card with everything that `upper` says written over it."""
        return Card(
            name=upper.name or self.name,
            description=upper.description or self.description,
            licence=upper.licence or self.licence,
            size=upper.size or self.size,
            defaults=self.defaults.under(upper.defaults),
        )


class Entry(Card, frozen=True, kw_only=True):
    """A model of `models.toml`: its card, and where it is (a folder, a hub id, or a file of weights).

    A file holds the transformer alone; `base` is the folder or hub id that the other parts come from.
    """

    path: Annotated[str, Meta(min_length=1, max_length=1000)]
    base: Annotated[str, Meta(max_length=1000)] = ""


Where = Annotated[str, Meta(max_length=1000)]
"""A folder, a file or a hub id; empty for none."""


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


class Configuration(Struct, frozen=True):
    """The content of `models.toml`."""

    models: dict[Name, Entry] = {}
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


def _entry(name: str, table: Any) -> Entry:
    try:
        entry: Entry = convert(table, Entry)
    except InvalidField as error:
        where = f"$.models.{name}" + error.path.removeprefix("$")
        raise InvalidField(error.message, path=where, fix=error.fix) from None
    return entry
