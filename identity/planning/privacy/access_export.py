"""Writes an access export: sections of items, as one JSON document or one table.

An export is built from parts, each the next items of one section of one profile, so it is never whole in memory.
No cell of the table begins like a formula, so a spreadsheet runs nothing written by a customer.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

PART_BYTES: Final = 256 * 1024

# By section: the fields of an item with its name, its value and its time. Stored positions hold the places of sections:
# a new one comes last.
SECTIONS: Final = {
    "profile": ("profile_id", "event_count", "created_at"),
    "identifiers": ("type", "value", "first_seen"),
    "traits": ("name", "value", "updated_at"),
    "consent": ("category", "value", "captured_at"),
    "consent_history": ("category", "value", "captured_at"),
    "groups": ("group_id", "member", "at"),
    "sightings": ("profile_id", "count", "last_day"),
    "history": ("type", "message_id", "at"),
    "disclosures": ("destination", "destination_id", "last"),
    "calls": ("type", "message_id", "timestamp"),
    "joins": ("type", "value", "first_seen"),
}
COLUMNS: Final = ("profile", "section", "origin", "name", "value", "at", "details")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\u2212")
"""The full-width forms too: a spreadsheet in an East Asian language reads them as the usual ones."""


class ExportPosition(Struct, array_like=True):
    """The position of a build in an export: profile, section and the cursor within the section.

    `done` counts the calls exported before this position.
    """

    profile: int = 0
    section: int = 0
    cursor: str | int | None = None
    done: int = 0


class ExportPart(Struct, array_like=True):
    """The next items of a section; `following` is the next position, the same for all parts of one step."""

    profile: int
    section: str
    items: list[Any]
    following: ExportPosition


class ExportedFrom(Struct, frozen=True):
    """The export that a document is of; the struct is the published shape.

    The document lacks `on_hold` people of the request, whom a litigation hold hides.
    """

    export_id: str
    space_id: str
    created_at: str
    on_hold: int = 0


_encode = msgspec.json.Encoder().encode
_part = msgspec.json.Decoder(ExportPart)


def pack(part: ExportPart) -> bytes:
    """A part in its stored form, before sealing."""
    return _encode(part)


def unpack(raw: bytes) -> ExportPart:
    """Decode a part that `pack` encoded."""
    return _part.decode(raw)


def split(part: ExportPart, most: int = PART_BYTES) -> Iterator[ExportPart]:
    """Divide a part into parts of about `most` bytes each, at least one; an item is never cut."""
    items: list[Any] = []
    size = 0
    for item in part.items:
        length = len(_encode(item))
        if items and size + length > most:
            yield ExportPart(part.profile, part.section, items, part.following)
            items, size = [], 0
        items.append(item)
        size += length
    yield ExportPart(part.profile, part.section, items, part.following)


class JsonWriter:
    """Writes parts as one document: {"export": ..., "profiles": [{section: [item, ...], ...}, ...]}."""

    media_type = "application/json"

    def __init__(self, about: ExportedFrom) -> None:
        self._begun = b'{"export":' + _encode(about) + b',"profiles":['
        self._at: tuple[int, str] | None = None
        self._filled = False

    def feed(self, part: ExportPart) -> bytes:
        """The bytes of a part; parts come in their order."""
        written, self._begun = self._begun, b""
        at = (part.profile, part.section)
        if at != self._at:
            if self._at is None:
                written += b"{"
            else:
                written += b"]," if self._at[0] == part.profile else b"]},{"
            written += _encode(part.section) + b":["
            self._at, self._filled = at, False
        for item in part.items:
            written += (b"," if self._filled else b"") + _encode(item)
            self._filled = True
        return written

    def end(self) -> bytes:
        """The bytes that close the document."""
        return self._begun + (b"]}]}" if self._at else b"]}")


class CsvWriter:
    """Writes parts as a table with COLUMNS; `details` is the whole item as JSON."""

    media_type = "text/csv; charset=utf-8"

    def __init__(self, about: ExportedFrom) -> None:
        self._about: ExportedFrom | None = about

    def feed(self, part: ExportPart) -> bytes:
        """The bytes of a part; parts come in their order."""
        out = io.StringIO()
        rows = csv.writer(out, quoting=csv.QUOTE_ALL)
        self._head(rows)
        name, value, at = SECTIONS[part.section]
        for item in part.items:
            origin = item.get("profile_id", "")
            cells = (part.profile + 1, part.section, origin, item.get(name), item.get(value), item.get(at))
            rows.writerow([escape_formula(cell) for cell in (*cells, _encode(item).decode())])
        return out.getvalue().encode()

    def end(self) -> bytes:
        """The bytes that close the table."""
        out = io.StringIO()
        self._head(csv.writer(out, quoting=csv.QUOTE_ALL))
        return out.getvalue().encode()

    def _head(self, rows: Any) -> None:
        if self._about is not None:
            rows.writerow(COLUMNS)
            about, self._about = self._about, None
            rows.writerow(
                ["", "export", "", "", "", escape_formula(about.created_at), escape_formula(_encode(about).decode())]
            )


def escape_formula(value: Any) -> str:
    """A cell of a table: text unchanged, other values as JSON, and never a formula."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else _encode(value).decode()
    return "'" + text if text.startswith(_FORMULA) else text


WRITERS: Final[Mapping[str, type[JsonWriter] | type[CsvWriter]]] = {"json": JsonWriter, "csv": CsvWriter}
