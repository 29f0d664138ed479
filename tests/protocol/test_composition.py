"""The composition: what is valid, what is refused, and how the refusal reads."""

import math
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standee.composition import (
    MAX_LAYERS,
    Canvas,
    Composition,
    Control,
    Layer,
    Lora,
    Method,
    Rect,
    Sampling,
    Scene,
    from_json,
    to_json,
    validate,
)
from standee.errors import InvalidField
from standee.validation import convert
from standee.wire.notes import Note

CAT, MUG, MASK, DEPTH = "a" * 64, "b" * 64, "c" * 64, "d" * 64

digests = st.text("0123456789abcdef", min_size=64, max_size=64)
texts = st.text(max_size=50)
units = st.floats(0.0, 1.0)
coordinates = st.floats(-32768.0, 32768.0)
extents = st.floats(0.0, 32768.0, exclude_min=True)
rects = st.builds(Rect, coordinates, coordinates, extents, extents)
pictured = st.builds(
    Layer,
    picture=digests,
    rect=rects,
    name=texts,
    mask=st.none() | digests,
    fit=st.sampled_from(["contain", "cover", "stretch"]),
    flip=st.booleans(),
    rotation=st.floats(-36000.0, 36000.0),
    opacity=units,
    group=st.none() | st.text(min_size=1, max_size=64),
    prompt=texts,
    fidelity=units,
    variation=units,
    sharing=st.floats(0.0, 2.0),
)
of_words = st.builds(
    Layer, rect=rects, prompt=texts.map("a tower {}".format), mask=st.none() | digests
)
layers = pictured | of_words
controls = st.builds(
    Control,
    kind=st.sampled_from(["depth", "normal", "lines", "pose"]),
    picture=digests,
    strength=st.floats(0.0, 2.0),
    start=st.floats(0.0, 0.5),
    end=st.floats(0.6, 1.0),
)
loras = st.builds(Lora, st.text(min_size=1, max_size=20), st.floats(-4.0, 4.0))
compositions = st.builds(
    Composition,
    canvas=st.builds(Canvas, st.integers(16, 4096), st.integers(16, 4096)),
    prompt=texts,
    layers=st.lists(layers, max_size=4, unique_by=lambda layer: layer.id).map(tuple),
    scene=st.none() | st.builds(Scene, digests, st.none() | rects, st.none() | digests),
    sampling=st.builds(
        Sampling,
        seed=st.integers(0, 2**53),
        count=st.integers(1, 64),
        loras=st.lists(loras, max_size=3, unique_by=lambda lora: lora.path).map(tuple),
    ),
    method=st.builds(Method, tau=st.none() | units, gamma=units),
    control=st.lists(controls, max_size=3).map(tuple),
)


def layer(**changes: Any) -> dict[str, Any]:
    return {"picture": CAT, "rect": {"x": 0, "y": 0, "w": 64, "h": 64}} | changes


def rect(**changes: Any) -> dict[str, Any]:
    return {"x": 0, "y": 0, "w": 64, "h": 64} | changes


def refusal(data: Any) -> InvalidField:
    with pytest.raises(InvalidField) as caught:
        validate(data)
    return caught.value


@given(compositions)
def test_any_valid_composition_comes_back_from_json_unchanged(composition: Composition) -> None:
    assert from_json(to_json(composition)) == composition


@given(compositions)
def test_a_valid_composition_is_valid(composition: Composition) -> None:
    assert validate(composition) == composition


def test_the_shortest_composition_is_an_empty_map() -> None:
    assert from_json("{}") == Composition()


def test_unknown_fields_are_ignored() -> None:
    data = {"prompt": "a cat", "mood": "blue", "layers": [layer(glow=0.5)]}
    checked = validate(data)
    assert checked.prompt == "a cat"
    assert checked.layers[0].picture == CAT


def test_layers_without_ids_get_different_ones() -> None:
    checked = validate({"layers": [layer(), layer()]})
    assert checked.layers[0].id != checked.layers[1].id


def test_a_layer_of_words_names_no_picture_but_its_mask() -> None:
    words = {"rect": rect(), "prompt": "a tower"}
    assert validate({"layers": [words]}).digests() == frozenset()
    assert validate({"layers": [words | {"mask": MASK}]}).digests() == {MASK}


def test_digests_name_every_picture_and_mask_once() -> None:
    composition = validate(
        {
            "layers": [layer(mask=MASK), layer(picture=MUG, visible=False), layer()],
            "scene": {"picture": MUG, "kept": MASK},
            "control": [{"kind": "depth", "picture": DEPTH}],
        }
    )
    assert composition.digests() == {CAT, MUG, MASK, DEPTH}


