"""Files of commit b4feb59, in tests/data/: a document, a connection, a daemon's store with its jobs."""

import shutil
from pathlib import Path

import pytest

from standee import Rect
from standee.connection import read_connection
from standee.document.document import Document

OLD = Path(__file__).parent / "data/b4feb59"


def test_document_of_before_is_read() -> None:
    with Document.open(OLD / "document.standee") as document:
        assert not document.missing()
        composition = document.composition
        assert composition.prompt == "a red square on a wall"
        assert composition.layers[0].rect == Rect(16, 16, 32, 32)
        assert composition.scene.blend == 16 / 64, "px became a share of the canvas"
        assert document.read(composition.layers[0].picture).startswith(b"\x89PNG")
        [result] = document.results.values()
        assert result.receipt["seed"] == 7
        assert result.data.startswith(b"\x89PNG")


def test_connection_of_before_is_read(tmp_path: Path) -> None:
    shutil.copy(OLD / "connection.json", tmp_path)
    (tmp_path / "connection.json").chmod(0o600)
    connection = read_connection(tmp_path / "connection.json")
    assert (connection.endpoint, connection.pid) == ("tcp://127.0.0.1:5599", 4242)


def test_store_of_before_keeps_its_results_and_goes_on_with_its_queue(tmp_path: Path) -> None:
    job_store = pytest.importorskip("standee_backend.storage.job_store", exc_type=ImportError)
    from standee_backend.storage.blob_files import BlobFiles
    from standee_backend.worker.main import read_specification

    shutil.copytree(OLD, tmp_path, dirs_exist_ok=True)
    store, blobs = job_store.JobStore(tmp_path / "jobs.sqlite"), BlobFiles(tmp_path / "blobs")
    done = store.find("owner", "job-finished")
    [result] = [event for event in store.events(done.key) if hasattr(event, "digest")]
    assert blobs.whole(result.digest).startswith(b"\x89PNG")
    job, _ = store.claim()
    assert job.id == "job-queued"
    composition = read_specification(job.kind, job.spec)
    assert composition.scene.blend == 16 / 64
    assert all(blobs.has(digest) for digest in composition.digests())
    store.close()
