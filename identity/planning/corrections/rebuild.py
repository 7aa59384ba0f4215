"""Turns a replay into the new rows of some profiles, under stable ids.

A rebuilt origin keeps the id of the origin of its first call. An id left over points to the profile with its
first call, or to DORMANT if none of its calls identifies a person now. No stored call is lost: evidence that
the replay does not record keeps its origin.
"""

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct, structs

from identity.planning.corrections.carry_sightings import carry_sightings
from identity.planning.corrections.profile_snapshot import (
    SnapshotIdentifier,
    folded_counters,
    own_counters,
    unproven_links,
)
from identity.planning.corrections.replay import Replay, ReplayEntry
from identity.planning.resolution.counters import counted
from identity.planning.resolution.plan import Gained, widen
from identity.planning.resolution.planner_state import Counters, Profile, Sightings
from identity.values.calls import KINDS, STORED_KINDS
from identity.values.documents import Document
from identity.values.ids import BlindIndex, ProfileId, SetKey
from identity.values.stamps import Stamp

DORMANT = bytes(16)
"""The root of an id without a profile."""


class ReplayedEvidence(Struct):
    """Stored evidence: its origin, the identifiers it kept and those it demoted, the key of their set."""

    origin: ProfileId
    kept: list[BlindIndex]
    demoted: list[tuple[BlindIndex, str]]
    shown: SetKey


class ReplayedEvent(Struct):
    """A plain call: its origin, and the identifiers it named when it arrived, the strongest first."""

    origin: ProfileId
    keys: list[BlindIndex]


class StoredProfiles(Struct):
    """Stored profiles with their content; `evidence` and `events` by stamp."""

    profiles: dict[ProfileId, Profile]
    links: dict[BlindIndex, SnapshotIdentifier]
    documents: dict[ProfileId, Document]
    sightings: Sightings
    evidence: dict[Stamp, ReplayedEvidence]
    events: dict[Stamp, ReplayedEvent]


class RebuiltProfiles(Struct):
    """The same profiles after the rebuild; `changed` are the ids of the rows to write."""

    profiles: dict[ProfileId, Profile]
    links: dict[BlindIndex, Gained]
    documents: dict[ProfileId, Document]
    sightings: Sightings
    evidence: dict[Stamp, ReplayedEvidence]
    events: dict[Stamp, ProfileId]
    changed: set[ProfileId] = set()


def rebuild(
    stored: StoredProfiles, log: Iterable[ReplayEntry], replay: Replay, fresh_id: Callable[[], ProfileId]
) -> RebuiltProfiles:
    """The rows of some profiles after the replay of their log."""
    entries = list(log)
    names = _names(stored, entries, replay, fresh_id)
    waiting = unproven_links(replay.state.profiles.values())
    links = {
        key: structs.replace(gained, origin=names[gained.origin], unproven=key in waiting)
        for key, gained in replay.links.items()
    }
    for key, link in links.items():
        before = stored.links.get(key)
        if before is not None:
            widen(link, before.first_seen, before.last_seen)
    evidence = {stamp: structs.replace(held) for stamp, held in stored.evidence.items()}
    for stamp, record in replay.recorded.items():
        replayed = ReplayedEvidence(names[record.origin], record.kept, record.demoted, replay.showed(stamp))
        evidence[stamp] = replayed
    for stamp in replay.refused:
        evidence[stamp] = ReplayedEvidence(stored.evidence[stamp].origin, [], [], SetKey(b""))
    homes = _homes(stored, entries, evidence, set(names.values()), replay.recorded.keys())
    rebuilt = RebuiltProfiles(
        profiles=_profiles(stored, replay, names, homes),
        links=links,
        documents={names[id_]: document for id_, document in replay.state.documents.items()},
        sightings=_sightings(
            stored, evidence, {(names[at], s): seen for (at, s), seen in replay.state.sightings.items()}
        ),
        evidence=evidence,
        events=_events(stored, links, homes),
    )
    _count_events(stored, rebuilt, homes, replay.recorded.keys(), entries)
    _fold(stored, rebuilt, replay)
    rebuilt.changed = _changed(stored, rebuilt)
    return rebuilt