def test_control_pictures_count_by_their_strength_and_the_layer_they_are_bound_to() -> None:
    depth = {"kind": "depth", "picture": DEPTH}
    bound = [depth | {"layer": name} for name in ("a", "b")]
    composition = validate(
        {
            "layers": [layer(id="a"), layer(id="b", visible=False)],
            "control": [depth | {"strength": 0}, *bound, depth | {"start": 0.5}],
        }
    )
    counting = composition.counting_controls()
    assert [(index, one.layer, one.start) for index, one in counting] == [
        (1, "a", 0),
        (3, None, 0.5),
    ]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("side", ["x", "y", "w", "h"])
def test_a_rectangle_that_is_not_finite_is_refused_by_name(side: str, bad: float) -> None:
    error = refusal({"layers": [layer(), layer(rect=rect(**{side: bad}))]})
    assert error.path == f"$.layers[1].rect.{side}"
    assert error.fix == "Give a finite number."


@pytest.mark.parametrize(
    ("data", "path", "fix"),
    [
        ({"canvas": {"width": 10**9}}, "$.canvas.width", "Give at most 8192."),
        ({"canvas": {"width": 256.5}}, "$.canvas.width", "Give a whole number."),
        ({"canvas": {"width": "256"}}, "$.canvas.width", "Give a whole number."),
        (
            {"canvas": {"width": 8192, "height": 8192}},
            "$.canvas",
            "Use at most 16,777,216 px in all.",
        ),
        ({"layers": [layer(rect=rect(w=0))]}, "$.layers[0].rect.w", "Give more than 0."),
        ({"layers": [layer(rect=rect(x=10**400))]}, "$.layers[0].rect.x", "Give a smaller number."),
        ({"layers": [{"picture": CAT}]}, "$.layers[0].rect", "Add this field."),
        (
            {"layers": [layer(fit="crop")]},
            "$.layers[0].fit",
            "Give one of: contain, cover, stretch.",
        ),
        (
            {"layers": [layer(picture="cat.png")]},
            "$.layers[0].picture",
            "Give the SHA-256 of the picture's bytes: 64 of the characters 0-9 and a-f.",
        ),
        (
            {"layers": [layer(), {"rect": rect(), "prompt": " "}]},
            "$.layers[1].picture",
            "Give it a picture, or say in `prompt` what shall be in its rectangle.",
        ),
        ({"layers": [layer(fidelity=1.5)]}, "$.layers[0].fidelity", "Give at most 1."),
        ({"layers": [layer(rotation="left")]}, "$.layers[0].rotation", "Give a number."),
        ({"layers": [layer(rotation=1e9)]}, "$.layers[0].rotation", "Give at most 36000."),
        ({"layers": [layer(rotation=math.inf)]}, "$.layers[0].rotation", "Give a finite number."),
        ({"layers": [layer(opacity=50)]}, "$.layers[0].opacity", "Give at most 1."),
        ({"layers": [layer(opacity=-0.1)]}, "$.layers[0].opacity", "Give at least 0."),
        ({"layers": [layer(group="")]}, "$.layers[0].group", "Fill it in."),
        ({"layers": [layer(flip="yes")]}, "$.layers[0].flip", "Give true or false."),
        (
            {"layers": [layer(id="a"), layer(id="a")]},
            "$.layers[1].id",
            "Give each layer its own id.",
        ),
        ({"layers": [layer()] * (MAX_LAYERS + 1)}, "$.layers", "Give at most 100 entries."),
        ({"scene": {"kept": MASK}}, "$.scene.picture", "Add this field."),
        ({"sampling": {"steps": 0}}, "$.sampling.steps", "Give at least 1."),
        ({"sampling": {"steps": True}}, "$.sampling.steps", "Give a whole number or null."),
        ({"sampling": {"model": ""}}, "$.sampling.model", "Fill it in."),
        ({"sampling": {"loras": [{}]}}, "$.sampling.loras[0].path", "Add this field."),
        (
            {"sampling": {"loras": [{"path": "a", "weight": 5}]}},
            "$.sampling.loras[0].weight",
            "Give at most 4.",
        ),
        (
            {"sampling": {"loras": [{"path": str(n)} for n in range(9)]}},
            "$.sampling.loras",
            "Give at most 8 entries.",
        ),
        (
            {"sampling": {"loras": [{"path": "a"}, {"path": "a", "weight": 2}]}},
            "$.sampling.loras[1].path",
            "Name each once; its weight says how much it counts.",
        ),
        (
            {"control": [{"kind": "edges", "picture": CAT}]},
            "$.control[0].kind",
            "Give one of: depth, lines, normal, pose.",
        ),
        (
            {"control": [{"kind": "depth", "picture": "d.png"}]},
            "$.control[0].picture",
            "Give the SHA-256 of the picture's bytes: 64 of the characters 0-9 and a-f.",
        ),
        (
            {"control": [{"kind": "depth", "picture": CAT, "strength": 3}]},
            "$.control[0].strength",
            "Give at most 2.",
        ),
        (
            {"control": [{"kind": "depth", "picture": CAT, "layer": "a"}]},
            "$.control[0].layer",
            "Give the id of a layer, or none for the whole canvas.",
        ),
        (
            {"control": [{"kind": "depth", "picture": CAT, "start": 0.8, "end": 0.2}]},
            "$.control[0].end",
            "Give an end after the start: 0 is the first step, 1 the last.",
        ),
        (
            {"control": [{"kind": "depth", "picture": CAT}] * 17},
            "$.control",
            "Give at most 16 entries.",
        ),
        ({"prompt": "x" * 2001}, "$.prompt", "Give at most 2000 characters."),
        ({"prompt": None}, "$.prompt", "Give a text."),
        ({"prompt": "\ud800"}, "$.prompt", "Give valid Unicode text."),
        ({"method": {"share_by": "red"}}, "$.method.share_by", "Give one of: attention, input."),
        ([], "$", "Give a map of fields."),
        (None, "$", "Give a map of fields."),
    ],
)
def test_a_wrong_field_is_named_with_what_would_be_right(data: Any, path: str, fix: str) -> None:
    error = refusal(data)
    assert (error.path, error.fix) == (path, fix)


