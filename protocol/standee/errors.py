"""Error types: each has a code, a message for a person, and what to do next.

The same errors are raised by the client, sent over the wire by the daemon and shown by both faces.
Each type's docstring says what happened and then, in a second paragraph, the way out:
docs/troubleshooting.md is made of them.
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
    """A field of a composition or message is missing, of the wrong type or out of its range.

    The message says which field and what would be right there. `standee schema` prints all
    fields with their limits.
    """

    code = "invalid-field"


class BadMessage(StandeeError):
    """What arrived is not a Standee message at all.

    A message is one msgpack map, with a second frame for its bytes; the protocol's page has all
    of them. Else another program has the port.
    """

    code = "bad-message"


class TooLarge(StandeeError):
    """A picture, message, document or list is over its limit.

    The message has the limit. Scale the picture down, or take fewer layers.
    """

    code = "too-large"


class BadPicture(StandeeError):
    """The bytes of a picture cannot be decoded.

    Open the file in a picture program and save it anew as PNG or JPEG.
    """

    code = "bad-picture"


class BadDocument(StandeeError):
    """A `.standee` file is broken, unsafe or from a newer version.

    Where the message says that it is newer, update Standee. A damaged one does not come back:
    take a copy from before, or open an exported picture, whose receipt holds the arrangement.
    """

    code = "bad-document"


class MissingBlob(StandeeError):
    """A composition names a picture that the daemon does not hold.

    Say where the picture is: `--pictures` takes a folder or a document. In scripts, upload it
    with `put_blob` before the job is handed in.
    """

    code = "missing-blob"


class UnknownModel(StandeeError):
    """No model of that name or folder can be loaded.

    `standee models` lists what can be named. A folder must hold `model_index.json` and all
    weights.
    """

    code = "unknown-model"


class DownloadNeeded(StandeeError):
    """A model or LoRA is not on the daemon's machine, and nobody has said yes to its download.

    `standee models download NAME` shows its size and licence and brings it; so do `--yes` and
    the button in the editor and in Blender.
    """

    code = "download-needed"


class DownloadFailed(StandeeError):
    """A model could not be brought from the hub; the next try goes on where this one stopped.

    Look at the network and the room on the disk, and run the same again. For a gated model
    accept the licence on its page, then run `hf auth login`.
    """

    code = "download-failed"
    retryable = True


class UnknownJob(StandeeError):
    """No job with that id belongs to this client.

    `standee jobs` lists those there are. A job is forgotten once its pictures were fetched, or
    a week after its end.
    """

    code = "unknown-job"


class Conflict(StandeeError):
    """A job id was used again with another specification.

    Give each composition a new job id. The same id means the same job.
    """

    code = "conflict"


class QuotaExceeded(StandeeError):
    """The client holds too many blobs, bytes or jobs.

    `standee jobs --clear` forgets what has ended. Else wait until jobs are done, or give more
    with `standee serve --quota`.
    """

    code = "quota-exceeded"
    retryable = True


class OutOfMemory(StandeeError):
    """The job needs more memory than the device has.

    Close what else uses the card; make the canvas smaller, or take a smaller model. `standee
    doctor` says what fits. Where `[hardware]` of `models.toml` or a flag pins `offload` or
    `quantization`, set it to `auto`, so that Standee may choose what is lighter.
    """

    code = "out-of-memory"


class JobFailed(StandeeError):
    """The job ran and failed; the message says of what.

    Hand it in again. If it fails again, `daemon.log` in Standee's home has the whole story:
    report it with that.
    """

    code = "job-failed"


class JobCancelled(StandeeError):
    """The job was cancelled before it finished.

    Hand it in again if that was not meant.
    """

    code = "job-cancelled"


class NotConnected(StandeeError):
    """No daemon answers.

    `standee serve` runs the daemon in the terminal, where one sees why it ends. For another
    machine, see whether its daemon listens (`--listen`) and a firewall lets it through.
    """

    code = "not-connected"
    retryable = True


class Unauthorised(StandeeError):
    """The daemon does not know this client's key.

    A paired machine needs a connection file of the daemon as it is now: run `standee pair`
    again and carry the file over. Some requests are for the daemon's own user only.
    """

    code = "unauthorised"


class IncompatibleVersion(StandeeError):
    """Client and daemon speak different major versions of the protocol.

    Update the older of the two, then restart the daemon: `standee serve --stop`, `standee
    serve`.
    """

    code = "incompatible-version"


class MissingDependency(StandeeError):
    """A package that this part needs is not installed.

    Install what the message names, into the Python that Standee runs on. `standee doctor` says
    what is there.
    """

    code = "missing-dependency"


class StorageFull(StandeeError):
    """The disk is full or the folder cannot be written.

    Make room, or choose another place, and try again. Pictures that could not be written wait
    with the daemon: `standee jobs ID -o FILE` fetches them.
    """

    code = "storage-full"
    retryable = True


def _known(kind: type[StandeeError]) -> dict[str, type[StandeeError]]:
    known = {kind.code: kind}
    for sub in kind.__subclasses__():
        known |= _known(sub)
    return known


_BY_CODE = _known(StandeeError)
