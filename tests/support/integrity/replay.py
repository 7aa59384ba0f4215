"""Replays the stamps' order of a stored space through the planner, and compares.

What is stored has to be what the planner makes of the stored calls, one by one in the order of
their stamps; and it has to agree with itself. Differences name ids and stamps, never values.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from operator import attrgetter
from typing import Any

from identity.planning.corrections.profile_snapshot import Evidence
from identity.planning.corrections.rules_types import may_name_types
from identity.planning.resolution import counters
from identity.planning.resolution.extract import extract
from identity.planning.resolution.plan import Plan
from identity.planning.resolution.planner_state import Counters, Profile
from identity.planning.resolution.stored_calls import pack_demoted
from identity.planning.resolution.stored_calls import source as source_of
from identity.spaces.blind_indexes import index_call
from identity.values.calls import ACTS, KINDS, STORED_KINDS, Call, DemotedIdentifier, Identifier
from identity.values.enums import FeedOperation, HistoryKind, UnlinkedReason
from identity.values.identifiers import BUILT_IN
from identity.values.ids import BlindIndex, ProfileId
from identity.values.stamps import Stamp
from identity.vault.keyring import Keyring
from tests.support.integrity.pair_differences import pair_differences
from tests.support.integrity.stored_rows import Logged, Stored
from tests.support.planning.oracle import World

MOST_SHOWN = 20


def differences(url: str, keyring: Keyring, space_id: int, changes: Sequence[tuple[int, int]] = ()) -> list[str]:
    """The differences between a stored space and its replay; none for a correct space.

    `changes` are (stamp, version) of each change of the rules: the gate's stamp after it.
    """
    stored = Stored(url, keyring, space_id)
    replayed = Replayed(stored, changes)
    replayed.play()
    found = replayed.differences + list(islice(inner(stored), MOST_SHOWN))
    if not replayed.differences:
        found += islice(outer(stored, replayed), MOST_SHOWN)
    return found


class Replayed(World):
    """A world that a stored log is played into, under the stored ids and stamps."""

    def __init__(self, stored: Stored, changes: Sequence[tuple[int, int]]) -> None:
        super().__init__()
        self.stored = stored
        self.changes = changes
        self.differences: list[str] = []
        self._at: Logged | None = None
        self._group = b""
        self._parted = {
            bytes.fromhex(twin): bytes.fromhex(origin)
            for logged in stored.log
            for origin, twin, _ in logged.kept_call.body.get("twins", ())
            if STORED_KINDS[logged.kept_call.kind] == "unmerge"
        }

    def _id(self) -> ProfileId:
        at = self._at
        assert at is not None
        origin = at.origin
        while origin in self._parted:
            # The call lay elsewhere before an unmerge: where it lies now was made for that.
            origin = ProfileId(self._parted[origin])
        if origin not in self.state.profiles:
            return origin
        if self._group in self.stored.accounts and self._group not in self.state.groups:
            return ProfileId(self.stored.accounts[self._group].id)
        return super()._id()

    def play(self) -> None:
        """Plays the whole log; stops at the first call that differs, as all after it would."""
        for logged in self.stored.log:
            self.rules = self.stored.rules[self._version(logged)]
            if STORED_KINDS[logged.kept_call.kind] in ACTS:
                self._act(logged)
                continue
            call = self._read(logged)
            self._at, self._group = logged, call.group_key
            self._scan_windows(call)
            self._compare(logged, self.plan([call], self._stamps(logged)))
            if self.differences:
                return

    def group_key(self, name: str) -> bytes:
        """The blind index of a group of this space."""
        return self.stored.space.keys.group(name)

    def reread(self, item: Evidence) -> Call:
        """A call of the log, as it was read."""
        return self._read(next(logged for logged in self.stored.log if logged.stamp == item.stamp))

    def _act(self, logged: Logged) -> None:
        """Replays a person's act with its ids and stamps."""
        body = logged.kept_call.body
        if STORED_KINDS[logged.kept_call.kind] == "remove":
            self.remove(logged.kept[0], self._stamps(logged), block=body["blocked"])
        else:
            ids = [bytes.fromhex(twin) for _, twin, _ in body["twins"]]
            stamps = [created for _, _, created in body["twins"]] + [logged.stamp]
            if body["cut"] is not None:
                ids.append(bytes.fromhex(body["cut"]))
            self.unmerge(
                set(logged.kept), lambda _: stamps.pop(0), lambda: ProfileId(ids.pop(0)), block=body["cut"] is not None
            )

    def _version(self, logged: Logged) -> int:
        """The rules of a call: evidence says it; for events, what was in force at their stamp."""
        version = max((number for stamp, number in self.changes if stamp < logged.stamp), default=0)
        if logged.evidence and logged.rules != version:
            self.differences.append(f"{logged.stamp}: rules {logged.rules}, in force were {version}")
        return version

    def _read(self, logged: Logged) -> Call:
        kept = logged.kept_call
        call = extract(
            kept.body, kind=STORED_KINDS[kept.kind], rules=self.rules, received=kept.received, sent_at=None,
            source=source_of(kept), token=kept.token,
        )  # fmt: skip
        call.time, call.message_id = kept.time, kept.message_id
        index_call(self.stored.space.keys, call, set())
        if logged.evidence and not may_name_types(call.source, self.rules):
            seen = [*logged.kept, *dict(logged.demoted)]  # and nothing of a type that the space did not know
            beyond = [each for each in call.identifiers if each.type not in BUILT_IN and each.key not in seen]
            call.identifiers = [each for each in call.identifiers if each not in beyond]
            unkeyed = (Identifier(each.type, each.value) for each in beyond)
            call.demoted += [DemotedIdentifier(each, UnlinkedReason.TYPE_NEEDS_SERVER_KEY) for each in unkeyed]
        return call

    def _stamps(self, logged: Logged) -> Callable[[Stamp], Stamp]:
        def stamp(after: Stamp) -> Stamp:
            if logged.stamp <= after:
                self.differences.append(f"{logged.stamp}: not after {after}, which it had to follow")
            return Stamp(logged.stamp)

        return stamp

    def _scan_windows(self, call: Call) -> None:
        """Builds the windows that the rules newly ask for, as the store does by a scan."""
        for identifier in call.identifiers:
            root = self.state.root_of(identifier.key)
            for type_ in [] if root is None else counters.missing_windows(root.folded, self.rules):
                assert root is not None
                size = self.rules.limit(type_).max + 1
                root.folded.windows[type_] = counters.newest_window(self.live(root.id, type_), size)

    def live(self, root: ProfileId, type_: str) -> dict[BlindIndex, int]:
        """The live identifiers of a type under a root, with the event time they were last seen."""
        return {
            key: gained.last_seen
            for key, gained in self.gained.items()
            if gained.identifier.type == type_
            and not gained.retired
            and self.state.profiles[gained.origin].root == root
        }

    def _compare(self, logged: Logged, made: Plan) -> None:
        outcome, differs = made.outcomes[0], self.differences.append
        if outcome.status != "accepted":
            differs(f"{logged.stamp}: stored, but the planner says {outcome.status}")
            return
        record = (made.evidence or made.events)[0]
        if bool(made.evidence) != logged.evidence:
            differs(f"{logged.stamp}: evidence {logged.evidence}, the planner says {bool(made.evidence)}")
        if logged.evidence and (record.kept, record.demoted) != (logged.kept, logged.demoted):
            differs(f"{logged.stamp}: kept {len(logged.kept)} and demoted {len(logged.demoted)} other identifiers")

    def lines(self) -> list[tuple[Any, ...]]:
        """The history that the plans wrote, as it is stored."""
        codes = {name: code for code, name in self.stored.names.items()}
        found = []
        numbers: Counter[Any] = Counter()
        for note, version in self.notes:
            at = (note.stamp, note.origin if note.kind == HistoryKind.UNMERGED else b"")
            keys = b"".join(note.keys)
            if note.kind == HistoryKind.IDENTIFIERS_DEMOTED:
                keys = pack_demoted(zip(note.keys, note.reasons, strict=True), codes)
            found.append((note.stamp, numbers[at], note.origin, note.kind, note.other, keys, version))
            numbers[at] += 1
        return sorted(found)