def test_a_composition_of_a_newer_format_says_so_before_anything_else() -> None:
    error = refusal({"version": 3, "prompt": {"text": "a shape that version 1 does not know"}})
    assert error.path == "$.version"
    assert error.fix == "Update Standee."


def test_a_composition_of_the_first_format_keeps_its_look() -> None:
    """What was px is a share of the shorter side; thresholds in another measure are left to the model."""
    scene = {"picture": "a" * 64, "blend": 32.0, "feather": 12.0}
    old = {"canvas": {"width": 640, "height": 512}, "scene": scene, "method": {"tau": 0.6}}
    new = validate({**old, "version": 1})
    assert (new.version, new.scene.blend, new.scene.feather) == (2, 32 / 512, 12 / 512)
    assert new.method.tau is None
    assert validate({**old, "scene": None}).method.tau == 0.6


def test_a_layer_of_an_older_document_stands_upright_whole_and_alone() -> None:
    (old,) = validate({"version": 2, "layers": [layer()]}).layers
    assert (old.rotation, old.opacity, old.group) == (0.0, 1.0, None)


@pytest.mark.parametrize(
    ("fields", "shown"),
    [({}, True), ({"opacity": 0.01}, True), ({"opacity": 0}, False), ({"visible": False}, False)],
)
def test_what_is_hidden_or_wholly_transparent_is_not_shown(
    fields: dict[str, Any], shown: bool
) -> None:
    assert validate({"layers": [layer(**fields)]}).layers[0].shown == shown


def nested(levels: int) -> list[Any]:
    data: list[Any] = []
    for _ in range(levels):
        data = [data]
    return data


def test_endless_nesting_costs_nothing_where_it_has_no_meaning_and_is_refused_elsewhere() -> None:
    assert validate({"prompt": "a cat", "mood": nested(10_000)}).prompt == "a cat"
    with pytest.raises(InvalidField) as caught:
        convert({"code": "odd", "values": {"deep": nested(100)}}, Note)
    assert caught.value.fix == "Nest at most 32 levels."
    assert caught.value.path.startswith("$.values.deep[0]")


def test_a_large_unknown_field_under_a_long_name_is_read_in_no_time() -> None:
    """Its path was written out for each of its numbers: half a minute for a message of 1 MiB."""
    numbers: dict[str, Any] = {"x" * 500_000: [1.5] * 500_000}
    began = time.process_time()
    assert validate(numbers | {"prompt": "a cat"}).prompt == "a cat"
    assert time.process_time() - began < 1


def test_a_lone_surrogate_in_the_name_of_a_field_is_an_error_that_can_be_printed() -> None:
    with pytest.raises(InvalidField) as caught:
        convert({"code": "odd", "values": {"\ud800": 1}}, Note)
    str(caught.value).encode()
    with pytest.raises(InvalidField) as caught:
        validate({"layers": {"\ud800": 1}})
    str(caught.value).encode()


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b'{"a": NaN}', "[" * 10_000, "\ud800"])
def test_text_that_is_not_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(InvalidField, match="cannot be read as JSON"):
        from_json(text)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_read_or_refused_but_never_crash(data: bytes) -> None:
    with suppress(InvalidField):
        from_json(data)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["layers", "rect", "x", "w", "scene", "sampling", "steps", "picture"]
                ),
                inner,
                max_size=4,
            )
        ),
    )
)
def test_arbitrary_data_is_checked_or_refused_but_never_crashes(data: Any) -> None:
    try:
        validate(data)
    except InvalidField as refused:
        error = refused
    else:
        return
    assert error.path.startswith("$")
    assert error.fix
