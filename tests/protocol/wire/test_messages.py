"""Messages keep their meaning over the wire, and say which field is wrong."""

import msgpack
import msgspec
import pytest

from standee.errors import InvalidField, JobFailed, QuotaExceeded
from standee.validation import convert
from standee.wire import codec
from standee.wire.events import (
    AnyEvent,
    Cancelled,
    Failed,
    Preview,
    Problem,
    Progress,
    Result,
    ends,
)
from standee.wire.messages import AnyAnswer, AnyRequest, BlobChunk, BlobPut, Cutout, JobSubmit

DIGEST = "0123456789abcdef" * 4
FIELDS = {
    "digest": DIGEST,
    "digests": (DIGEST,),
    "job": "job-0001",
    "error": Problem(code="job-failed", message="No."),
    "version": (1, 0),
    "spec": {"prompt": "a cat"},
    "model": "FLUX.1-schnell",
    "data": b"\x00bytes",
}


def example(kind):
    """Return a message of `kind` with its required fields filled in."""
    filler = {"str": "x", "int": 3, "float": 1.5}
    given = {}
    for field in msgspec.structs.fields(kind):
        if field.name in FIELDS:
            given[field.name] = FIELDS[field.name]
        elif field.required:
            name = getattr(field.type, "__name__", "int")
            given[field.name] = filler.get(name, "queued" if field.name == "state" else 3)
    return kind(**given)


@pytest.mark.parametrize("kind", AnyRequest.__args__, ids=lambda kind: kind.__name__)
def test_a_request_arrives_as_it_was_sent(kind):
    sent = example(kind)
    arrived = codec.request(codec.encode(sent))
    if isinstance(arrived, JobSubmit):  # its specification is packed still
        spec = msgspec.msgpack.decode(arrived.spec)
        arrived = JobSubmit(id=arrived.id, job=arrived.job, kind=arrived.kind, spec=spec)
    assert arrived == sent


@pytest.mark.parametrize(
    "kind", [*AnyAnswer.__args__, *AnyEvent.__args__], ids=lambda kind: kind.__name__
)
def test_an_answer_or_event_arrives_as_it_was_sent(kind):
    sent = example(kind)
    assert codec.answer_or_event(codec.unpack(codec.encode(sent))) == sent


@pytest.mark.parametrize("kind", [BlobPut, BlobChunk, Preview])
def test_the_bytes_of_data_travel_in_a_frame_of_their_own(kind):
    header, data = codec.encode(example(kind))
    assert data == b"\x00bytes"
    assert data not in header


def test_unknown_fields_are_ignored_so_that_minor_versions_may_add_some():
    fields = codec.unpack(codec.encode(example(JobSubmit))) | {"mood": "sunny"}
    assert codec.request([msgpack.packb(fields)]).job == "job-0001"


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("job", "short", "$.job"),
        ("job", "no/slashes", "$.job"),
        ("kind", "paint", "$.kind"),
        ("priority", 1000, "$.priority"),
        ("id", -1, "$.id"),
    ],
)
def test_a_wrong_field_of_a_request_is_named(field, value, path):
    fields = codec.unpack(codec.encode(example(JobSubmit))) | {field: value}
    with pytest.raises(InvalidField) as caught:
        codec.request([msgpack.packb(fields)])
    assert caught.value.path == path
    assert caught.value.fix


def test_a_cutouts_box_is_checked():
    spec = {"picture": DIGEST, "box": {"x": 0, "y": 0, "w": -4, "h": 4}}
    with pytest.raises(InvalidField) as caught:
        convert(spec, Cutout)
    assert caught.value.path == "$.box.w"


def test_an_error_survives_the_wire_as_its_own_type():
    error = QuotaExceeded("Too much.", fix="Release.", path="$.size", retry_after=3.0)
    again = Problem.of(error).exception()
    assert type(again) is QuotaExceeded
    assert again.to_wire() == error.to_wire()


def test_a_job_ends_with_its_last_result_its_failure_or_its_cancellation():
    job = {"job": "job-0001"}
    assert not ends(Progress(**job))
    assert not ends(Result(**job, index=0, of=2))
    assert ends(Result(**job, index=1, of=2))
    assert ends(Failed(**job, error=Problem.of(JobFailed("No."))))
    assert ends(Cancelled(**job))