def _names(
    stored: StoredProfiles, entries: list[ReplayEntry], replay: Replay, fresh_id: Callable[[], ProfileId]
) -> dict[ProfileId, ProfileId]:
    """The ids of the replayed origins: the old origin of the first call of each, used once."""
    names: dict[ProfileId, ProfileId] = {}
    taken: set[ProfileId] = set()

    def name(made: ProfileId, old: ProfileId | None) -> None:
        if made not in names:
            names[made] = fresh_id() if old is None or old in taken else old
            taken.add(names[made])

    lay = {each.stamp: each.origin for each in entries}
    for stamp in sorted(replay.recorded):
        name(replay.recorded[stamp].origin, lay[stamp])
    for gained in replay.links.values():
        before = stored.links.get(gained.identifier.key)
        name(gained.origin, None if before is None else before.origin)
    for made in replay.state.profiles:
        name(made, None)
    return names


def _homes(
    stored: StoredProfiles,
    entries: list[ReplayEntry],
    evidence: Mapping[Stamp, ReplayedEvidence],
    taken: set[ProfileId],
    landed: Iterable[Stamp],
) -> dict[ProfileId, ProfileId]:
    """The rebuilt origin that succeeds each old id, where one does."""
    homes = {id_: id_ for id_ in stored.profiles if id_ in taken}
    on = set(landed)
    for each in entries:
        if each.stamp in on and each.origin not in homes:
            homes[each.origin] = evidence[each.stamp].origin
    for id_, profile in stored.profiles.items():
        if id_ not in homes and not profile.own.origins and profile.joined_to in homes:
            homes[id_] = homes[profile.joined_to]
    return homes


def _profiles(
    stored: StoredProfiles, replay: Replay, names: Mapping[ProfileId, ProfileId], homes: Mapping[ProfileId, ProfileId]
) -> dict[ProfileId, Profile]:
    profiles = {}
    for made, profile in replay.state.profiles.items():
        id_ = names[made]
        before = stored.profiles.get(id_)
        profiles[id_] = structs.replace(
            profile,
            id=id_,
            root=names[profile.root],
            canonical=names[profile.canonical],
            joined_to=None if profile.joined_to is None else names[profile.joined_to],
            version=0 if before is None else before.version,
            stamp=0 if before is None else before.stamp,
            events=0,
        )
    for id_, profile in stored.profiles.items():
        if id_ in profiles:
            continue
        home = homes.get(id_)
        root = DORMANT if home is None else profiles[home].root
        none = Counters(types={}, live=[], origins=0)
        profiles[id_] = structs.replace(
            profile, root=root, canonical=id_, joined_to=home, joined_at=None, own=none, folded=none, events=0
        )
    return profiles


def _sightings(stored: StoredProfiles, evidence: Mapping[Stamp, ReplayedEvidence], replayed: Sightings) -> Sightings:
    """The sightings of the rebuilt origins, with the plain calls that the stored ones count."""
    before = {stamp: (held.origin, held.shown) for stamp, held in stored.evidence.items()}
    after = {stamp: (held.origin, held.shown) for stamp, held in evidence.items() if held.kept}
    return carry_sightings(stored.sightings, replayed, before, after)


def _events(
    stored: StoredProfiles, links: Mapping[BlindIndex, Gained], homes: Mapping[ProfileId, ProfileId]
) -> dict[Stamp, ProfileId]:
    """The origin of each plain call: the origin of its strongest identifier."""
    return {
        stamp: next((links[key].origin for key in plain.keys if key in links), homes.get(plain.origin, plain.origin))
        for stamp, plain in stored.events.items()
    }


