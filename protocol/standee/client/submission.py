"""A job on its way to the daemon: checked first, then the pictures, then what they are for."""

from __future__ import annotations

import msgspec

from ..composition import Composition, validate
from ..wire import operations
from ..wire.messages import Cutout, JobSubmit, Kind
from ..wire.operations import Blobs, Operation, TransferProgress


def submission(
    spec: Composition | Cutout,
    blobs: Blobs | None,
    kind: Kind,
    job_id: str,
    priority: int,
    download: bool,
) -> tuple[Operation[str], TransferProgress]:
    """Return the operation that submits `spec`, checked here first: errors come before any upload."""
    if isinstance(spec, Cutout):
        kind = "cutout"
    named = spec.digests()
    spec = validate(spec, type(spec))
    request = JobSubmit(job=job_id, kind=kind, spec=None, priority=priority, download=download)
    request = validate(request, JobSubmit)
    request = msgspec.structs.replace(request, spec=spec)
    transfer = TransferProgress()
    return operations.submit(request, named, blobs or {}, transfer), transfer
