"""Validation of untrusted maps and lists into Structs, with errors that a person understands.

`composition.py` and `messages.py` declare the types and their bounds; here a violation becomes an
`InvalidField`: where it is (`$.layers[3].rect.w`), what is wrong with it and what would be right.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import inspect

from .errors import InvalidField

MAX_DEPTH = 32
"""How deeply maps and lists may nest."""
LOOKED_INTO = 2**16
"""Bytes of msgpack that are unpacked whole to say what is wrong: a million values would take seconds."""

BYTES = (bytes, bytearray, memoryview)
_KINDS = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a map of fields",
    "bytes": "bytes",
    "null": "null",
}
_SIDES = {">=": "at least", ">": "more than", "<=": "at most", "<": "less than"}
_DIGEST = "'^[0-9a-f]{64}$'"


def convert(data: Any, kind: Any) -> Any:
    """Return `data` (maps and lists, a Struct, or msgpack as a `msgspec.Raw`) as a checked `kind`.

    What `kind` has no place for is dropped before anything here walks it, and of msgpack it is never
    built, so that a message costs no more than what it means. Raises `InvalidField`.
    """
    try:
        if isinstance(data, msgspec.Struct):
            data = msgspec.to_builtins(data, builtin_types=BYTES)
        if isinstance(data, msgspec.Raw):
            made = msgspec.msgpack.decode(data, type=kind, strict=True)
        else:
            made = msgspec.convert(data, kind, strict=True)
        plain = msgspec.to_builtins(made, builtin_types=BYTES, enc_hook=_unseen)
    except RecursionError:
        raise _too_deep("$") from None
    except UnicodeEncodeError:
        raise InvalidField(
            "A field's name holds half a character (a lone surrogate).",
            path="$",
            fix="Give valid Unicode text.",
        ) from None
    except msgspec.ValidationError as error:
        invalid = _invalid_field(str(error), kind)
        if isinstance(data, msgspec.Raw):
            data = _unpacked(data)
        _complain(_at(data, invalid.path), invalid.path, 1)  # NaN is out of any range
        raise invalid from None
    except (msgspec.DecodeError, UnicodeError) as error:
        raise InvalidField(
            f"This is not msgpack that Standee reads: {error}.",
            path="$",
            fix="Send a msgpack map; texts are UTF-8.",
        ) from None
    if not _sound(plain):
        _complain(plain, "$", MAX_DEPTH)
    return made


def _unseen(raw: Any) -> None:
    """Stand for msgpack inside of what is checked: it is checked by whoever takes it."""


def _unpacked(data: msgspec.Raw) -> Any:
    """Return what a short message says, for the words of an error; `None` for others."""
    packed = memoryview(data)
    if len(packed) > LOOKED_INTO:
        return None
    try:
        return msgspec.msgpack.decode(packed)
    except (msgspec.DecodeError, UnicodeError, RecursionError, TypeError):
        return None


def _sound(data: Any) -> bool:
    """Return whether all numbers are finite, all texts encode, and nothing nests too deeply."""
    layer, depth = [data], 0
    while layer:
        if depth > MAX_DEPTH:
            return False
        deeper: list[Any] = []
        for value in layer:
            if isinstance(value, dict):
                deeper += value
                deeper += value.values()
            elif isinstance(value, list | tuple):
                deeper += value
            elif not _is_sound(value):
                return False
        layer, depth = deeper, depth + 1
    return True


def _is_sound(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, str) or _encodes(value)


def _complain(data: Any, path: str, depth: int) -> None:
    """Raise the `InvalidField` that says what is not sound, and where."""
    if depth < 0:
        raise _too_deep(path)
    if isinstance(data, dict):
        for key, value in data.items():
            _complain(key, path, depth - 1)
            _complain(value, f"{path}.{key}"[:200], depth - 1)
    elif isinstance(data, list | tuple):
        for index, value in enumerate(data):
            _complain(value, f"{path}[{index}]"[:200], depth - 1)
    elif isinstance(data, float) and not _is_sound(data):
        raise InvalidField(f"The number is {data}.", path=path, fix="Give a finite number.")
    elif not _is_sound(data):
        raise InvalidField(
            "The text holds half a character (a lone surrogate).",
            path=path,
            fix="Give valid Unicode text.",
        )


def _at(data: Any, path: str) -> Any:
    """Return the number or text at a JSON path; `None` for anything else."""
    for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", path):
        try:
            data = data[name or int(index)]
        except (KeyError, IndexError, TypeError):
            return None
    return None if isinstance(data, dict | list | tuple) else data


def _too_deep(path: str) -> InvalidField:
    return InvalidField(
        "Maps and lists are nested too deeply.",
        path=path,
        fix=f"Nest at most {MAX_DEPTH} levels.",
    )


def _encodes(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _invalid_field(error: str, kind: Any) -> InvalidField:
    """Reword one of msgspec's messages: `Expected `float` > 0.0 - at `$.rect.w``."""
    said, _, path = error.encode("utf-8", "backslashreplace").decode().partition(" - at ")
    if path.startswith("`key`"):
        return InvalidField("A field's name is not text.", path="$", fix="Name fields by text.")
    path = path.strip("`") or "$"
    if found := re.fullmatch(r"Object missing required field `(\w+)`", said):
        return InvalidField(
            "A required field is missing.", path=f"{path}.{found[1]}", fix="Add this field."
        )
    message, fix = _sentences(said[:500], path[:200], kind)
    return InvalidField(message, path=path[:200], fix=fix)


