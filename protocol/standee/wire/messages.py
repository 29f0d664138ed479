"""Every message of the protocol as a type: requests and answers here, and `events.py`'s.

On the wire a message is one msgpack map whose `type` names it; the field `data`, where a type has
one, travels as a second, binary frame (see `codec.py`). `docs/protocol.md` tells the same story
without Python.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from ..composition import Coordinate, Digest, Rect, Text
from .events import Problem
from .known_models import KnownModel
from .worker_info import WorkerInfo

PROTOCOL = (1, 0)
"""Major and minor version. Another major is refused; a larger minor only adds things."""

JobId = Annotated[str, Meta(pattern=r"^[0-9A-Za-z_-]{8,64}$")]
Kind = Literal["compose", "cutout"]
State = Literal["queued", "running", "done", "failed", "cancelled"]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Short = Annotated[str, Meta(max_length=200)]


class Point(Struct, frozen=True):
    """A point of a picture in its own px; `inside` says whether it belongs to the subject."""

    x: Coordinate
    y: Coordinate
    inside: bool = True


GRABCUT = "grabcut"
"""The model of a cut-out that needs no download."""


class Cutout(Struct, frozen=True):
    """Ask for a subject's cut-out: a mask as large as the picture. Units: the picture's own px.

    Without `box` and `points` the subject is what stands out, or fills the picture save a small margin.
    A point changes the piece it lies on. `mask` is a cut-out to go on from, such as one that was painted.
    `model` is `None` for the daemon's usual way, which its `models.toml` may name, `grabcut` for the one
    without a download, an ONNX file of a salient-object network (also `owner/name/file.onnx` on the hub), or
    a folder or hub id of a mask-generation model. `words` say what the subject is; `finder` looks for them, in
    the box if there is one: a folder or hub id of a zero-shot detection model, `None` for the usual one.
    """

    picture: Digest
    box: Rect | None = None
    points: Annotated[tuple[Point, ...], Meta(max_length=100)] = ()
    model: Annotated[str, Meta(min_length=1, max_length=1000)] | None = None
    words: Text = ""
    finder: Annotated[str, Meta(min_length=1, max_length=1000)] | None = None
    mask: Digest | None = None

    def digests(self) -> frozenset[str]:
        """Return the digests of its pictures."""
        return frozenset(filter(None, (self.picture, self.mask)))


class Request(Struct, frozen=True, kw_only=True, tag_field="type"):
    """What a client asks. `id` comes back as `re` in the answer; asking again with it is safe."""

    id: Count = 0


class Hello(Request, frozen=True, kw_only=True, tag="hello"):
    """The first message of every connection."""

    version: tuple[int, int] = PROTOCOL
    client: Short = ""


class Ping(Request, frozen=True, kw_only=True, tag="ping"):
    """Ask for a sign of life."""


class BlobHas(Request, frozen=True, kw_only=True, tag="blob.has"):
    """Ask which of these pictures the daemon lacks."""

    digests: Annotated[tuple[Digest, ...], Meta(max_length=1000)]


class BlobOpen(Request, frozen=True, kw_only=True, tag="blob.open"):
    """Begin or resume an upload; the answer says from which byte to go on."""

    digest: Digest
    size: Count


class BlobPut(Request, frozen=True, kw_only=True, tag="blob.put"):
    """Bytes of an upload from `offset` on."""

    digest: Digest
    offset: Count
    data: bytes = b""


class BlobCommit(Request, frozen=True, kw_only=True, tag="blob.commit"):
    """End an upload: its digest is checked, and the picture is on disk when the answer comes."""

    digest: Digest


class BlobGet(Request, frozen=True, kw_only=True, tag="blob.get"):
    """Read up to `length` bytes of a picture from `offset` on."""

    digest: Digest
    offset: Count = 0
    length: Annotated[int, Meta(ge=1, le=2**20)] = 2**18


class JobSubmit(Request, frozen=True, kw_only=True, tag="job.submit"):
    """Hand in a job. The same `job` with the same `spec` is the same job, with another a conflict.

    The sender is attached to the job. Paths in errors are those of the `spec`: a `Composition` or
    `Cutout` where the job is handed in, still packed (`msgspec.Raw`) where it arrives. Whoever
    takes it checks it, once. `download` is the person's yes to what would have to be brought from
    the hub; a composition cannot give it.
    """

    job: JobId
    kind: Kind = "compose"
    spec: Any
    priority: Annotated[int, Meta(ge=-100, le=100)] = 0
    download: bool = False


class JobAttach(Request, frozen=True, kw_only=True, tag="job.attach"):
    """Ask for a job's events after `since_seq`: first those that were, then those to come."""

    job: JobId
    since_seq: Count = 0


class JobCancel(Request, frozen=True, kw_only=True, tag="job.cancel"):
    """Stop a job within one step; `hard` kills its worker at once, and a job that shares it starts anew."""

    job: JobId
    hard: bool = False


class JobList(Request, frozen=True, kw_only=True, tag="job.list"):
    """Ask for the jobs of this client after number `after`, oldest first.

    `everyone` asks for those of all clients; only the daemon's own user may.
    """

    after: Count = 0
    everyone: bool = False


class JobRelease(Request, frozen=True, kw_only=True, tag="job.release"):
    """Forget a finished job and its results. A job that is not there counts as released."""

    job: JobId


class ModelsRequest(Request, frozen=True, kw_only=True, tag="models"):
    """Ask which models can be used."""


class KnownModelsRequest(Request, frozen=True, kw_only=True, tag="models.known"):
    """Ask what models there are to have, and what each takes. Only the daemon's own user may."""


