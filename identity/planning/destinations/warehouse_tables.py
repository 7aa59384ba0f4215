"""Builds the tables of Segment's Profiles Sync as rows that a warehouse appends: complete states and removals.

One rule reads every table: among the rows of a key those with the greatest `seq` hold, and a REMOVED row means
that the key has none. All rows of one exported state share its `seq`. So rows may be repeated and a reader may
stop anywhere; a warehouse that applied all rows holds exactly the data visible now.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Struct, field

from identity.values.stamps import Micros

TEXT, NUMBER, TIME = "text", "number", "time"
CREATED, REMOVED = "CREATED", "REMOVED"
_EVENT: Final = ("triggering_event_type", "triggering_event_id")
_SOURCE: Final = (
    "triggering_event_name", "triggering_event_source_id", "triggering_event_source_name",
    "triggering_event_source_slug",
)  # fmt: skip
_TAIL: Final = {"__operation": TEXT, "seq": NUMBER, "timestamp": TIME, "received_at": TIME, "uuid_ts": TIME}


def _table(*columns: str, times: Sequence[str] = ()) -> Mapping[str, str]:
    return dict.fromkeys(columns, TEXT) | dict.fromkeys(times, TIME) | _TAIL


# The columns of each table with their types; the first column other than `id` is the key.
TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    "id_graph_updates": _table("id", "segment_id", "canonical_segment_id", *_EVENT),
    "external_id_mapping_updates": _table(
        "id", "segment_id", "external_id_type", "external_id_value", "external_id_hash", *_EVENT, *_SOURCE
    ),
    "profile_traits_updates": _table("id", "segment_id", "traits"),
    "user_traits": _table("canonical_segment_id", "name", "value"),
    "user_identifiers": _table("canonical_segment_id", "type", "value", times=("first_seen", "last_seen")),
    "profile_merges": _table("canonical_segment_id", "segment_id"),
    "erasures": _table("segment_id", "erasure_id"),
}
GRAPH, MAPPING, SNAPSHOT, TRAITS, IDENTIFIERS, MERGES, ERASURES = TABLES
_encode = msgspec.json.Encoder().encode


class CausingCall(NamedTuple):
    """The call that caused a change, as far as known; `time` in microseconds."""

    type: str | None = None
    id: str | None = None
    source_id: str | None = None
    time: Micros | None = None


class ProfileMapping(NamedTuple):
    """A profile id that leads to the canonical one (or is it), and since when."""

    segment: str
    at: Micros
    event: CausingCall = CausingCall()


class MappedIdentifier(NamedTuple):
    """An identifier, its profile, the time that it was linked, and its first and last event time at the export."""

    segment: str
    type: str
    value: str
    hash: str
    at: Micros
    event: CausingCall = CausingCall()
    first_seen: Micros | None = None
    last_seen: Micros | None = None


class ProfileState(NamedTuple):
    """The visible state of a canonical profile; `traits` by name with value, time and time of arrival."""

    canonical: str
    links: Sequence[ProfileMapping]
    identifiers: Sequence[MappedIdentifier]
    traits: Mapping[str, tuple[Any, Micros, Micros]]
    at: Micros


class RemovedIds(NamedTuple):
    """Ids without a profile now, as canonical ids and as ids that led to one; `erasure_id` if one is the cause."""

    canonicals: Sequence[str]
    segments: Sequence[str]
    at: Micros
    erasure_id: str | None = None


class ExportStep(Struct, frozen=True):
    """The next states to export and the cursor after them.

    `first`: none of these profiles was exported before; `still_first`: the same holds for those after the cursor.
    `done` of about `total` profiles and feed entries are exported.
    """

    states: Sequence[ProfileState | RemovedIds]
    cursor: str
    first: bool
    still_first: bool
    done: int
    total: int


class RowBatch:
    """Rows by table, in order; `seq` is the last number given, `size` about the bytes."""

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self.size = 0
        self.rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in TABLES}

    def add(self, states: Iterable[ProfileState | RemovedIds], now: Micros, *, first: bool) -> None:
        """Add the rows of these states at `now` (microseconds).

        `first`: none of them was exported before, so no row removes anything.
        """
        for each in states:
            # Based on the clock, so a number is never given again, even if its rows are lost.
            self.seq = max(self.seq + 1, now)
            if isinstance(each, ProfileState):
                self._state(each, now, first=first)
            elif not first:
                self._remove_profiles(each, now)

    def _state(self, state: ProfileState, now: Micros, *, first: bool) -> None:
        canonical = state.canonical
        for link in state.links:
            cells = (link.segment, canonical, link.event.type, link.event.id)
            self._add(GRAPH, cells, CREATED, link.event.time, link.at, now)
        for each in state.identifiers:
            event = each.event
            named = (each.segment, each.type, each.value, each.hash, event.type, event.id, None)
            self._add(MAPPING, (*named, event.source_id), CREATED, event.time, each.at, now)
            held = (canonical, each.type, each.value, each.first_seen, each.last_seen)
            self._add(IDENTIFIERS, held, CREATED, event.time, each.at, now)
        values = {name: value for name, (value, _, _) in state.traits.items()}
        newest = max((time for _, time, _ in state.traits.values()), default=state.at)
        arrived = max((at for _, _, at in state.traits.values()), default=state.at)
        self._add(SNAPSHOT, (canonical, _encode(values).decode()), CREATED, newest, arrived, now)
        for name, (value, time, at) in state.traits.items():
            self._add(TRAITS, (canonical, name, cell_text(value)), CREATED, time, at, now)
        for link in state.links:
            if link.segment != canonical:
                self._add(MERGES, (canonical, link.segment), CREATED, link.event.time, link.at, now)
        if not first:
            bare = {link.segment for link in state.links} - {each.segment for each in state.identifiers}
            self._remove(MAPPING, sorted(bare), state.at, now)
            self._remove(IDENTIFIERS, [] if state.identifiers else [canonical], state.at, now)
            self._remove(TRAITS, [] if state.traits else [canonical], state.at, now)
            self._remove(MERGES, [] if len(state.links) > 1 else [canonical], state.at, now)

    def _remove_profiles(self, gone: RemovedIds, now: Micros) -> None:
        for table in (SNAPSHOT, TRAITS, IDENTIFIERS, MERGES):
            self._remove(table, gone.canonicals, gone.at, now)
        for table in (GRAPH, MAPPING):
            self._remove(table, gone.segments, gone.at, now)
        if gone.erasure_id is not None:
            for segment in gone.segments:
                self._add(ERASURES, (segment, gone.erasure_id), REMOVED, gone.at, gone.at, now)

    def _remove(self, table: str, ids: Iterable[str], at: Micros, now: Micros) -> None:
        for id_ in ids:
            self._add(table, (id_,), REMOVED, at, at, now)

    def _add(self, table: str, cells: tuple[Any, ...], op: str, time: Micros | None, at: Micros, now: Micros) -> None:
        columns = TABLES[table]
        rows = self.rows[table]
        if "id" in columns:
            cells = (f"{self.seq}-{len(rows)}", *cells)
        lacking = len(columns) - len(_TAIL) - len(cells)
        rows.append((*cells, *(None,) * lacking, op, self.seq, at if time is None else time, at, now))
        self.size += 100 + sum(len(cell) for cell in cells if isinstance(cell, str))


def cell_text(value: Any) -> str:
    """The cell of a trait: text unchanged, any other value as JSON."""
    return value if isinstance(value, str) else _encode(value).decode()


class ExportManifest(Struct, frozen=True, kw_only=True):
    """The progress of an export: its last complete part, and the cursor of the next one.

    Valid rows have a `seq` greater than `since` and up to `seq`: from the last finished snapshot to the last part.
    `snapshot` is the run that began the newest snapshot and `begun` the `seq` before it; `first` is True while
    that snapshot exports profiles for the first time; `asked` is the request for it.
    """

    version: int = 1
    space_id: str
    destination_id: str
    run: int = 0
    part: int = 0
    complete: bool = True
    since: Micros = Micros(0)
    seq: int = 0
    snapshot: int = 1
    begun: Micros = Micros(0)
    first: bool = True
    cursor: str | None = None
    asked: str | None = None
    written_at: str = ""
    rows: dict[str, int] = field(default_factory=dict)

    def next_run(self) -> "ExportManifest":
        """The manifest of the next run; an interrupted run continues as the same run."""
        if not self.complete:
            return self
        return msgspec.structs.replace(self, run=self.run + 1, part=0, complete=False, rows={})

    def restarted(self, asked: str | None) -> "ExportManifest":
        """The manifest of a run that exports all profiles again."""
        run = self.run + 1
        return msgspec.structs.replace(
            self, run=run, part=0, complete=False, snapshot=run, begun=self.seq, first=True, cursor=None, asked=asked,
            rows={},
        )  # fmt: skip

    def finished(self) -> "ExportManifest":
        """The manifest of this run at its end."""
        return msgspec.structs.replace(self, complete=True, since=self.begun)


_manifest = msgspec.json.Decoder(ExportManifest)


def read_manifest(raw: bytes) -> ExportManifest | None:
    """The manifest in these bytes; None if they hold none of this version."""
    try:
        made = _manifest.decode(raw)
    except msgspec.DecodeError:
        return None
    return made if made.version == 1 else None


def write_manifest(manifest: ExportManifest) -> bytes:
    """The inverse of `read_manifest`."""
    return msgspec.json.format(_encode(manifest), indent=2) + b"\n"
