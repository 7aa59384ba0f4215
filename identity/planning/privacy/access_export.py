"""What an access export holds and how it is written: sections of items, as one JSON document or a table.

Pure. An export is gathered in parts, each the next items of one section of one profile, so it can be
gathered, kept and handed out without ever being whole in memory. Cells of the table never begin as a
formula does: whoever opens it in a spreadsheet runs nothing that a customer wrote.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

PART_BYTES: Final = 256 * 1024

# By section: where an item has its name, its value and its time.
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
}
COLUMNS: Final = ("profile", "section", "origin", "name", "value", "at", "details")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


class ExportPosition(Struct, array_like=True):
    """Where gathering goes on: which profile, which section, and the section's own cursor.

    `done` is how many calls were gathered by then.
    """

    profile: int = 0
    section: int = 0
    cursor: str | int | None = None
    done: int = 0


class ExportPart(Struct, array_like=True):
    """The next items of a section; `following` is where to go on, the same on all parts of one step."""

    profile: int
    section: str
    items: list[Any]
    following: ExportPosition


_encode = msgspec.json.Encoder().encode
_part = msgspec.json.Decoder(ExportPart)


def pack(part: ExportPart) -> bytes:
    """A part as it is sealed."""
    return _encode(part)


def unpack(raw: bytes) -> ExportPart:
    """The inverse of `pack`."""
    return _part.decode(raw)


def split(part: ExportPart, most: int = PART_BYTES) -> Iterator[ExportPart]:
    """A part as parts of about `most` bytes each, at least one; an item is never cut."""
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

    def __init__(self, about: dict[str, Any]) -> None:
        self._begun = b'{"export":' + _encode(about) + b',"profiles":['
        self._at: tuple[int, str] | None = None
        self._filled = False

    def feed(self, part: ExportPart) -> bytes:
        """What a part adds; parts come in their order."""
        told, self._begun = self._begun, b""
        at = (part.profile, part.section)
        if at != self._at:
            if self._at is None:
                told += b"{"
            else:
                told += b"]," if self._at[0] == part.profile else b"]},{"
            told += _encode(part.section) + b":["
            self._at, self._filled = at, False
        for item in part.items:
            told += (b"," if self._filled else b"") + _encode(item)
            self._filled = True
        return told

    def end(self) -> bytes:
        """What closes the document."""
        return self._begun + (b"]}]}" if self._at else b"]}")


class CsvWriter:
    """Writes parts as a table with COLUMNS; `details` is the whole item as JSON."""

    media_type = "text/csv; charset=utf-8"

    def __init__(self, about: dict[str, Any]) -> None:
        self._about: dict[str, Any] | None = about

    def feed(self, part: ExportPart) -> bytes:
        """What a part adds; parts come in their order."""
        out = io.StringIO()
        rows = csv.writer(out, quoting=csv.QUOTE_ALL)
        self._head(rows)
        name, value, at = SECTIONS[part.section]
        for item in part.items:
            origin = item.get("profile_id", "")
            cells = (part.profile + 1, part.section, origin, item.get(name), item.get(value), item.get(at))
            rows.writerow([harmless(cell) for cell in (*cells, _encode(item).decode())])
        return out.getvalue().encode()

    def end(self) -> bytes:
        """What closes the table."""
        out = io.StringIO()
        self._head(csv.writer(out, quoting=csv.QUOTE_ALL))
        return out.getvalue().encode()

    def _head(self, rows: Any) -> None:
        if self._about is not None:
            rows.writerow(COLUMNS)
            about, self._about = self._about, None
            rows.writerow(["", "export", "", "", "", harmless(about["created_at"]), harmless(_encode(about).decode())])


def harmless(value: Any) -> str:
    """A cell of a table: text as it is, what is no text as JSON; none that a spreadsheet would run."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else _encode(value).decode()
    return "'" + text if text.startswith(_FORMULA) else text


WRITERS: Final[Mapping[str, type[JsonWriter] | type[CsvWriter]]] = {"json": JsonWriter, "csv": CsvWriter}