def _count_events(
    stored: StoredProfiles,
    rebuilt: RebuiltProfiles,
    homes: Mapping[ProfileId, ProfileId],
    landed: Iterable[Stamp],
    entries: list[ReplayEntry],
) -> None:
    """Count the calls of each origin; expired calls count at the origin their old id points to."""
    counts = {STORED_KINDS.index(kind) for kind in KINDS}
    calls = {each.stamp for each in entries if each.stored.kind in counts}
    left = {id_: profile.events for id_, profile in stored.profiles.items()}
    for stamp, held in stored.evidence.items():
        # The stored count excludes calls the previous replay did not record.
        left[held.origin] -= stamp in calls and bool(held.kept)
    for plain in stored.events.values():
        left[plain.origin] -= 1
    for id_, expired in left.items():
        rebuilt.profiles[homes.get(id_, id_)].events += expired
    for stamp in landed:
        rebuilt.profiles[rebuilt.evidence[stamp].origin].events += stamp in calls
    for origin in rebuilt.events.values():
        rebuilt.profiles[origin].events += 1


def _fold(stored: StoredProfiles, rebuilt: RebuiltProfiles, replay: Replay) -> None:
    """Set the counters of every origin and root from the rebuilt links."""
    links = {
        key: SnapshotIdentifier(
            key=key, type=gained.identifier.type, origin=gained.origin, retired=gained.retired,
            linked_at=gained.linked_at,
            first_seen=gained.first_seen, last_seen=gained.last_seen, source=gained.source,
        )
        for key, gained in rebuilt.links.items()
    }  # fmt: skip
    owns = own_counters(links, rebuilt.profiles, {key for key, gained in rebuilt.links.items() if gained.unproven})
    members: dict[ProfileId, list[ProfileId]] = {}
    for id_, profile in rebuilt.profiles.items():
        members.setdefault(profile.root, []).append(id_)
        before = stored.profiles.get(id_)
        own = profile.own = owns[id_]
        if before is not None and (counted(before.own), before.own.origins, before.own.unproven) == (
            counted(own),
            own.origins,
            own.unproven,
        ):
            profile.own = before.own
    for root, under in members.items():
        if root != DORMANT:
            of = {id_: owns[id_] for id_ in under}
            held = {key: link for key, link in links.items() if link.origin in of}
            rebuilt.profiles[root].folded = folded_counters(of, held, replay.state.cuts, replay.rules)


def _content_by_origin(
    links: Iterable[tuple[ProfileId, BlindIndex, tuple[bool, bool], tuple[int, int, int]]],
    evidence: Mapping[Stamp, ReplayedEvidence],
    events: Iterable[tuple[ProfileId, Stamp]],
    sightings: Sightings,
    documents: Mapping[ProfileId, Document],
) -> dict[ProfileId, dict[object, object]]:
    """The content of each origin, for comparison."""
    found: dict[ProfileId, dict[object, object]] = {}
    for origin, key, state, times in links:
        found.setdefault(origin, {})[key] = state, times
    for stamp, held in evidence.items():
        found.setdefault(held.origin, {})["call", stamp] = held.kept, held.demoted
    for origin, stamp in events:
        found.setdefault(origin, {})["event", stamp] = True
    for (origin, set_), seen in sightings.items():
        found.setdefault(origin, {})["set", set_] = seen
    for origin, document in documents.items():
        found.setdefault(origin, {})["document"] = document.sections, document.orders
    return found


def _changed(stored: StoredProfiles, rebuilt: RebuiltProfiles) -> set[ProfileId]:
    """The ids whose content changed."""
    waiting = unproven_links(stored.profiles.values())
    before = _content_by_origin(
        [
            (link.origin, key, (link.retired, key in waiting), (link.linked_at, link.first_seen, link.last_seen))
            for key, link in stored.links.items()
        ],
        stored.evidence,
        [(plain.origin, stamp) for stamp, plain in stored.events.items()],
        stored.sightings,
        stored.documents,
    )
    after = _content_by_origin(
        [
            (link.origin, key, (link.retired, link.unproven), (link.linked_at, link.first_seen, link.last_seen))
            for key, link in rebuilt.links.items()
        ],
        rebuilt.evidence,
        [(origin, stamp) for stamp, origin in rebuilt.events.items()],
        rebuilt.sightings,
        rebuilt.documents,
    )
    return {id_ for id_ in before.keys() | after.keys() if before.get(id_) != after.get(id_)}
