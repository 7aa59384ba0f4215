"""The lint of plain English: it reports its words in names, strings and comments, and nowhere else."""

from pathlib import Path

import pytest

from tests.support.plain_english import Place, files, in_prose, in_python, main


@pytest.mark.parametrize(
    "source",
    [
        "def tell(feed): pass",
        "class LyingRow: pass",
        "was_told = 1",
        '"""What it was told."""',
        "x = 1  # whoever comes",
        'raise ValueError("nobody said so")',
        'f"{x} said"',
    ],
)
def test_a_word_in_a_name_a_string_or_a_comment_is_found(source: str) -> None:
    """Names count by their parts, text by its words."""
    assert [place.line for place in in_python(source)] == [1]


@pytest.mark.parametrize(
    "source", ["teller = intell", "untold = 1", "underlying = 1", '"""The underlying saddle."""', '{"told": 1}']
)
def test_a_part_of_a_word_and_a_name_on_the_wire_are_not_found(source: str) -> None:
    """`underlying` is English, and names on the wire never change."""
    assert list(in_python(source)) == []


def test_lines_count_from_one() -> None:
    """A place in a docstring is the line it stands in."""
    assert list(in_python('"""One.\n\nTold.\n"""\n')) == [Place(3, "Told")]
    assert list(in_prose("one\ntwo said\n")) == [Place(2, "said")]


def test_the_command_fails_where_a_word_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1 with the place, 0 without one."""
    (tmp_path / "page.md").write_text("Nothing to see.\n")
    assert main([str(tmp_path)]) == 0

    (tmp_path / "page.md").write_text("It is told.\n")
    assert main([str(tmp_path)]) == 1
    assert "page.md:1: told" in capsys.readouterr().out
    assert [path.name for path in files([str(tmp_path)])] == ["page.md"]