class ModelDownload(Request, frozen=True, kw_only=True, tag="models.download"):
    """Download a known model beside the jobs, or `stop` that. It says yes to its licence, and may be asked again."""

    model: Short
    stop: bool = False


class DownloadsRequest(Request, frozen=True, kw_only=True, tag="downloads"):
    """Ask what a job of this `spec` would have to download first. Only the daemon's own user may."""

    kind: Kind = "compose"
    spec: Any


class StatusRequest(Request, frozen=True, kw_only=True, tag="status"):
    """Ask how the daemon is."""


class Shutdown(Request, frozen=True, kw_only=True, tag="shutdown"):
    """Stop the daemon. Unfinished jobs go on when it starts again."""


AnyRequest = (
    Hello
    | Ping
    | BlobHas
    | BlobOpen
    | BlobPut
    | BlobCommit
    | BlobGet
    | JobSubmit
    | JobAttach
    | JobCancel
    | JobList
    | JobRelease
    | ModelsRequest
    | KnownModelsRequest
    | ModelDownload
    | DownloadsRequest
    | StatusRequest
    | Shutdown
)


class Limits(Struct, frozen=True):
    """What the daemon takes.

    Bytes of one `header`, of one `chunk` (the second frame), of one picture (`blob`) and of all of
    a client's pictures (`storage`); how many unfinished `jobs` of one client, and how many of its
    `requests` may wait for an answer.
    """

    header: int = 2**20
    chunk: int = 2**20
    blob: int = 2**28
    storage: int = 2**32
    jobs: int = 256
    requests: int = 64


class ModelInfo(Struct, frozen=True):
    """A model that compositions may name in `sampling.model`; `control` are the kinds of control picture it takes."""

    name: str
    family: str = ""
    description: str = ""
    path: str = ""
    patch: int = 16
    steps: int | None = None
    guidance: float | None = None
    size: int | None = None
    control: tuple[str, ...] = ()


class Download(Struct, frozen=True):
    """What there is to download: a repository of the hub, bytes, its licence and where that stands.

    `gated`: the hub wants it accepted there, by somebody who is logged in.
    """

    repository: str
    size: int
    licence: str = ""
    licence_url: str = ""
    gated: bool = False


class JobInfo(Struct, frozen=True):
    """One line of the list of jobs. Times are seconds since 1970; `number` orders all jobs."""

    job: str
    kind: Kind
    state: State
    created: float
    finished: float | None = None
    priority: int = 0
    position: int | None = None
    attempts: int = 0
    summary: str = ""
    number: int = 0


class Answer(Struct, frozen=True, kw_only=True, tag_field="type"):
    """What the daemon answers to the request whose id is `re`."""

    re: Count = 0


class Welcome(Answer, frozen=True, kw_only=True, tag="welcome"):
    """The answer to `hello`. `epoch` is another one after each start of the daemon."""

    version: tuple[int, int]
    epoch: str
    server: str = ""
    capabilities: tuple[str, ...] = ()
    limits: Limits = Limits()
    models: tuple[ModelInfo, ...] = ()


class Ok(Answer, frozen=True, kw_only=True, tag="ok"):
    """Done."""


class BlobMissing(Answer, frozen=True, kw_only=True, tag="blob.missing"):
    """Those of the pictures asked about that have to be uploaded."""

    digests: tuple[str, ...] = ()


class BlobState(Answer, frozen=True, kw_only=True, tag="blob.state"):
    """How far an upload is: the bytes before `offset` are there, all of them if `complete`."""

    digest: str
    offset: int
    complete: bool = False


class BlobChunk(Answer, frozen=True, kw_only=True, tag="blob.chunk"):
    """A part of a picture of `size` bytes."""

    digest: str
    offset: int
    size: int
    data: bytes = b""


class JobState(Answer, frozen=True, kw_only=True, tag="job.state"):
    """How a job stands; `position` counts the jobs before it in the queue."""

    job: str
    state: State
    position: int | None = None


class Jobs(Answer, frozen=True, kw_only=True, tag="jobs"):
    """Jobs, oldest first. With `more` there are others, after the number of the last one."""

    jobs: tuple[JobInfo, ...] = ()
    more: bool = False


class Models(Answer, frozen=True, kw_only=True, tag="models"):
    """The models that can be used."""

    models: tuple[ModelInfo, ...] = ()


class KnownModels(Answer, frozen=True, kw_only=True, tag="models.known"):
    """The known models, on a `device`: cuda, mps, cpu, or "" where that could not be found out."""

    models: tuple[KnownModel, ...] = ()
    device: str = ""


class Downloads(Answer, frozen=True, kw_only=True, tag="downloads"):
    """What has to be downloaded before a job can run; nothing where all of it is there."""

    downloads: tuple[Download, ...] = ()


class Status(Answer, frozen=True, kw_only=True, tag="status"):
    """How the daemon is. Bytes and seconds."""

    server: str
    version: tuple[int, int]
    epoch: str
    pid: int
    uptime: float
    home: str
    queued: int
    running: int
    clients: int
    memory: int
    stored: int
    storage_limit: int
    workers: tuple[WorkerInfo, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)


class Refused(Answer, frozen=True, kw_only=True, tag="error"):
    """The request was not done, and why."""

    error: Problem


AnyAnswer = (
    Welcome
    | Ok
    | BlobMissing
    | BlobState
    | BlobChunk
    | JobState
    | Jobs
    | Models
    | KnownModels
    | Downloads
    | Status
    | Refused
)
