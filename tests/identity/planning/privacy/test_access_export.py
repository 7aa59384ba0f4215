"""Written exports: any division into parts yields one document and one table with the same items."""

import csv
import io
import json
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from identity.planning.privacy.access_export import (
    COLUMNS,
    SECTIONS,
    WRITERS,
    ExportedFrom,
    ExportPart,
    ExportPosition,
    escape_formula,
    pack,
    split,
    unpack,
)

NAMES = list(SECTIONS)
texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12) | st.sampled_from(
    ["=1+1", "@a", "-", "\t=", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20a", "\u22121"]
)
values = st.none() | st.booleans() | st.integers(-9, 9) | texts | st.lists(texts, max_size=2)
items = st.dictionaries(st.sampled_from(["name", "value", "profile_id", "type", "at"]), values, max_size=4)
ABOUT = ExportedFrom("exp_1", "spc_1", "2026-01-01T00:00:00.000Z")


@st.composite
def exports(draw: st.DrawFn) -> list[list[list[Any]]]:
    """The items of each section of each profile."""
    return [[draw(st.lists(items, max_size=3)) for _ in NAMES] for _ in range(draw(st.integers(0, 2)))]


def written(form: str, parts: list[ExportPart]) -> bytes:
    """The written form of parts that were stored before."""
    writer = WRITERS[form](ABOUT)
    return b"".join([*(writer.feed(unpack(pack(part))) for part in parts), writer.end()])


@given(exports(), st.integers(1, 60))
def test_parts_of_any_size_yield_the_same_document_and_table(export: list[list[list[Any]]], most: int) -> None:
    """Each item is there once and in its place."""
    parts = [
        part
        for nr, profile in enumerate(export)
        for name, section in zip(NAMES, profile, strict=True)
        for part in split(ExportPart(nr, name, section, ExportPosition(nr)), most)
    ]
    document = json.loads(written("json", parts))
    assert document["export"] == structs.asdict(ABOUT)
    assert [[profile[name] for name in NAMES] for profile in document["profiles"]] == export
    rows = list(csv.reader(io.StringIO(written("csv", parts).decode(), newline="")))
    assert rows[0] == list(COLUMNS)
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    flat = [
        (nr, name, item)
        for nr, profile in enumerate(export)
        for name, section in zip(NAMES, profile, strict=True)
        for item in section
    ]
    assert [(int(row[0]) - 1, row[1], json.loads(row[6])) for row in rows[2:]] == flat


@given(st.lists(items, max_size=20), st.integers(1, 200))
def test_a_part_is_divided_in_order_by_size(section: list[Any], most: int) -> None:
    """Each part holds an item if there is any."""
    parts = list(split(ExportPart(0, "traits", section, ExportPosition()), most))
    assert [item for part in parts for item in part.items] == section
    sizes = [
        sum(len(json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode()) for item in part.items)
        for part in parts
    ]
    assert all(len(part.items) == 1 or size <= most for part, size in zip(parts, sizes, strict=True)) or not section
    assert all(one + two > 0 for one, two in pairwise(sizes))


@given(values)
def test_no_cell_begins_like_a_formula(value: Any) -> None:
    """And none loses text."""
    cell = escape_formula(value)
    assert not cell.startswith(("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\u2212"))
    if isinstance(value, str):
        assert cell.removeprefix("'") == value.removeprefix("'")
