"""A picture has its name only when all of it is there."""

import hashlib
import os
import threading
import time
from pathlib import Path

import pytest

from standee.errors import BadMessage, MissingBlob, StorageFull
from standee_backend.storage.blob_files import DAY, FRESH, BlobFiles

ME, YOU = "my key", "your key"
CAT = b"a picture of a cat" * 1000
DIGEST = hashlib.sha256(CAT).hexdigest()


@pytest.fixture
def blobs(tmp_path):
    return BlobFiles(tmp_path / "blobs")


def age(path, seconds):
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_an_upload_in_parts_becomes_a_picture(blobs):
    assert blobs.append(ME, DIGEST, 0, CAT[:7000]) == 7000
    assert blobs.append(ME, DIGEST, 7000, CAT[7000:]) == len(CAT)
    assert not blobs.has(DIGEST)
    assert blobs.commit(ME, DIGEST) == len(CAT)
    assert blobs.read(DIGEST) == CAT
    assert blobs.read(DIGEST, 3, 5) == CAT[3:8]


def test_an_upload_goes_on_after_a_restart(blobs, tmp_path):
    blobs.append(ME, DIGEST, 0, CAT[:7000])
    again = BlobFiles(tmp_path / "blobs")
    assert again.received(ME, DIGEST) == 7000


def test_bytes_from_elsewhere_change_nothing_and_repeated_ones_are_taken_once(blobs):
    blobs.append(ME, DIGEST, 0, CAT[:100])
    assert blobs.append(ME, DIGEST, 500, CAT[500:600]) == 100
    assert blobs.append(ME, DIGEST, 0, CAT[:100]) == 100
    assert blobs.append(ME, DIGEST, 50, CAT[50:200]) == 200
    blobs.append(ME, DIGEST, 200, CAT[200:])
    assert blobs.commit(ME, DIGEST) == len(CAT)


def test_bytes_that_are_not_the_digests_are_refused_and_dropped(blobs):
    blobs.append(ME, DIGEST, 0, b"a dog")
    with pytest.raises(BadMessage) as caught:
        blobs.commit(ME, DIGEST)
    assert caught.value.path == "$.digest"
    assert not blobs.has(DIGEST)
    assert blobs.received(ME, DIGEST) == 0


def test_owners_uploads_do_not_mix(blobs):
    blobs.append(ME, DIGEST, 0, CAT)
    blobs.append(YOU, DIGEST, 0, b"nonsense")
    assert blobs.commit(ME, DIGEST) == len(CAT)


def test_a_picture_made_here_is_named_by_its_bytes(blobs):
    assert blobs.put(CAT) == DIGEST
    assert blobs.put(CAT) == DIGEST
    assert blobs.size(DIGEST) == len(CAT)


def test_many_threads_may_put_the_same_picture(blobs):
    threads = [threading.Thread(target=blobs.put, args=(CAT,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert blobs.read(DIGEST) == CAT


def test_a_picture_that_is_not_there_is_missing(blobs):
    for ask in (blobs.read, blobs.size):
        with pytest.raises(MissingBlob):
            ask(DIGEST)


def test_a_fresh_picture_is_not_dropped_since_a_job_may_be_about_to_claim_it(blobs):
    blobs.put(CAT)
    blobs.drop(DIGEST)
    assert blobs.has(DIGEST)
    age(blobs.path(DIGEST), FRESH + 1)
    blobs.drop(DIGEST)
    assert not blobs.has(DIGEST)


def test_a_claimed_picture_is_dropped_at_once_unless_it_was_made_anew(blobs):
    blobs.put(CAT)
    blobs.claim(DIGEST)
    blobs.put(CAT)
    assert not blobs.drop(DIGEST)
    blobs.claim(DIGEST)
    assert blobs.drop(DIGEST)
    assert not blobs.has(DIGEST)
    blobs.claim(DIGEST)


def test_sweeping_deletes_what_nobody_holds_and_yesterdays_uploads(blobs, tmp_path):
    kept, lost = blobs.put(b"kept"), blobs.put(b"lost")
    for digest in (kept, lost):
        age(blobs.path(digest), DAY)
    blobs.append(ME, DIGEST, 0, CAT[:10])
    [part] = (tmp_path / "blobs" / "parts").iterdir()
    assert blobs.sweep({kept}) == 1
    assert blobs.has(kept)
    assert blobs.received(ME, DIGEST) == 10
    age(part, 2 * DAY)
    assert blobs.sweep({kept}) == 1
    assert blobs.received(ME, DIGEST) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_is_an_error_that_may_pass(blobs, tmp_path):
    part = blobs._part(ME, DIGEST)
    part.symlink_to("/dev/full")
    with pytest.raises(StorageFull) as caught:
        blobs.append(ME, DIGEST, 0, CAT)
    assert caught.value.retryable
    assert caught.value.retry_after
