"""Error types: each has a code, a message for a person, and what to do next.

The same errors are raised by the client, sent over the wire by the daemon and shown by both faces.
"""

from __future__ import annotations

from typing import Any, ClassVar


class StandeeError(Exception):
    """The base of every Standee error.

    `code` is stable and short, `message` one sentence for a person, `fix` what to do next, `path`
    the field that is wrong as a JSON path (`$.layers[3].rect.w`), `retryable` whether the same
    request may succeed later, and `retry_after` how many seconds to wait before it.
    """

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False

    def __init__(
        self, message: str, *, fix: str = "", path: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.path = path
        self.retry_after = retry_after

    def __str__(self) -> str:
        where = f" ({self.path})" if self.path not in ("", "$") else ""
        return f"{self.message}{where}" + (f" {self.fix}" if self.fix else "")

    def to_wire(self) -> dict[str, Any]:
        """Return the error as the map that messages carry."""
        return {
            "code": self.code,
            "message": self.message,
            "fix": self.fix,
            "path": self.path,
            "retryable": self.retryable,
            "retry_after": self.retry_after,
        }

    @staticmethod
    def from_wire(data: dict[str, Any]) -> StandeeError:
        """Rebuild an error from its map; a code not known here becomes a plain `StandeeError`."""
        kind = _BY_CODE.get(str(data.get("code")), StandeeError)
        wait = data.get("retry_after")
        return kind(
            str(data.get("message") or "The daemon reported an error without a message."),
            fix=str(data.get("fix") or ""),
            path=str(data.get("path") or ""),
            retry_after=float(wait) if isinstance(wait, int | float) else None,
        )


class InvalidField(StandeeError):
    """A field of a composition or message is missing, of the wrong type or out of its range."""

    code = "invalid-field"


class BadMessage(StandeeError):
    """What arrived is not a Standee message at all."""

    code = "bad-message"


class TooLarge(StandeeError):
    """A picture, message, document or list is over its limit."""

    code = "too-large"


class BadPicture(StandeeError):
    """The bytes of a picture cannot be decoded."""

    code = "bad-picture"


class BadDocument(StandeeError):
    """A `.standee` file is broken, unsafe or from a newer version."""

    code = "bad-document"


class MissingBlob(StandeeError):
    """A composition names a picture that the daemon does not hold."""

    code = "missing-blob"


class UnknownModel(StandeeError):
    """No model of that name or folder can be loaded."""

    code = "unknown-model"


class DownloadNeeded(StandeeError):
    """A model or LoRA is not on the daemon's machine, and nobody has said yes to its download."""

    code = "download-needed"


class DownloadFailed(StandeeError):
    """A model could not be brought from the hub; the next try goes on where this one stopped."""

    code = "download-failed"
    retryable = True


class UnknownJob(StandeeError):
    """No job with that id belongs to this client."""

    code = "unknown-job"


class Conflict(StandeeError):
    """A job id was used again with another specification."""

    code = "conflict"


class QuotaExceeded(StandeeError):
    """The client holds too many blobs, bytes or jobs."""

    code = "quota-exceeded"
    retryable = True


class OutOfMemory(StandeeError):
    """The job needs more memory than the device has."""

    code = "out-of-memory"


class JobFailed(StandeeError):
    """The job ran and failed; the message says of what."""

    code = "job-failed"


class JobCancelled(StandeeError):
    """The job was cancelled before it finished."""

    code = "job-cancelled"


class NotConnected(StandeeError):
    """No daemon answers."""

    code = "not-connected"
    retryable = True


class Unauthorised(StandeeError):
    """The daemon does not know this client's key."""

    code = "unauthorised"


class IncompatibleVersion(StandeeError):
    """Client and daemon speak different major versions of the protocol."""

    code = "incompatible-version"


class MissingDependency(StandeeError):
    """A package that this part needs is not installed."""

    code = "missing-dependency"


class StorageFull(StandeeError):
    """The disk is full or the folder cannot be written."""

    code = "storage-full"
    retryable = True


def _known(kind: type[StandeeError]) -> dict[str, type[StandeeError]]:
    known = {kind.code: kind}
    for sub in kind.__subclasses__():
        known |= _known(sub)
    return known


_BY_CODE = _known(StandeeError)
