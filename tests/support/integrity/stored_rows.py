"""Every stored row of a space, opened with the vault.

The statements are plain ones of its own, so that nothing under test vouches for itself; whatever
cannot be opened raises.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
import psycopg
from msgspec import Struct, structs

from identity.planning.resolution import counters, fold_documents
from identity.planning.resolution.planner_state import GroupState, Profile, Sighting
from identity.planning.resolution.resolution_rules import DEFAULT_RULES, Rules, compile_stored_rules
from identity.planning.resolution.stored_calls import StoredCall, split_keys, unpack, unpack_demoted, unpack_events
from identity.spaces.space import Space
from identity.store.postgres.database import Database
from identity.store.postgres.tenant import Tenant
from identity.values.calls import IndexVersions
from identity.values.identifiers import BUILT_IN
from identity.values.ids import BlindIndex, ProfileId, SpaceNumber
from identity.vault.keyring import Keyring
from identity.vault.seal import DOCUMENT, EVENT, EVIDENCE, GROUP_ID, GROUP_TRAITS, IDENTIFIER, RULES, TYPE_NAME
from identity.vault.subject_keys import SubjectKey


class Logged(Struct):
    """An accepted call as stored; the last three only as evidence."""

    stamp: int
    origin: ProfileId
    kept_call: StoredCall
    evidence: bool
    kept: list[BlindIndex] = []
    demoted: list[tuple[BlindIndex, str]] = []
    rules: int = 0


class Link(Struct):
    """A reverse row, opened."""

    origin: ProfileId
    type: str
    value: str
    retired: bool
    source: int
    linked_at: int
    first_seen: int
    last_seen: int

    @property
    def row(self) -> tuple[Any, ...]:
        """All values of the row, for a comparison."""
        return structs.astuple(self)


class Stored:
    """Every row of a space, opened. Raises where anything cannot be opened."""

    def __init__(self, url: str, keyring: Keyring, space_id: int) -> None:
        with psycopg.connect(url) as connection:
            self._connection, self._id = connection, space_id
            public_id, base = connection.execute(
                "SELECT public_id, bucket_base FROM space WHERE id = %s", [space_id]
            ).fetchone() or (None, 0)
            assert public_id is not None
            self.keys = keyring.space(public_id.bytes)
            versions = self._rows("index_version, index_live, index_messages, index_oldest FROM space_gate")
            self.keys.set_versions(IndexVersions(*versions[0]))
            journal = keyring.journal(public_id.bytes)
            self.space = Space(
                Tenant(SpaceNumber(space_id), base), public_id.bytes, "", self.keys, Database(url), journal
            )
            self.names = dict(enumerate(BUILT_IN, 1))
            for code, name in self._rows("code, name FROM identifier_type"):
                self.names[code] = self._space_text(TYPE_NAME, code, name)
            self.rules: dict[int, Rules] = {0: DEFAULT_RULES}
            for version, document in self._rows("version, document FROM rules"):
                self.rules[version] = compile_stored_rules(
                    msgspec.json.decode(self._space_text(RULES, version, document)), version
                )
            self._subjects = self._read_subjects()
            self._read_profiles()
            self._read_identifiers()
            self._read_groups()
            self.log = sorted(self._read_calls(), key=lambda logged: logged.stamp)
            self.history = sorted(
                (stamp, seq, _raw(profile), kind, _raw(other), bytes(keys), version)
                for stamp, seq, profile, kind, other, keys, version in self._rows(
                    "stamp, seq, profile_id, kind, other, keys, rules_version FROM history"
                )
            )
            self.cuts: dict[bytes, list[tuple[bytes, int]]] = {}
            for key, cut, side in self._rows("key, cut, side FROM cut"):
                self.cuts.setdefault(bytes(key), []).append((cut.bytes, side))
            self.cuts = {key: sorted(pairs) for key, pairs in self.cuts.items()}
            self.messages = {_raw(key) for (key,) in self._rows("key FROM message")}
            self.changes = [
                (lane, seq, op, _raw(profile), version, _raw(other))
                for lane, seq, op, profile, version, other in self._rows(
                    "lane, seq, op, profile_id, version, other FROM change ORDER BY lane, seq"
                )
            ]
            self.lanes = dict(self._rows("lane, seq FROM lane_head"))

    def _rows(self, query: str) -> list[Any]:
        before, order, after = query.partition(" ORDER BY")
        text = f"SELECT {before} WHERE space_id = {self._id}{order}{after}"
        return self._connection.execute(text.encode()).fetchall()

    def _space_text(self, place: Any, version: int, sealed: bytes) -> str:
        return self.keys.open(place, self.keys.id, version, sealed).decode()

    def _read_subjects(self) -> dict[bytes, SubjectKey]:
        slots = {slot: self.keys.slot(slot, *rest) for slot, *rest in self._rows("slot, epoch, wrapped FROM slot_key")}
        found = self._rows("profile_id, slot, key_id, wrapped FROM subject_key")
        return {id_.bytes: slots[slot].unwrap(key_id.bytes, wrapped) for id_, slot, key_id, wrapped in found}

    def _read_profiles(self) -> None:
        self.profiles: dict[bytes, Profile] = {}
        for row in self._rows(
            "profile_id, born, head, canonical, elder, own, folded, version, stamp, events, joined_to, joined_at "
            "FROM profile"
        ):
            id_, born, head, canonical, elder, own, folded, version, stamp, events, joined_to, joined_at = row
            own_counters = counters.unpack(own, self.names)
            folded_counters = counters.unpack(own if folded is None else folded, self.names)
            self.profiles[id_.bytes] = Profile(
                id=id_.bytes,
                created=born,
                root=head.bytes,
                canonical=canonical.bytes,
                oldest_birth=elder,
                own=own_counters,
                folded=folded_counters,
                version=version,
                stamp=stamp,
                events=events,
                joined_to=_raw(joined_to),
                joined_at=joined_at,
            )
        self.documents = {
            id_.bytes: fold_documents.unpack(self._subjects[id_.bytes].open(DOCUMENT, id_.bytes, version, document))
            for id_, version, document in self._rows("profile_id, version, document FROM profile_document")
        }

    def _read_identifiers(self) -> None:
        self.owners = {bytes(key): id_.bytes for key, id_ in self._rows("key, profile_id FROM identifier")}
        self.links: dict[BlindIndex, Link] = {}
        for origin, key, type_, value, *rest in self._rows(
            "profile_id, key, type, value, retired, source, linked_at, first_seen, last_seen FROM profile_identifier"
        ):
            opened = self._subjects[origin.bytes].open(IDENTIFIER, key[:16], 0, value).decode()
            assert bytes(key) not in self.links, "an identifier has two reverse rows"
            self.links[BlindIndex(bytes(key))] = Link(origin.bytes, self.names[type_], opened, *rest)
        self.sightings = {
            (origin.bytes, set_.bytes): Sighting(
                count,
                days,
                last,
                first_seen,
                last_seen,
                tuple(int.from_bytes(sources[at : at + 4], "big") for at in range(0, len(sources), 4)),
            )
            for origin, set_, count, days, last, first_seen, last_seen, sources in self._rows(
                "profile_id, set_key, count, days, last_day, first_seen, last_seen, sources FROM sighting"
            )
        }

    def _read_groups(self) -> None:
        self.memberships = {
            (bytes(key), id_.bytes): tuple(membership)
            for key, id_, *membership in self._rows("group_key, profile_id, member, time, stamp FROM membership")
        }
        self.accounts: dict[bytes, GroupState] = {}
        for key, id_, version, name, document in self._rows(
            "key, account_id, version, group_id, document FROM account"
        ):
            subject = self._subjects[id_.bytes]
            values = fold_documents.unpack(subject.open(GROUP_TRAITS, id_.bytes, version, document))
            self.accounts[bytes(key)] = GroupState(
                id_.bytes, subject.open(GROUP_ID, id_.bytes, 0, name).decode(), values, version
            )

    def _read_calls(self) -> Iterator[Logged]:
        for origin, stamp, version, kept, demoted, payload in self._rows(
            "profile_id, stamp, rules_version, kept, demoted, payload FROM evidence"
        ):
            call = unpack(self._subjects[origin.bytes].open(EVIDENCE, origin.bytes, stamp, payload))
            reasons = list(unpack_demoted(demoted or b"", self.names.__getitem__))
            yield Logged(stamp, origin.bytes, call, True, split_keys(kept), reasons, version)
        for origin, stamp, calls, payload in self._rows("profile_id, stamp, calls, payload FROM event"):
            packed = unpack_events(self._subjects[origin.bytes].open(EVENT, origin.bytes, stamp, payload))
            assert calls == len(packed), "a row of events says another number than it holds"
            for each, call in packed:
                yield Logged(each, origin.bytes, call, False)


def _raw(value: Any) -> Any:
    return None if value is None else value.bytes