def _sentences(said: str, path: str, kind: Any) -> tuple[str, str]:
    """Return what is wrong and what would be right."""
    if found := re.fullmatch(r"Expected `([^`]+)`, got `([^`]+)`", said):
        wanted = " or ".join(_KINDS.get(name, name) for name in found[1].split(" | "))
        got = _KINDS.get(found[2], found[2])
        return f"The value is {got}, but {wanted} belongs here.", f"Give {wanted}."
    if found := re.fullmatch(r"Expected `(\w+)[^`]*` of length (\S+) (\d+)", said):
        things = "entries" if found[1] == "array" else "characters"
        thing = "list" if found[1] == "array" else "text"
        if found[2] == ">=" and found[3] == "1":
            return f"The {thing} is empty.", "Fill it in."
        long = "long" if "<" in found[2] else "short"
        return f"The {thing} is too {long}.", f"Give {_SIDES[found[2]]} {found[3]} {things}."
    if found := re.fullmatch(r"Expected `[^`]+` ([<>]=?) (\S+)", said):
        large = "large" if "<" in found[1] else "small"
        bound = found[2].removesuffix(".0")
        return f"The number is too {large}.", f"Give {_SIDES[found[1]]} {bound}."
    if said == "Number out of range":
        return "The number is too large.", "Give a smaller number."
    if said.endswith(_DIGEST):
        return (
            "This is not the digest of a picture.",
            "Give the SHA-256 of the picture's bytes: 64 of the characters 0-9 and a-f.",
        )
    if found := re.fullmatch(r"Invalid (?:enum )?value (.+)", said):
        choices = ", ".join(_choices(path, kind))
        return f"{found[1]} is not a choice here.", f"Give one of: {choices}." if choices else ""
    return f"The value is not valid: {said}.", "See docs/protocol.md for what belongs here."


def _choices(path: str, kind: Any) -> list[str]:
    """Return the texts allowed at `path` of `kind`; empty when they cannot be told."""
    found = [_type_info(kind)]
    for name in re.findall(r"\.(\w+)|\[", path):
        found = [inner for outer in found for inner in _inside(outer, name)]
    found = [member for outer in found for member in _members(outer)]
    return [str(v) for f in found if isinstance(f, inspect.LiteralType) for v in f.values]


@lru_cache(32)
def _type_info(kind: Any) -> inspect.Type:
    """Return what is known of a type; of all requests together it takes 15 ms to find out."""
    return inspect.type_info(kind)


def _inside(kind: inspect.Type, name: str) -> list[inspect.Type]:
    """Return the types of field `name`, or of the items where `name` is empty."""
    inner: list[inspect.Type] = []
    for member in _members(kind):
        if isinstance(member, inspect.StructType):
            inner += [f.type for f in member.fields if f.encode_name == name]
        elif isinstance(member, inspect.ListType | inspect.VarTupleType) and not name:
            inner.append(member.item_type)
    return inner


def _members(kind: inspect.Type) -> list[inspect.Type]:
    """Return the alternatives of a union, seen through `Meta`; else the type itself."""
    if isinstance(kind, inspect.Metadata):
        return _members(kind.type)
    if isinstance(kind, inspect.UnionType):
        return [member for one in kind.types for member in _members(one)]
    return [kind]
