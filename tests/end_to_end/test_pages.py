"""The reader of documentation pages: a page with a wrong command or answer fails."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.pages import Command, Ids, commands

ONE, TWO = "prf_" + "0" * 32, "prf_" + "1" * 32
OTHER, ANOTHER = "prf_" + "a" * 32, "prf_" + "b" * 32


def test_a_command_ends_where_the_shell_says_it_ends(tmp_path: Path) -> None:
    """Continued lines and open quotations belong to one command, comments to none; output goes with the last one."""
    page = tmp_path / "page.md"
    page.write_text(
        '```sh\n# first\ncurl -d \'{\n  "a": 1}\' \\\n  http://x\ncurl "$(sed \'s/"//\' file)"\n```\n\n'
        "```json\n{}\n```\n\n```sh\nonefold verify\n```\n```text\nall is well\n```\n"
    )

    assert commands(page) == [
        Command("curl -d '{\n  \"a\": 1}' \\\n  http://x"),
        Command('curl "$(sed \'s/"//\' file)"', answer={}),
        Command("onefold verify", lines=("all is well",)),
    ]


@pytest.mark.parametrize(
    ("shown", "real"),
    [
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1, "b": 2}, {"a": 1}),
        ([1, 2], [1]),
        ([1], [1, 2]),
        ([1, "..."], [2]),
        ("of a time", "2026-11-23T22:00:00.000Z"),
        ({"a": ONE, "b": ONE}, {"a": OTHER, "b": ANOTHER}),
        ({"a": ONE, "b": TWO}, {"a": OTHER, "b": OTHER}),
    ],
)
def test_what_differs_is_found(shown: Any, real: Any) -> None:
    """A wrong, missing or additional value differs, and so does an id that stands for two things."""
    assert list(Ids().differences(shown, real)) != []


@pytest.mark.parametrize(
    ("shown", "real"),
    [
        ({"a": 1, "...": "..."}, {"a": 1, "b": 2}),
        ({"a": "..."}, {"a": [1]}),
        ([1, "..."], [1, 2, 3]),
        ("2026-11-23T22:00:00.000Z", "2027-01-01T00:00:00.123Z"),
        ({"a": ONE, "b": TWO, "c": ONE}, {"a": OTHER, "b": ANOTHER, "c": OTHER}),
    ],
)
def test_what_is_left_out_and_what_changes_by_nature_is_no_difference(shown: Any, real: Any) -> None:
    """Dots stand for anything, a time for any time, an id for the id that a server made."""
    assert list(Ids().differences(shown, real)) == []


def test_a_shown_id_can_be_used_in_a_later_command() -> None:
    """A command gets the real id that an earlier answer had in the place of the shown one."""
    ids = Ids()
    assert list(ids.differences({"profile_id": ONE}, {"profile_id": OTHER})) == []

    assert ids.replaced(f"curl http://x/{ONE}") == f"curl http://x/{OTHER}"


def test_lines_of_text_are_looked_for_in_the_output() -> None:
    """Each shown line is a whole line of the output, with dots for any text."""
    ids = Ids()

    assert ids.missing(("spaces: ...", "done"), "spaces: 12\ndone\n") == []
    assert ids.missing(("done",), "nothing is done\n") == ["done"]
