"""A command line under test: how a command ended, and a daemon that answers at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from standee.wire.events import Result

PNG = b"\x89PNG\r\n\x1a\n" + b"".join(bytes(4) + kind + b"crc." for kind in (b"IHDR", b"IEND"))


@dataclass
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


class FakeClient:
    """A daemon that answers each job with one picture, or with `error`."""

    error: ClassVar[BaseException | None] = None
    calls: ClassVar[list[tuple[str, Any]]] = []
    agreed: ClassVar[bool] = False
    sent: ClassVar[frozenset[str]] = frozenset()

    def submit(self, spec: Any, blobs: Any, *, job_id: str = "a-job", **more: Any) -> str:
        type(self).agreed, type(self).sent = more["download"], frozenset(blobs)
        self.calls.append(("submit", spec))
        return job_id

    def wait(self, job: str, on_event: Any) -> list[Result]:
        self.calls.append(("wait", job))
        if self.error:
            raise self.error
        receipt = {"composition": {}, "model": {"fingerprint": "1"}}
        return [
            Result(job=job, index=n, of=2, seed=n, width=1, height=1, receipt=receipt, data=PNG)
            for n in range(2)
        ]

    def cancel(self, job: str) -> None:
        self.calls.append(("cancel", job))

    def release(self, job: str) -> None:
        self.calls.append(("release", job))

    def __enter__(self) -> FakeClient:
        return self

    def __exit__(self, *_: Any) -> None:
        pass
