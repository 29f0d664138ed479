"""Downloads from the hub: resumed where they stopped, checked, and cancellable.

The files land in the hub's own cache, where other programs find them too. What has arrived of a
file stays beside it as `.part` until all of it is there and its checksum is right. The hub's own
`hf_hub_download` throws away what a process had when it ended, and models are of tens of GB; so its
lower part, `http_get`, is called here.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from standee.errors import DownloadFailed, StandeeError, StorageFull, UnknownModel

from ..storage.file_lock import locked
from . import onnx_files
from .catalog import (
    HUB_ID,
    ModelInfo,
    cached,
    cached_base,
    cached_network,
    cached_repository,
    existing,
)
from .hub import HubFile, HubSnapshot, look_up, of_base, refusal


@dataclass(frozen=True)
class DownloadObserver:
    """Who follows a download.

    `report` takes the stage (`downloading` or `checking`), bytes, bytes of all, and the seconds
    left. `check` is called between chunks: what it raises stops the download, to be resumed later.
    """

    report: Callable[[str, int, int, float | None], None] = lambda *_: None
    check: Callable[[], None] = lambda: None


UNOBSERVED = DownloadObserver()

SECONDS_BETWEEN_REPORTS = 0.25
SPARE = 2**28
"""Bytes of disk that a download leaves free."""

CHUNK = 2**22
UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}


def folder(info: ModelInfo, field: str, observer: DownloadObserver = UNOBSERVED) -> Path:
    """Return the folder of a model, or of the base of one that is a file; what is not here yet is downloaded.

    Raises `UnknownModel`, `DownloadFailed`, `StorageFull`, and what the follower raises.
    """
    return here(info) or bring(offer(info, field), field, observer)


def here(info: ModelInfo) -> Path | None:
    """Return where a model, or the base of one that is a file, is on this machine, or `None`."""
    if Path(info.folder).exists():
        return Path(info.folder)
    return (cached_base if info.file else cached)(info.folder)


def commit_of(folder: Path) -> str:
    """Return the commit of a folder in the hub's cache, "" of any other."""
    return folder.name if folder.parent.name == "snapshots" else ""


def offer(info: ModelInfo, field: str) -> HubSnapshot:
    """Ask the hub what there is to download of a model; of a file's base all but its own transformer's weights.

    Raises what `look_up` raises.
    """
    single = onnx_files.of_network(
        info.folder, "", field
    )  # of a pipeline it picks what `of_model` does
    return look_up(info.folder, field, of_base if info.file else single)


def network(path: str, field: str, observer: DownloadObserver = UNOBSERVED) -> Path:
    """Return where a single network is, as `folder` does for a pipeline: transformers' folder, or an ONNX file.

    `path` is either of them, a hub id, or `owner/name/file.onnx` of the hub. Raises `UnknownModel` and
    what `bring` raises.
    """
    if there := network_here(path, field):
        return there
    bring(network_offer(path, field), field, observer)
    there = network_here(path, field)
    if there is None:
        raise UnknownModel(
            f"{path} on the hub holds no network.",
            path=field,
            fix="Name another, or one of its files.",
        )
    return there


def network_here(path: str, field: str) -> Path | None:
    """Return where a single network is on this machine, or `None`. Raises `UnknownModel` where it is unclear which."""
    if there := existing(path):
        return (onnx_files.inside(there, field) if there.is_dir() else None) or there
    repository, file = onnx_files.split(path)
    folder = cached_repository(repository or path) if repository or HUB_ID.fullmatch(path) else None
    if folder is None:
        return None
    found = folder / file if file else onnx_files.inside(folder, field)
    return found if found and found.exists() else cached_network(path)


def network_offer(path: str, field: str) -> HubSnapshot:
    """Ask the hub what there is to download of a single network. Raises what `look_up` raises."""
    repository, file = onnx_files.split(path)
    choose = onnx_files.of_network(repository or path, file, field)
    return look_up(repository or path, field, choose)


def bring(offer: HubSnapshot, field: str, observer: DownloadObserver = UNOBSERVED) -> Path:
    """Download an offer and return its folder; files that are here already are only linked.

    Raises `DownloadFailed` (out of reach, or its checksum is wrong), `UnknownModel`,
    `StorageFull`, and what the follower raises.
    """
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    store = Path(constants.HF_HUB_CACHE).expanduser() / repo_folder_name(
        repo_id=offer.repository, repo_type="model"
    )
    blobs = store / "blobs"
    try:
        blobs.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageFull(
            f"{blobs} cannot be written: {error.strerror}.", fix="Set HF_HOME to a folder of yours."
        ) from None
    arrived = sum(_arrived(blobs, file) for file in offer.files)
    _check_room(offer, blobs, offer.size - arrived)
    progress = _Progress(offer.size, arrived, observer)
    for file in offer.files:
        observer.check()
        if (blobs / _key(file)).exists():
            continue
        lock = blobs / f"{_key(file)}.lock"
        with locked(lock, observer.check):  # the workers of two devices have one cache
            if not (blobs / _key(file)).exists():
                _bring_file(offer, file, blobs, field, progress)
        lock.unlink(missing_ok=True)
        progress.done = sum(_arrived(blobs, one) for one in offer.files)
    return _link(offer, store, field)


