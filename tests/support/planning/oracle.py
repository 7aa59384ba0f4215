"""The planner with the whole space as its state: every store has to equal its result.

There is no store here and none is imitated: the planner changes the neighbourhood it is given,
so a world is one neighbourhood that is planned on for ever.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from identity.planning.consent import fold
from identity.planning.corrections.profile_snapshot import (
    Evidence,
    OriginContent,
    ProfileSnapshot,
    SnapshotIdentifier,
    UserIdRename,
    shown,
)
from identity.planning.corrections.remove_identifier import Removal, plan_removal
from identity.planning.corrections.unmerge import OriginSplit, UnmergePlan, plan_unmerge
from identity.planning.resolution import fold_documents
from identity.planning.resolution.plan import Gained, HistoryNote, Plan, widen
from identity.planning.resolution.planner import plan
from identity.planning.resolution.planner_state import PlannerState, Profile
from identity.planning.resolution.resolution_rules import DEFAULT_RULES, Rules
from identity.planning.resolution.stored_calls import StoredCall, stored_call
from identity.planning.resolution.working_set import set_key
from identity.values.calls import Call, Outcome, Source
from identity.values.documents import Document
from identity.values.enums import StoredKind
from identity.values.identifiers import PHONE
from identity.values.identity_tokens.claims import TokenClaims
from identity.values.ids import BlindIndex, ProfileId, SetKey
from identity.values.stamps import Micros, Stamp
from tests.support.planning.consent_of_world import world_consent
from tests.support.planning.read_calls import PUBLIC, SERVER, index, key_of, read, read_stored


class World:
    """All profiles of a space, made by planning every call in order."""

    def __init__(self, rules: Rules = DEFAULT_RULES) -> None:
        self.rules = rules
        self.state = PlannerState()
        self.outcomes: list[Outcome] = []
        self.gained: dict[BlindIndex, Gained] = {}
        self.plans: list[Plan] = []
        self.evidence: dict[int, tuple[ProfileId, Evidence]] = {}
        self.plain: dict[Stamp, tuple[ProfileId, BlindIndex]] = {}
        self.notes: list[tuple[HistoryNote, int]] = []
        self.memberships: dict[tuple[bytes, bytes], tuple[bool, int, int]] = {}
        self.members: dict[int, list[BlindIndex]] = {}
        self._ids = itertools.count(1)
        self._stamp = Stamp(1_000)

    def send(
        self,
        bodies: Iterable[dict[str, Any]],
        *,
        received: int = 0,
        source: Source = SERVER,
        token: TokenClaims | None = None,
    ) -> list[Outcome]:
        """Reads and plans these items one after the other, one plan each; `token` is that of each of them."""
        outcomes = []
        for body in bodies:
            item = read(body, self.rules, received, source, token)
            outcomes += [item] if isinstance(item, Outcome) else self.plan([item]).outcomes
        self.outcomes += outcomes
        return outcomes

    def plan(self, calls: Sequence[Call], stamps: Callable[[Stamp], Stamp] | None = None) -> Plan:
        """Plans calls that were read and indexed."""
        made = plan(self.state, calls, self.rules, stamps or self._next, self._id, bytes.hex)
        for gained in made.gained:
            self.gained[gained.identifier.key] = gained
        for _, key in made.retired:
            self.gained[key].retired = True
        for (_, key), seen in made.seen.items():
            widen(self.gained[key], *seen)
        for record in made.evidence:
            self.members[record.stamp] = shown(record.kept, record.demoted)
            set_ = set_key(self.members[record.stamp])
            self.evidence[record.stamp] = (
                record.origin,
                Evidence(
                    stamp=record.stamp,
                    kept=record.kept,
                    shown=set_,
                    call=stored_call(record.call),
                    group=record.call.group,
                ),
            )
        for record in made.events:
            self.plain[record.stamp] = record.origin, record.kept[0]
        self.notes += [(note, self.rules.version) for note in made.history]
        self.memberships |= {at: (group.member, group.time, group.stamp) for at, group in made.memberships.items()}
        self.plans.append(made)
        return made

    def group_key(self, name: str) -> bytes:
        """The blind index of a group."""
        return key_of("group", name)

    def whole(self, key: BlindIndex) -> ProfileSnapshot:
        """The canonical profile that holds an identifier, with everything that lies at its origins."""
        state = self.state
        root = state.root_of(BlindIndex(key))
        assert root is not None
        profiles = {origin.id: origin for origin in self.origins(root)}
        links = {
            gained.identifier.key: SnapshotIdentifier(
                key=gained.identifier.key, type=gained.identifier.type, origin=gained.origin, retired=gained.retired,
                linked_at=gained.linked_at, first_seen=gained.first_seen, last_seen=gained.last_seen,
                source=gained.source,
            )
            for gained in self.gained.values()
            if gained.origin in profiles
        }  # fmt: skip
        contents = {id_: OriginContent() for id_ in profiles}
        renamings = []
        for origin, item in self.evidence.values():
            if origin in profiles:
                contents[origin].evidence.append(item)
                renamings += self._renamings(item)
        for stamp, (origin, top) in self.plain.items():
            if origin in profiles:
                contents[origin].events.append((stamp, top))
        for (origin, set_), sighting in state.sightings.items():
            if origin in profiles:
                contents[origin].sightings[set_] = sighting
        cuts = {each: state.cuts[each] for each in links if each in state.cuts}
        return ProfileSnapshot(
            profiles=profiles,
            links=links,
            cuts=cuts,
            renamings=renamings,
            contents=contents,
            lock_stamp=state.lock_stamp,
        )

    def _renamings(self, item: Evidence) -> list[UserIdRename]:
        if item.call.kind != StoredKind.ALIAS:
            return []
        call = self.reread(item)
        alias = call.alias
        if alias is None or alias.to is None:
            return []
        readings = [i.key for i in (alias.user, alias.anonymous) if i is not None]
        linked = [key for key in readings if key in item.kept and key != alias.to.key]
        return [UserIdRename(item.stamp, linked[0], alias.to.key)] if linked and alias.to.key in item.kept else []

    def reread(self, item: Evidence) -> Call:
        """A call of the log, as it was read."""
        return index(read_stored(item.call, self.rules))

    def unmerge(
        self,
        named: set[BlindIndex],
        stamps: Callable[[Stamp], Stamp] | None = None,
        ids: Callable[[], ProfileId] | None = None,
        *,
        block: bool = True,
    ) -> UnmergePlan:
        """Parts identifiers from the rest of their profile."""
        state = self.state
        whole = self.whole(next(iter(named)))
        made = plan_unmerge(whole, named, self.rules, stamps or self._next, ids or self._id, block=block)
        state.profiles |= made.profiles
        for key, link in made.links.items():
            self.gained[key].origin = state.owners[key] = link.origin
            self.gained[key].retired = link.retired
        for key, side in made.sides:
            assert made.cut is not None
            state.cuts.setdefault(key, []).append((made.cut, side))
        for split in made.splits:
            self._divide(split)
        body = {"cut": None if made.cut is None else made.cut.hex()}
        record = StoredCall(
            kind=StoredKind.UNMERGE, message_id="", time=Micros(0), received=Micros(0), source=1, server=True, body=body
        )
        self.evidence[made.stamp] = (
            made.staying.id,
            Evidence(stamp=made.stamp, kept=made.named, shown=SetKey(b""), call=record),
        )
        self.notes += [(note, self.rules.version) for note in made.notes]
        state.lock_stamp = made.stamp
        return made

    def _divide(self, split: OriginSplit) -> None:
        state, origin, twin = self.state, split.origin, split.twin
        for id_, document in ((origin, split.staying), (twin, split.leaving)):
            state.documents.pop(id_, None)
            self.memberships = {at: membership for at, membership in self.memberships.items() if at[1] != id_}
            if document != Document():
                state.documents[id_] = document
            for name, membership in document.groups.items():
                self.memberships[self.group_key(name), id_] = membership
        for stamp in split.evidence:
            self.evidence[stamp] = twin, self.evidence[stamp][1]
        for stamp in split.events:
            self.plain[stamp] = twin, self.plain[stamp][1]
        for set_ in split.sightings:
            state.sightings[twin, set_] = state.sightings.pop((origin, set_))
        for note, _ in self.notes:
            if note.origin == origin and note.stamp in split.evidence:
                note.origin = twin

    def remove(
        self, key: BlindIndex, stamps: Callable[[Stamp], Stamp] | None = None, *, block: bool = False
    ) -> Removal:
        """Takes an identifier off its profile."""
        state = self.state
        whole = self.whole(key)
        made = plan_removal(whole, BlindIndex(key), stamps or self._next)
        state.profiles |= made.profiles
        del state.owners[key], self.gained[key]
        for origin, item in list(self.evidence.values()):
            if origin in whole.profiles and (origin, item.shown) in state.sightings:
                members = self.members.get(item.stamp, item.kept)
                if key in members:
                    del state.sightings[origin, item.shown]
        record = StoredCall(
            kind=StoredKind.REMOVE,
            message_id="",
            time=Micros(0),
            received=Micros(0),
            source=1,
            server=True,
            body={"blocked": block},
        )
        self.evidence[made.stamp] = (
            made.link.origin,
            Evidence(stamp=made.stamp, kept=[BlindIndex(key)], shown=SetKey(b""), call=record),
        )
        self.notes.append((made.note, self.rules.version))
        if block:
            state.blocked.add(BlindIndex(key))
        state.lock_stamp = made.stamp
        return made

    def erase(self, key: BlindIndex, *, suppress: bool = True) -> None:
        """Takes a whole person away; what is suppressed stays away."""
        state = self.state
        root = state.root_of(BlindIndex(key))
        ids = set() if root is None else {origin.id for origin in self.origins(root)}
        keys = {key} | {each for each, gained in self.gained.items() if gained.origin in ids}
        for each in keys & self.gained.keys():
            del state.owners[each], self.gained[each]
        for id_ in ids:
            del state.profiles[id_]
            state.documents.pop(id_, None)
        state.sightings = {at: seen for at, seen in state.sightings.items() if at[0] not in ids}
        self.evidence = {at: item for at, item in self.evidence.items() if item[0] not in ids}
        if suppress:
            state.suppressed |= keys

    def _next(self, after: Stamp) -> Stamp:
        self._stamp = Stamp(max(self._stamp, after) + 256)
        return self._stamp

    def _id(self) -> ProfileId:
        return ProfileId(next(self._ids).to_bytes(16, "big"))

    def origins(self, root: Profile) -> list[Profile]:
        """The origins that point to a root."""
        return [p for p in self.state.profiles.values() if p.root == root.id]

    def view(self, key: BlindIndex) -> dict[str, Any]:
        """The profile with an identifier, as a reader gets it."""
        root = self.state.root_of(BlindIndex(key))
        assert root is not None
        origins = self.origins(root)
        ids = {origin.id for origin in origins}
        documents = {id_: self.state.documents[id_] for id_ in ids if id_ in self.state.documents}
        meetings = [
            fold.Meeting(o.joined_at, o.id, o.joined_to) for o in origins if o.joined_to and o.joined_at is not None
        ]
        return {
            "profile_id": root.canonical,
            "identifiers": sorted(g.identifier.text for g in self.gained.values() if g.origin in ids),
            "traits": fold_documents.present(fold_documents.fold_traits(documents.values())),
            "consent": world_consent(self.rules, self.gained, documents, meetings),
            "groups": fold_documents.members(fold_documents.fold(d.groups for d in documents.values())),
            "events": sum(origin.events for origin in origins),
            "version": root.version,
        }

    def profiles(self) -> list[dict[str, Any]]:
        """Every canonical profile once."""
        roots = {}
        for key in self.gained:
            root = self.state.root_of(BlindIndex(key))
            assert root is not None
            roots[root.id] = key
        return [self.view(key) for key in roots.values()]


__all__ = ["PHONE", "PUBLIC", "SERVER", "World", "index", "key_of", "read"]
