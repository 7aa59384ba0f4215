"""A search finds planted values in names and contents, and a target that cannot be read is never called clean."""

from collections.abc import Iterator
from pathlib import Path

from app.commands.leak_scan.search import Search
from identity.planning.integrity.leak_patterns import LeakPatterns
from identity.store.integrity.leak_scan import UnreadableError

VALUE = "zPlantedValueOfTheSearch"


def search() -> Search:
    """A search for one value."""
    return Search(LeakPatterns({"planted": VALUE}, set()))


def test_a_value_is_found_in_the_name_and_in_the_content_of_a_file(tmp_path: Path) -> None:
    """Folders count with all below them; the size is what was read."""
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "content").write_text(f"some {VALUE} text")
    (tmp_path / VALUE).write_text("nothing")
    (tmp_path / "clean").write_text("nothing")
    looked = search()
    looked.files("files", tmp_path)

    assert len(looked.hits["files"]) == 2
    assert looked.sizes["files"] > len(f"some {VALUE} text")
    assert looked.not_scanned == {}


def test_the_suffix_separates_the_runs_of_a_target() -> None:
    """A target before and after an erasure has two names."""
    looked = search()
    looked.text("log", b"clean")
    looked.suffix = " afterwards"
    looked.text("log", VALUE.encode())

    assert {name: len(hits) for name, hits in looked.hits.items()} == {"log": 0, "log afterwards": 1}


def test_a_target_that_cannot_be_read_is_listed_with_the_reason() -> None:
    """It is in the list of targets that were not scanned, and not among those without a hit."""

    def unreadable() -> Iterator[bytes]:
        yield b"a piece"
        raise UnreadableError("no right to read")

    looked = search()
    looked._look("rows", "secret_table", unreadable())
    looked.leave_out("dump", "pg_dump is missing")

    assert looked.not_scanned == {"rows: secret_table": "no right to read", "dump": "pg_dump is missing"}
    assert looked.hits == {}
