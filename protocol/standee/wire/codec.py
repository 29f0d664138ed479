"""Messages to frames and back, with limits on everything that a stranger could make large.

A message is one or two frames: a msgpack map, and for messages with `data` the bytes of it. Nothing
here knows a socket. Raises `BadMessage`, `TooLarge` and `InvalidField`, never anything else,
whatever the bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import reduce
from operator import or_
from typing import Any, TypeVar, cast, get_args

import msgpack
import msgspec
from msgspec import Struct

from ..errors import BadMessage, InvalidField, TooLarge
from ..validation import convert
from .events import AnyEvent
from .messages import AnyAnswer, AnyRequest, JobSubmit, Limits

Frames = list[bytes]
T = TypeVar("T", bound=Struct)
LIMITS = Limits()
HEAD = 1024
"""Bytes of a message in which its type and number are looked for before it is read."""
FRAME_LIMIT = 2 * max(LIMITS.header, LIMITS.chunk)
"""A socket's MAXMSGSIZE: a frame over its limit gets an error, one over this ends the connection."""


class _Submitted(JobSubmit, frozen=True, kw_only=True, tag="job.submit"):
    """A job as it arrives: its specification is still packed."""

    spec: msgspec.Raw


_KINDS = [_Submitted if kind is JobSubmit else kind for kind in get_args(AnyRequest)]
_ARRIVING: Any = reduce(or_, _KINDS)
_REQUESTS = tuple(str(kind.__struct_config__.tag) for kind in get_args(AnyRequest))


def encode(message: Struct) -> Frames:
    """Return the frames of `message`. Raises `TooLarge`."""
    fields = msgspec.to_builtins(message, builtin_types=(bytes,))
    data = fields.pop("data", b"")
    header: bytes = msgpack.packb(fields, use_bin_type=True)
    frames = [header, data] if data else [header]
    check_sizes(frames)
    return frames


def unpack(frames: Sequence[bytes]) -> dict[str, Any]:
    """Return the map that `frames` carry, `data` included, of any type yet."""
    check_sizes(frames)
    size = len(frames[0])
    try:
        fields = msgpack.unpackb(
            frames[0],
            strict_map_key=True,
            max_str_len=size,
            max_bin_len=0,
            max_array_len=10_000,
            max_map_len=1_000,
            max_ext_len=0,
        )
    except (ValueError, RecursionError, msgpack.UnpackException) as error:
        raise BadMessage(
            f"The first frame is not msgpack that Standee reads: {error or type(error).__name__}.",
            path="$",
            fix="Send a msgpack map with text keys; bytes go into the second frame.",
        ) from None
    if not isinstance(fields, dict):
        raise BadMessage(
            "The first frame is not a map.", path="$", fix='Send a map with at least "type".'
        )
    if len(frames) == 2:
        fields["data"] = bytes(frames[1])
    return fields


def peek(frames: Sequence[bytes]) -> tuple[str, int]:
    """Return the type and the number of a message, as far as its first `HEAD` bytes tell them.

    Whatever the message, that takes no time. What is not told there gives `""` and 0.
    """
    seen: dict[Any, Any] = {}
    unpacker = msgpack.Unpacker(strict_map_key=True)
    with suppress(ValueError, TypeError, RecursionError, msgpack.UnpackException):
        unpacker.feed(frames[0][:HEAD] if frames else b"")
        for _ in range(unpacker.read_map_header()):
            name = unpacker.unpack()
            seen[name] = unpacker.unpack()
    kind, number = seen.get("type"), seen.get("id")
    return kind if isinstance(kind, str) else "", _count(number)


def number_of(frames: Sequence[bytes]) -> int:
    """Return the number of a message, wherever it stands; 0 where it has none."""
    with suppress(msgspec.MsgspecError, UnicodeError, RecursionError):
        return _count(_NUMBERED.decode(frames[0]).id)
    return 0


def _count(number: object) -> int:
    is_count = isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= 2**53
    return cast(int, number) if is_count else 0


class _Numbered(Struct):
    id: int = 0


_NUMBERED = msgspec.msgpack.Decoder(_Numbered)


def request(frames: Sequence[bytes]) -> AnyRequest:
    """Return the request that `frames` carry; the `spec` of a job stays packed (`msgspec.Raw`).

    Only what the type of the request has a place for is built, so that no message of 1 MiB costs
    much: a million lists would keep the event loop for seconds.
    """
    check_sizes(frames)
    try:
        message: AnyRequest = convert(msgspec.Raw(frames[0]), _ARRIVING)
    except InvalidField as error:
        if error.path == "$":
            raise BadMessage(
                f"The first frame is not a map of msgpack: {error.message}",
                path="$",
                fix='Send a msgpack map with at least "type"; bytes go into the second frame.',
            ) from None
        if error.path == "$.type":
            one_of = f"Use one of: {', '.join(_REQUESTS)}."
            raise InvalidField(error.message, path="$.type", fix=one_of) from None
        raise
    if getattr(message, "data", b""):
        raise BadMessage(
            "The map holds bytes.", path="$.data", fix="Send bytes as the second frame."
        )
    return _with_data(message, frames[1] if len(frames) == 2 else None)


def answer_or_event(fields: dict[str, Any]) -> AnyAnswer | AnyEvent:
    """Return the answer (it has `re`) or event (it has `job` and `seq`) with these fields."""
    fields = dict(fields)
    data = fields.pop("data", None)
    message: AnyAnswer | AnyEvent = convert(fields, AnyAnswer if "re" in fields else AnyEvent)
    return _with_data(message, data)


def _with_data(message: T, data: Any) -> T:
    """Return a message with the bytes that came beside it."""
    if data is None:
        return message
    if not isinstance(data, bytes) or "data" not in message.__struct_fields__:
        raise BadMessage(
            f"A message of type {message.__struct_config__.tag} has no second frame.",
            path="$.data",
            fix="Send the map alone.",
        )
    return msgspec.structs.replace(message, data=data)


def check_sizes(frames: Sequence[bytes]) -> None:
    """Raise `BadMessage` for another number of frames than one or two, `TooLarge` for their size."""
    if not 1 <= len(frames) <= 2:
        raise BadMessage(
            f"The message has {len(frames)} frames.",
            path="$",
            fix="Send one msgpack map and at most one frame of bytes.",
        )
    limits = (("$", LIMITS.header), ("$.data", LIMITS.chunk))
    for (name, limit), frame in zip(limits, frames, strict=False):
        if len(frame) > limit:
            raise TooLarge(
                f"A frame of {len(frame):,} bytes is over the limit of {limit:,}.",
                path=name,
                fix="Send pictures as blobs, in smaller chunks, and shorten texts and lists.",
            )
