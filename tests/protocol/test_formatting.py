"""Numbers as people read them."""

import pytest

from standee.formatting import size


@pytest.mark.parametrize(
    ("count", "written"),
    [(5, "5 bytes"), (2048, "2 KiB"), (5 * 2**20, "5 MiB"), (3 * 2**29, "1.5 GiB")],
)
def test_sizes_are_written_for_people(count: int, written: str) -> None:
    assert size(count) == written
