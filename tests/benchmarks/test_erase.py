"""The measurement of erasing runs, small, and believes only answers it has looked at."""

from benchmarks import erase


def test_it_runs() -> None:
    """Every line is measured."""
    table = erase.main(["--people", "60", "--erased", "20", "--rounds", "2"])
    assert table.row_count == 5
