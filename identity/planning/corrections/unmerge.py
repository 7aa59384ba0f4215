"""Plans an unmerge: moves the named identifiers of a profile into a profile of their own.

An origin whose identifiers all leave moves by pointer; an origin without any of them stays. A mixed origin is
split, and its data follows its evidence. Afterwards every piece of data is in exactly one place, so the state
before a merge comes back unchanged.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from msgspec import Struct, structs

from identity.planning.corrections.join_history import side_joins
from identity.planning.corrections.profile_snapshot import (
    Evidence,
    OriginContent,
    ProfileSnapshot,
    SnapshotIdentifier,
    folded_counters,
    own_counters,
    unproven_links,
)
from identity.planning.resolution.counters import counted
from identity.planning.resolution.extract import content
from identity.planning.resolution.fold_documents import merge_decisions, merge_membership, merge_signals, merge_traits
from identity.planning.resolution.plan import FeedChange, HistoryNote
from identity.planning.resolution.planner_state import Counters, Profile
from identity.planning.resolution.resolution_rules import Rules
from identity.planning.resolution.rules.trait_rules import TraitRules
from identity.values.calls import ACTS, KINDS, STORED_KINDS
from identity.values.documents import Document
from identity.values.enums import FeedOperation, HistoryKind
from identity.values.ids import BlindIndex, ProfileId, SetKey
from identity.values.stamps import Stamp


class OriginSplit(Struct):
    """A mixed origin: the content that goes to its twin, and the documents of both."""

    origin: ProfileId
    twin: ProfileId
    created: Stamp
    evidence: set[Stamp]
    events: set[Stamp]
    sightings: set[SetKey]
    staying: Document
    leaving: Document


class UnmergePlan(Struct):
    """The changes of an unmerge; `profiles` and `links` hold every changed one in its new state.

    `cut` is the id of the cut that keeps the two sides separate, or None; `sides` are the rows of the cut.
    """

    stamp: Stamp
    named: list[BlindIndex]
    staying: Profile
    leaving: Profile
    profiles: dict[ProfileId, Profile]
    links: dict[BlindIndex, SnapshotIdentifier]
    splits: list[OriginSplit]
    cut: bytes | None
    sides: list[tuple[BlindIndex, int]]
    notes: list[HistoryNote]
    changes: list[FeedChange]


def mixed_origins(links: Iterable[SnapshotIdentifier], named: AbstractSet[BlindIndex]) -> set[ProfileId]:
    """The origins with both identifiers that leave and identifiers that stay."""
    leaving: set[ProfileId] = set()
    staying: set[ProfileId] = set()
    for link in links:
        (leaving if link.key in named else staying).add(link.origin)
    return leaving & staying


def plan_unmerge(
    snapshot: ProfileSnapshot,
    named: AbstractSet[BlindIndex],
    rules: Rules,
    stamps: Callable[[Stamp], Stamp],
    fresh_id: Callable[[], ProfileId],
    *,
    block: bool,
) -> UnmergePlan:
    """Plan the move of the named identifiers out of a profile with at least one other identifier.

    The `contents` of the snapshot must hold the mixed origins.
    """
    before = max(snapshot.lock_stamp, *(profile.stamp for profile in snapshot.profiles.values()))
    births = {id_: profile.created for id_, profile in snapshot.profiles.items()}
    # By age, so a replay makes the same twins under any ids.
    split = sorted(mixed_origins(snapshot.links.values(), named), key=lambda id_: (births[id_], id_))
    twins = {origin: fresh_id() for origin in split}
    for twin in twins.values():
        before = births[twin] = stamps(before)
    stamp = stamps(before)
    links = {key: _moved(link, twins) if key in named else link for key, link in snapshot.links.items()}
    left = {link.origin for key, link in links.items() if key in named}
    stays, leaves = _sides(snapshot, left, twins)
    links = {key: _renamed(link, snapshot, named) if link.retired else link for key, link in links.items()}
    cut = fresh_id() if block else None
    sides = [(key, int(key in named)) for key in sorted(links)] if block else []
    cuts = {key: list(pairs) for key, pairs in snapshot.cuts.items()}
    for key, side in sides:
        cuts.setdefault(key, []).append((cut or b"", side))

    profiles = dict(snapshot.profiles)
    for origin, twin in twins.items():
        empty = Counters(types={}, live=[])
        profiles[twin] = Profile(
            id=twin,
            created=births[twin],
            root=twin,
            canonical=twin,
            oldest_birth=births[twin],
            own=empty,
            folded=empty,
            version=0,
            stamp=stamp,
        )
        profiles[origin] = structs.replace(profiles[origin])
    splits = [_split(snapshot.contents[origin], profiles[origin], profiles[twin], named, snapshot.links, rules.traits)
              for origin, twin in twins.items()]  # fmt: skip
    owns = own_counters(links, profiles, unproven_links(profiles.values()))
    version = max(profile.version for profile in snapshot.profiles.values() if profile.root == profile.id) + 1
    roots = []
    after: dict[ProfileId, Profile] = {}
    for there in (stays, leaves):
        joins = side_joins(snapshot.profiles, {old: new for old, new in there.items() if owns[new].origins}, births)
        members = sorted((profiles[id_] for id_ in there.values()), key=lambda p: (births[p.id], p.id))
        oldest = next(p for p in members if owns[p.id].origins)
        for profile in members:
            to, at = joins.joined.get(profile.id, (None, None))
            if not owns[profile.id].origins:
                to, at = profile.joined_to, None
            own = profile.own if counted(profile.own) == counted(owns[profile.id]) else owns[profile.id]
            after[profile.id] = structs.replace(profile, root=joins.root, joined_to=to, joined_at=at, own=own)
        root = after[joins.root]
        root.canonical, root.oldest_birth, root.version, root.stamp = oldest.id, births[oldest.id], version, stamp
        root.folded = folded_counters({p.id: owns[p.id] for p in members}, links, cuts, rules)
        roots.append(root)
    staying, leaving = roots
    changed = {id_: profile for id_, profile in after.items() if profile != snapshot.profiles.get(id_)}
    for profile in changed.values():
        profile.stamp = stamp
    keys = sorted(named)
    return UnmergePlan(
        stamp=stamp,
        named=keys,
        staying=staying,
        leaving=leaving,
        profiles=changed,
        links={key: link for key, link in links.items() if link != snapshot.links[key]},
        splits=splits,
        cut=cut,
        sides=sides,
        notes=[
            HistoryNote(origin=staying.id, stamp=stamp, kind=HistoryKind.UNMERGED, keys=keys, other=leaving.canonical),
            HistoryNote(origin=leaving.id, stamp=stamp, kind=HistoryKind.UNMERGED, keys=keys, other=staying.canonical),
        ],
        changes=_changes(snapshot, roots, (stays, leaves), stamp),
    )


def _changes(
    snapshot: ProfileSnapshot, roots: Sequence[Profile], sides: Sequence[Mapping[ProfileId, ProfileId]], stamp: Stamp
) -> list[FeedChange]:
    """The feed entries: the id that exists again, and the merges on its side."""
    was = next(profile.canonical for profile in snapshot.profiles.values() if profile.root == profile.id)
    back, there = next((root, there) for root, there in zip(roots, sides, strict=True) if root.canonical != was)
    changes = [
        FeedChange(op=FeedOperation.UNMERGE, profile=was, version=back.version, stamp=stamp, other=back.canonical)
    ]
    changes += [
        FeedChange(op=FeedOperation.MERGE, profile=back.canonical, version=back.version, stamp=stamp, other=id_)
        for id_ in sorted(there.values())
        if id_ != back.canonical and id_ in snapshot.profiles
    ]
    return [*changes, FeedChange(op=FeedOperation.UPSERT, profile=back.canonical, version=back.version, stamp=stamp)]


def document_of(calls: Iterable[Evidence], rules: TraitRules) -> Document:
    """The document of these calls, applied in the order of their stamps."""
    document = Document()
    for held in sorted(calls, key=lambda evidence: evidence.stamp):
        kind = STORED_KINDS[held.call.kind]
        if kind in ACTS:
            continue
        stated = content(
            held.call.body,
            kind,
            server=held.call.server,
            proven=held.call.proof is not None,
            received=held.call.received,
            time=held.call.time,
        )
        if stated.traits:
            proven = held.call.proof.traits if held.call.proof is not None else ()
            merge_traits(
                document, stated.traits, held.call.time, held.stamp, rules, server=held.call.server, proven=proven
            )
        if stated.consent:
            merge_decisions(
                document, stated.consent, held.call.time, held.stamp, server=held.call.for_person, device=stated.device
            )
        if stated.signals:
            merge_signals(document, stated.signals, held.stamp, device=stated.device)
        if held.group is not None:
            merge_membership(
                document, held.group, held.call.time, held.stamp, member=kind != "leave", server=held.call.server
            )
    return document


def _moved(link: SnapshotIdentifier, twins: Mapping[ProfileId, ProfileId]) -> SnapshotIdentifier:
    return structs.replace(link, origin=twins[link.origin]) if link.origin in twins else link


def _renamed(link: SnapshotIdentifier, snapshot: ProfileSnapshot, named: AbstractSet[BlindIndex]) -> SnapshotIdentifier:
    """A retired user id stays retired if a call that renamed it has both its ids on one side."""
    for renaming in snapshot.renamings:
        known = renaming.to in snapshot.links and link.linked_at <= renaming.stamp
        if renaming.previous == link.key and known and (renaming.to in named) == (link.key in named):
            return link
    return structs.replace(link, retired=False)


def _sides(
    snapshot: ProfileSnapshot, left: AbstractSet[ProfileId], twins: Mapping[ProfileId, ProfileId]
) -> tuple[dict[ProfileId, ProfileId], dict[ProfileId, ProfileId]]:
    """For each side, the successors of the old origins. An id without rows of its own follows its data."""
    stays: dict[ProfileId, ProfileId] = {}
    leaves: dict[ProfileId, ProfileId] = {}
    for id_, profile in snapshot.profiles.items():
        followed = id_ if profile.own.origins else profile.joined_to or id_
        if id_ in twins:
            stays[id_], leaves[id_] = id_, twins[id_]
        elif followed in left:
            leaves[id_] = id_
        else:
            stays[id_] = id_
    return stays, leaves


def _split(
    content_: OriginContent,
    origin: Profile,
    twin: Profile,
    named: AbstractSet[BlindIndex],
    links: Mapping[BlindIndex, SnapshotIdentifier],
    rules: TraitRules,
) -> OriginSplit:
    """Divide the content of a mixed origin; changes the event counts of both."""

    def leaves(top: BlindIndex | None, stamp: Stamp) -> bool:
        link = links.get(top) if top is not None and top in named else None
        return link is not None and link.origin == origin.id and link.linked_at <= stamp

    leaving = [held for held in content_.evidence if leaves(held.kept[0] if held.kept else None, held.stamp)]
    gone = {held.stamp for held in leaving}
    staying = [held for held in content_.evidence if held.stamp not in gone]
    events = {stamp for stamp, top in content_.events if leaves(top, stamp)}
    newest: dict[SetKey, tuple[Stamp, bool]] = {}
    for held in content_.evidence:
        newest[held.shown] = max(newest.get(held.shown, (Stamp(0), False)), (held.stamp, held.stamp in gone))
    sightings = {shown for shown in content_.sightings if newest.get(shown, (Stamp(0), False))[1]}
    twin.events = len(events) + sum(STORED_KINDS[held.call.kind] in KINDS for held in leaving)
    origin.events -= twin.events
    return OriginSplit(
        origin=origin.id,
        twin=twin.id,
        created=twin.created,
        evidence=gone,
        events=events,
        sightings=sightings,
        staying=document_of(staying, rules),
        leaving=document_of(leaving, rules),
    )
