"""Errors: one type per cause, the same on both ends of the wire, readable by a person."""

import pickle
import re

import pytest

from standee import errors
from standee.errors import InvalidField, NotConnected, StandeeError

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, StandeeError)
]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_the_wire(kind: type[StandeeError]) -> None:
    sent = kind("It broke.", fix="Mend it.", path="$.layers[3].rect.w", retry_after=2.5)
    got = StandeeError.from_wire(sent.to_wire())
    assert type(got) is kind
    assert got.to_wire() == sent.to_wire()


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_a_pipe_between_processes(kind: type[StandeeError]) -> None:
    sent = kind("It broke.", fix="Mend it.", path="$.prompt", retry_after=1.0)
    got = pickle.loads(pickle.dumps(sent))
    assert type(got) is kind
    assert got.to_wire() == sent.to_wire()


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in KINDS]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in codes)


def test_an_error_of_a_newer_daemon_is_still_an_error() -> None:
    got = StandeeError.from_wire({"code": "from-the-future", "message": "New.", "fix": "Update."})
    assert type(got) is StandeeError
    assert (got.message, got.fix) == ("New.", "Update.")


@pytest.mark.parametrize(
    "data", [{}, {"code": 7, "message": None, "fix": ["x"], "retry_after": "soon"}]
)
def test_a_malformed_error_is_still_an_error(data: dict[str, object]) -> None:
    got = StandeeError.from_wire(data)
    assert got.message
    assert got.retry_after is None


def test_an_error_reads_as_what_went_wrong_then_where_then_what_to_do() -> None:
    error = InvalidField("The number is too small.", path="$.layers[3].rect.w", fix="Give 1.")
    assert str(error) == "The number is too small. ($.layers[3].rect.w) Give 1."
    assert str(NotConnected("No daemon answers.")) == "No daemon answers."


def test_only_what_may_succeed_later_is_retryable() -> None:
    retryable = {kind.code for kind in KINDS if kind.retryable}
    assert retryable == {"download-failed", "not-connected", "quota-exceeded", "storage-full"}
