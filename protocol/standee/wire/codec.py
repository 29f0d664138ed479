"""Messages to frames and back, with limits on everything that a stranger could make large.

A message is one or two frames: a msgpack map, and for messages with `data` the bytes of it. Nothing
here knows a socket. Raises `BadMessage`, `TooLarge` and `InvalidField`, never anything else,
whatever the bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, get_args

import msgpack
import msgspec
from msgspec import Struct

from ..errors import BadMessage, InvalidField, TooLarge
from ..validation import convert
from .events import AnyEvent
from .messages import AnyAnswer, AnyRequest, Limits

Frames = list[bytes]
LIMITS = Limits()
FRAME_LIMIT = 2 * max(LIMITS.header, LIMITS.chunk)
"""A socket's MAXMSGSIZE: a frame over its limit gets an error, one over this ends the connection."""


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


def glimpse(frames: Sequence[bytes]) -> tuple[str, int]:
    """Return the type and the number of a message, without building the rest of it.

    A map that has neither, or no map at all, gives `""` and 0; `unpack` says what is wrong with it.
    """
    with suppress(msgspec.MsgspecError, UnicodeError, RecursionError):
        seen = _GLIMPSE.decode(frames[0]) if frames else _Glimpse()
        kind = seen.type if isinstance(seen.type, str) else ""
        number = seen.id if isinstance(seen.id, int) and 0 <= seen.id <= 2**53 else 0
        return kind, number
    return "", 0


class _Glimpse(Struct):
    type: Any = ""
    id: Any = 0


_GLIMPSE = msgspec.msgpack.Decoder(_Glimpse)


def request(fields: dict[str, Any]) -> AnyRequest:
    """Return the request that `unpack` gave the fields of."""
    if fields.get("type") not in _REQUESTS:
        raise InvalidField(
            f"There is no request of the type {str(fields.get('type'))[:50]!r}.",
            path="$.type",
            fix=f"Use one of: {', '.join(_REQUESTS)}.",
        )
    message: AnyRequest = _typed(fields, AnyRequest)
    return message


def answer_or_event(fields: dict[str, Any]) -> AnyAnswer | AnyEvent:
    """Return the answer (it has `re`) or event (it has `job` and `seq`) with these fields."""
    message: AnyAnswer | AnyEvent = _typed(fields, AnyAnswer if "re" in fields else AnyEvent)
    return message


def _typed(fields: dict[str, Any], kinds: Any) -> Any:
    fields = dict(fields)
    data, spec = fields.pop("data", None), fields.pop("spec", None)
    if spec is not None:
        fields["spec"] = None  # it is checked by whoever takes the job, as what it is
    message = convert(fields, kinds)
    if spec is not None and "spec" in message.__struct_fields__:
        message = msgspec.structs.replace(message, spec=spec)
    if data is None:
        return message
    if not isinstance(data, bytes) or "data" not in message.__struct_fields__:
        raise BadMessage(
            f"A message of type {fields.get('type')} has no second frame.",
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