class _Progress:
    """Counts the bytes of all files; huggingface_hub takes it for the class of its progress bars."""

    def __init__(self, of: int, arrived: int, observer: DownloadObserver) -> None:
        self.done, self.of, self.check = arrived, of, observer.check
        self._report, self._began, self._first = observer.report, time.monotonic(), arrived
        self._said = -SECONDS_BETWEEN_REPORTS
        self.say("downloading")

    def say(self, stage: str) -> None:
        """Report how far it is, if the last time was a while ago."""
        now = time.monotonic()
        if now - self._said < SECONDS_BETWEEN_REPORTS and self.done < self.of:
            return
        self._said = now
        speed = (self.done - self._first) / max(now - self._began, 1e-3)
        left = (self.of - self.done) / speed if speed > 0 and stage == "downloading" else None
        self._report(stage, self.done, self.of, left)

    def bar(self, **_: Any) -> _Progress:
        """Return what counts the chunks of one file."""
        return self

    def update(self, count: int) -> None:
        """Count a chunk, or take one back."""
        self.check()
        self.done += int(count)
        self.say("downloading")

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        return None


def _bring_file(
    offer: HubSnapshot, file: HubFile, blobs: Path, field: str, progress: _Progress
) -> None:
    """Download one file from where it stopped, check it, and make it a blob of the cache."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    part = _part(blobs, file)
    url = hf_hub_url(offer.repository, file.name, revision=offer.commit)
    headers = build_hf_headers()
    try:
        at = get_hf_file_metadata(url, timeout=30).location
        if urlsplit(at).netloc != urlsplit(url).netloc:
            headers.pop(
                "authorization", None
            )  # the token is for the hub, not for who serves its files
        with part.open("ab") as stream:
            have = stream.tell()
            if have > file.size:
                progress.done -= have
                stream.truncate(have := 0)
            http_get(
                at,
                stream,
                resume_size=have,
                headers=headers,
                expected_size=file.size,
                displayed_filename=file.name,
                tqdm_class=progress.bar,  # type: ignore[arg-type]
            )
    except StandeeError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in UNWRITABLE:
            raise StorageFull(
                f"{part} cannot be written: {error.strerror}.", fix="Make room, then try again."
            ) from error
        raise refusal(offer.repository, error, field) from error
    if not _is_whole(part, file, progress):
        progress.done -= part.stat().st_size
        part.unlink()
        raise DownloadFailed(
            f"{file.name} of {offer.repository} arrived damaged: its checksum is wrong.",
            path=field,
            fix="Try again; the damaged file was deleted. If it stays so, the network changes it.",
        )
    part.replace(blobs / _key(file))


def _is_whole(part: Path, file: HubFile, progress: _Progress) -> bool:
    """Whether what arrived has the size and the checksum that the hub told."""
    if part.stat().st_size != file.size:
        return False
    digest = hashlib.sha256() if file.sha256 else hashlib.sha1(b"blob %d\0" % file.size)
    with part.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
            progress.check()
            progress.say("checking")
    return digest.hexdigest() == _key(file)


def _key(file: HubFile) -> str:
    """Return what the cache calls a file's content: the checksum that the hub gives as its ETag."""
    return file.sha256 or file.git_id


def _part(blobs: Path, file: HubFile) -> Path:
    return blobs / f"{_key(file)}.part"


def _arrived(blobs: Path, file: HubFile) -> int:
    """Return how many bytes of a file are here, whole or in part."""
    if (blobs / _key(file)).exists():
        return file.size
    part = _part(blobs, file)
    return min(part.stat().st_size, file.size) if part.exists() else 0


def _check_room(offer: HubSnapshot, blobs: Path, missing: int) -> None:
    free = shutil.disk_usage(blobs).free
    if missing and missing + SPARE > free:
        raise StorageFull(
            f"{offer.repository} takes {missing / 1e9:.1f} GB more, and {free / 1e9:.1f} GB are free"
            f" in {blobs}.",
            fix="Make room, or set HF_HOME to another disk.",
        )


def _link(offer: HubSnapshot, store: Path, field: str) -> Path:
    """Give the blobs their names at this commit, and make it the one that counts; return its folder."""
    from huggingface_hub import constants, hf_hub_download

    try:
        for file in offer.files:
            hf_hub_download(offer.repository, file.name, revision=offer.commit)
    except Exception as error:
        raise refusal(offer.repository, error, field) from error
    (store / "refs").mkdir(exist_ok=True)
    (store / "refs" / constants.DEFAULT_REVISION).write_text(offer.commit)
    return store / "snapshots" / offer.commit
