"""Whatever bytes arrive, they become a message or one clear error."""

import gc
from contextlib import suppress

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standee.composition import Composition, validate
from standee.errors import BadMessage, InvalidField, StandeeError, TooLarge
from standee.wire import codec
from standee.wire.messages import BlobPut, Hello, JobSubmit, Ping

DIGEST = "ab" * 32


def header(**fields):
    return msgpack.packb(fields)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=4))
def test_garbage_is_refused_with_an_error_of_ours(frames):
    with pytest.raises(StandeeError) as caught:
        codec.request(frames)
    assert caught.value.message
    assert caught.value.fix


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["hello", "job.submit", "blob.put", "job.attach", "nonsense"]), values)
def test_any_map_is_a_request_or_an_error_of_ours(kind, value):
    fields = {"type": kind, "id": 1, "spec": value, "job": value, "digest": value}
    with suppress(StandeeError):
        codec.request([msgpack.packb(fields)])


@pytest.mark.parametrize("count", [0, 3, 100])
def test_a_message_has_one_or_two_frames(count):
    with pytest.raises(BadMessage, match=f"{count} frames"):
        codec.unpack([b"\x80"] * count)


@pytest.mark.parametrize(
    "bytes_",
    [
        b"",
        b"\xc1",
        b"\x93\x01\x02\x03",
        b"\x81\x01\x02",  # a key that is no text
        b"\xdf\xff\xff\xff\xff",  # a map of 4,294,967,295 entries
        b"\xdd\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\x91" * 5000,
        b"\x81\xa1a\xd4\x01\x00",  # an extension type
        b"\x80\x80",
        b"\x81\xa1a\xa2\xff\xff",  # a text that is no UTF-8
    ],
)
def test_a_header_that_is_no_map_of_ours_is_a_bad_message(bytes_):
    with pytest.raises(BadMessage) as caught:
        codec.unpack([bytes_])
    assert caught.value.path == "$"


@pytest.mark.parametrize("bytes_", [b"", b"\xc1", b"\x93\x01\x02\x03", b"\x91" * 5000])
def test_a_request_that_is_no_map_is_a_bad_message(bytes_):
    with pytest.raises(BadMessage) as caught:
        codec.request([bytes_])
    assert caught.value.path == "$"


def lists(count):
    """Return as many empty lists, in lists of 10,000."""
    return [[[]] * 10_000] * (count // 10_000)


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "job.list", "more": lists(900_000)},
        {"type": "job.submit", "job": "job-0001", "spec": lists(900_000)},
        {"type": "job.submit", "job": "job-0001", "spec": {"version": 1, "scene": lists(900_000)}},
        {"type": lists(900_000)},
        {"type": "ping", "id": lists(900_000)},
    ],
    ids=["unknown field", "specification", "old format", "type", "number"],
)
def test_a_message_of_a_million_lists_builds_none_of_them(fields):
    frames = [header(**fields)]
    before = gc.get_stats()[0]["collections"]  # each after some hundred lists
    codec.peek(frames)
    with suppress(StandeeError):
        validate(getattr(codec.request(frames), "spec", None))
    assert gc.get_stats()[0]["collections"] - before < 3


def test_bytes_belong_into_the_second_frame():
    put = {"type": "blob.put", "digest": DIGEST, "offset": 0, "data": b"bytes"}
    with pytest.raises(BadMessage) as caught:
        codec.request([header(**put)])
    assert caught.value.path == "$.data"


def test_a_frame_over_its_limit_is_too_large_in_both_directions():
    with pytest.raises(TooLarge):
        codec.unpack([b"\x80" * (codec.LIMITS.header + 1)])
    with pytest.raises(TooLarge) as caught:
        codec.encode(BlobPut(digest=DIGEST, offset=0, data=bytes(codec.LIMITS.chunk + 1)))
    assert caught.value.path == "$.data"
    assert len(codec.encode(BlobPut(digest=DIGEST, offset=0, data=bytes(codec.LIMITS.chunk)))) == 2


def test_a_specification_arrives_as_it_is_for_whoever_takes_the_job_to_check():
    layer = {"picture": DIGEST, "rect": {"x": 0.0, "y": 0.0, "w": float("nan"), "h": 1.0}}
    spec = {"layers": [layer]}
    request = codec.request([header(type="job.submit", id=1, job="job-0001", spec=spec)])
    with pytest.raises(InvalidField) as caught:
        validate(request.spec)
    assert caught.value.path == "$.layers[0].rect.w"


def test_a_composition_is_handed_in_as_it_is_and_arrives_packed():
    composition = Composition(prompt="a cat")
    frames = codec.encode(JobSubmit(id=1, job="job-0001", spec=composition))
    assert validate(codec.request(frames).spec) == composition


def test_a_map_nested_without_end_is_refused():
    deep = []
    for _ in range(400):
        deep = [deep]
    with pytest.raises(StandeeError):
        validate(codec.request([header(type="job.submit", id=1, job="job-0001", spec=deep)]).spec)


def test_a_second_frame_belongs_only_to_messages_with_data():
    with pytest.raises(BadMessage) as caught:
        codec.request([*codec.encode(Ping(id=4)), b"surplus"])
    assert caught.value.path == "$.data"


def test_an_unknown_type_is_an_error_that_names_the_field():
    with pytest.raises(InvalidField) as caught:
        codec.request([header(type="job.paint", id=1)])
    assert caught.value.path == "$.type"
    with pytest.raises(InvalidField) as caught:
        codec.request([header(id=1)])
    assert caught.value.path == "$.type"


def test_a_message_is_a_plain_msgpack_map_that_any_language_reads():
    [frame] = codec.encode(Hello(id=7, client="test"))
    assert msgpack.unpackb(frame) == {
        "type": "hello",
        "id": 7,
        "version": [1, 0],
        "client": "test",
    }
