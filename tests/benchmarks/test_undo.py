"""The measurement of unmerging runs with small profiles; it checks every answer itself."""

import pytest

from benchmarks import undo


@pytest.mark.soak
def test_both_tables_have_a_row_for_each_number_of_origins() -> None:
    """One table of merges, one of unmerges."""
    merges, undoing = undo.main(["--rounds", "1", "--merged", "40", "--identifiers", "60", "--origins", "1", "4"])
    assert [table.row_count for table in (merges, undoing)] == [2, 2]
