"""The pictures that a machine of the cluster keeps, and which give way."""

import os

from standee_backend.cluster.node_blobs import NodeBlobs


def test_what_was_used_longest_ago_gives_way(tmp_path):
    blobs = NodeBlobs(tmp_path / "blobs", limit=250)
    old, used = blobs.keep(b"a" * 100), blobs.keep(b"b" * 100)
    for age, digest in ((200, old), (300, used)):
        path = tmp_path / "blobs" / digest[:2] / digest
        os.utime(path, (path.stat().st_mtime - age,) * 2)
    assert blobs.lacks([old, used, "c" * 64]) == ["c" * 64]  # now used, in this order
    os.utime(tmp_path / "blobs" / old[:2] / old, (0, 0))
    new = blobs.keep(b"c" * 100)
    assert blobs.lacks([old, used, new]) == [old]
    assert blobs.whole(used) == b"b" * 100