def outer(stored: Stored, replayed: Replayed) -> Iterator[str]:
    """The rows that differ from the replayed world."""
    state = replayed.state
    yield from pair_differences("owner", stored.owners, state.owners)
    of_link = attrgetter(
        "origin", "identifier.type", "identifier.value", "retired", "source", "linked_at", "first_seen", "last_seen"
    )
    links = {key: of_link(gained) for key, gained in replayed.gained.items()}
    yield from pair_differences("link", {key: link.row for key, link in stored.links.items()}, links)
    yield from pair_differences("document", _documents(stored.documents), _documents(state.documents))
    lies = {stamp: origin for stamp, (origin, _) in (replayed.evidence | replayed.plain).items()}
    yield from pair_differences("call", {logged.stamp: logged.origin for logged in stored.log}, lies)
    yield from pair_differences("sighting", stored.sightings, state.sightings)
    yield from pair_differences("account", _accounts(stored.accounts), _accounts(state.groups))
    yield from pair_differences("membership", stored.memberships, replayed.memberships)
    yield from pair_differences("cut", stored.cuts, {key: sorted(pairs) for key, pairs in state.cuts.items()})
    for field in ("created", "root", "version", "stamp", "events", "joined_to", "joined_at", "own.unproven"):
        mine = {id_: attrgetter(field)(profile) for id_, profile in stored.profiles.items()}
        theirs = {id_: attrgetter(field)(profile) for id_, profile in state.profiles.items()}
        yield from pair_differences(field, mine, theirs)
    for name, world in (("stored", stored.profiles), ("replayed", state.profiles)):
        yield from (f"{name} {p.id.hex()}: own counters {p.own.types}" for p in world.values() if p.own.windows)
    roots = [id_ for id_, profile in state.profiles.items() if profile.root == id_]
    for field in ("canonical", "oldest_birth"):
        mine = {id_: getattr(stored.profiles[id_], field) for id_ in roots if id_ in stored.profiles}
        yield from pair_differences(field, mine, {id_: getattr(state.profiles[id_], field) for id_ in roots})
    yield from pair_differences(
        "folded",
        {id_: _counted(stored.profiles[id_].folded) for id_ in roots if id_ in stored.profiles},
        {id_: _counted(state.profiles[id_].folded) for id_ in roots},
    )
    yield from pair_differences("history", dict.fromkeys(stored.history), dict.fromkeys(replayed.lines()))
    yield from pair_differences("message", dict.fromkeys(stored.messages), dict.fromkeys(state.message_keys))


