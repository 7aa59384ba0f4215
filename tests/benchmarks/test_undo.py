"""The measurement of undoing runs, small, and believes only answers it has looked at."""

from benchmarks import undo


def test_small() -> None:
    """Both tables come out, with a row for each number of origins."""
    merges, undoing = undo.main(["--rounds", "1", "--merged", "40", "--identifiers", "60", "--origins", "1", "4"])
    assert [table.row_count for table in (merges, undoing)] == [2, 2]
