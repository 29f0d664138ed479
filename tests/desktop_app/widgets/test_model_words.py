"""Descriptions of models are said once, in the interface's language."""

from __future__ import annotations

from standee_backend.catalog import catalog
from standee_backend.catalog.known_models import KNOWN
from standee_desktop.widgets.model_words import PHRASES, model_words


def test_every_known_model_can_be_described_in_another_language() -> None:
    said = {entry.description for entry in KNOWN.values()} | {catalog.find("mini").description}
    assert said == set(PHRASES)


def test_a_description_does_not_repeat_the_name_beside_it(app) -> None:  # type: ignore[no-untyped-def]
    assert model_words("FLUX.2 klein 4B: four steps.", "FLUX.2-klein-4B") == "Four steps."
    assert model_words("FLUX.1 Krea: less glossy.", "FLUX.1-Krea-dev") == "Less glossy."
    assert model_words("A small one: 3D figures.", "mini") == "A small one: 3D figures."