def inner(stored: Stored) -> Iterator[str]:
    """The rows that contradict each other."""
    yield from pair_differences("forward", stored.owners, {key: link.origin for key, link in stored.links.items()})
    stamps = [logged.stamp for logged in stored.log]
    if len(set(stamps)) < len(stamps):
        yield "two calls bear one stamp"
    calls = [logged.kept_call for logged in stored.log if STORED_KINDS[logged.kept_call.kind] not in ACTS]
    if len({(kept.trust, kept.message_id) for kept in calls}) < len(calls):
        yield "a message is in the log twice"
    for lane, root in stored.lanes.items():
        if [seq for at, seq, *_ in stored.changes if at == lane] != list(range(1, root + 1)):
            yield f"lane {lane}: not exactly 1..{root}"
    yield from _profiles(stored)


def _profiles(stored: Stored) -> Iterator[str]:
    members: dict[bytes, list[Profile]] = {}
    for profile in stored.profiles.values():
        members.setdefault(profile.root, []).append(profile)
    own: dict[bytes, Counters] = {}
    for key, link in stored.links.items():
        if not link.retired:
            counters.attach(own.setdefault(link.origin, Counters(types={}, live=[])), BlindIndex(key), link.type)
    events = Counter(logged.origin for logged in stored.log if STORED_KINDS[logged.kept_call.kind] in KINDS)
    for profile in stored.profiles.values():
        under = members.get(profile.id, [])
        if profile.root == profile.id:
            yield from _head(stored, profile.id, under)
        elif under or profile.joined_to is None or profile.joined_at is None:
            yield f"{profile.id.hex()}: merged away, but origins point to it or nothing says into what"
        if _counted(own.get(profile.id, Counters(types={}, live=[])))[:2] != _counted(profile.own)[:2]:
            yield f"{profile.id.hex()}: own counters are not those of its links"
        if profile.events != events[profile.id]:
            yield f"{profile.id.hex()}: {profile.events} events, the log has another number"


def _head(stored: Stored, root: ProfileId, under: Sequence[Profile]) -> Iterator[str]:
    profile, name = stored.profiles[root], root.hex()
    summed = Counters(types={}, live=[], origins=0)
    for origin in under:
        counters.unite(summed, counters.copy(origin.own))
    if (*_counted(summed), len(under)) != (*_counted(profile.folded), profile.folded.origins):
        yield f"{name}: folded counters are not the sum of the own ones"
    oldest = min(under, key=lambda origin: origin.created)
    if (profile.canonical, profile.oldest_birth) != (oldest.id, oldest.created):
        yield f"{name}: the canonical id is not that of the oldest origin"
    latest = max((version for _, _, _, about, version, _ in stored.changes if about == profile.canonical), default=-1)
    if latest != profile.version:
        yield f"{name}: version {profile.version}, the feed ends at {latest}"
    ids = {origin.id for origin in under}
    merged = {other for _, _, op, about, _, other in stored.changes if op == FeedOperation.MERGE and about in ids}
    twins = {bytes.fromhex(twin) for logged in stored.log for _, twin, _ in logged.kept_call.body.get("twins", ())}
    shown = ids - twins
    if merged < shown - {profile.canonical} and len(merged) < len(shown) - 1:
        yield f"{name}: the feed misses a merge"
    for type_, window in profile.folded.windows.items():
        seen = {
            key: link.last_seen
            for key, link in stored.links.items()
            if link.type == type_ and not link.retired and link.origin in ids
        }
        if window.seen != counters.newest_window(seen, window.size).seen:
            yield f"{name}: the window of {type_} is not the newest {window.size} of its identifiers"


def _documents(found: Mapping[ProfileId, Any]) -> dict[bytes, Any]:
    return {id_: (document.sections, document.orders) for id_, document in found.items()}


def _accounts(found: Mapping[bytes, Any]) -> dict[bytes, Any]:
    return {key: (account.id, account.group_id, account.document.traits) for key, account in found.items()}


def _counted(held: Counters) -> tuple[Any, ...]:
    return {type_: count for type_, count in held.types.items() if count}, sorted(held.live), held.unproven
