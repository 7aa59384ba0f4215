"""The measurement of erasures runs with few people; it checks every answer itself."""

import pytest

from benchmarks import erase


@pytest.mark.soak
def test_every_line_is_measured() -> None:
    """One row for each erasure and each key roll."""
    table = erase.main(["--people", "60", "--erased", "20", "--rounds", "2"])
    assert table.row_count == 5
