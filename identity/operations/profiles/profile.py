"""A canonical profile, opened: the documents of its origins and what they fold to."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from identity.operations.profiles.find_profile import MOST_DOCUMENTS, find
from identity.planning.consent import fold
from identity.planning.resolution import document as traits
from identity.planning.resolution.event_time import format_time
from identity.planning.resolution.stored_calls import Kept, unpack
from identity.spaces.space import Space
from identity.store.profiles import profile_queries
from identity.values.documents import Document, Stamped
from identity.values.errors import KeyRenamed, KeyUnavailable, ProfileNotFound, TooMuch
from identity.values.ids import public_profile
from identity.values.stamps import stamp_time
from identity.vault.seal import DOCUMENT, EVIDENCE, IDENTIFIER
from identity.vault.subject_keys import SubjectKey


class Opened:
    """The origins of one canonical profile; its identifiers stand in the order they were linked."""

    def __init__(
        self,
        space: Space,
        head: bytes,
        members: Sequence[profile_queries.MemberOriginRow],
        identifiers: Sequence[profile_queries.MemberIdentifierRow],
    ) -> None:
        if len(members) > MOST_DOCUMENTS:
            raise TooMuch
        self.space = space
        self.members = members
        self.identifiers = sorted(identifiers, key=_first)
        self.head = next(member for member in members if member.id == head)
        self.subjects = {member.id: _subject(space, member) for member in members}
        self.documents = {
            member.id: _open_document(self.subjects[member.id], member)
            for member in members
            if member.document is not None
        }

    @classmethod
    def each(cls, space: Space, found: profile_queries.ProfileRows) -> dict[bytes, "Opened"]:
        """The profiles that were found, by their heads. TooMuch."""
        if len(found.members) > MOST_DOCUMENTS:
            raise TooMuch
        members: dict[bytes, list[profile_queries.MemberOriginRow]] = {}
        for member in found.members:
            members.setdefault(member.head, []).append(member)
        identifiers: dict[bytes, list[profile_queries.MemberIdentifierRow]] = {}
        for held in found.identifiers:
            identifiers.setdefault(held.head, []).append(held)
        return {head: cls(space, head, under, identifiers.get(head, [])) for head, under in members.items()}

    @property
    def public_id(self) -> str:
        """The id of the canonical profile, as it is shown."""
        return public_profile(self.head.canonical)

    async def answer(self) -> dict[str, Any]:
        """The profile as the API gives it."""
        head = self.head
        names = await self.names()
        documents = self.documents
        answers = fold.fold(documents, self.meetings())
        return {
            "profile_id": public_profile(head.canonical),
            "merged_from": sorted(public_profile(m.id) for m in self.members if m.id != head.canonical),
            "created_at": format_time(stamp_time(head.elder)),
            "updated_at": format_time(stamp_time(max(member.stamp for member in self.members))),
            "version": head.version,
            "event_count": sum(member.events for member in self.members),
            "identifiers": [self._identifier(held, names) for held in self.identifiers],
            "traits": traits.present(self.folded()),
            "consent": {
                category: {
                    "value": answer.value,
                    "conflict": answer.conflict,
                    "captured_at": format_time(answer.captured),
                }
                for category, answer in answers.items()
            },
            "groups": traits.members(traits.fold(document.groups for document in documents.values())),
        }

    def meetings(self) -> list[fold.Meeting]:
        """When its origins met."""
        return [
            fold.Meeting(m.joined_at, m.id, m.joined_to)
            for m in self.members
            if m.joined_to is not None and m.joined_at is not None
        ]

    async def names(self) -> dict[int, str]:
        """The names of the types of its identifiers, and of others."""
        names = self.space.names
        if any(held.type not in names for held in self.identifiers):
            names = await self.space.read_types()
        return names

    def value(self, held: profile_queries.MemberIdentifierRow) -> str:
        """The value of one of its identifiers."""
        return self.subjects[held.origin].open(IDENTIFIER, held.key[:16], 0, held.value).decode()

    def _identifier(self, held: profile_queries.MemberIdentifierRow, names: dict[int, str]) -> dict[str, Any]:
        return {
            "type": names[held.type],
            "value": self.value(held),
            "first_seen": format_time(held.first_seen),
            "last_seen": format_time(held.last_seen),
            "retired": held.retired,
        }

    def folded(self) -> dict[str, Stamped]:
        """The traits of the profile with their stamps, tombstones included."""
        return traits.fold(document.traits for document in self.documents.values())

    async def calls(self, at: Iterable[tuple[bytes, int]]) -> dict[tuple[bytes, int], Kept]:
        """The calls that lie as evidence at these (origin, stamp) pairs, as far as there are any."""
        async with self.space.database.reading() as connection:
            proofs = await profile_queries.evidence(connection, self.space.tenant, sorted(at))
        return {
            (proof.origin, proof.stamp): unpack(
                self.subjects[proof.origin].open(EVIDENCE, proof.origin, proof.stamp, proof.payload)
            )
            for proof in proofs
        }

    async def set_by(self, folded: Mapping[str, Stamped]) -> dict[str, tuple[bytes, Kept | None]]:
        """The origin that each of these traits arrived at, and the call that set it."""
        origins = {
            name: origin
            for origin, document in self.documents.items()
            for name, entry in document.traits.items()
            if folded.get(name) == entry
        }
        calls = await self.calls({(origins[name], folded[name][2]) for name in origins})
        return {name: (origin, calls.get((origin, folded[name][2]))) for name, origin in origins.items()}

    async def provenance(self) -> dict[str, Any]:
        """Each trait with the call that set it and the profile it arrived at."""
        folded = {name: entry for name, entry in self.folded().items() if entry[0] is not None}
        by = await self.set_by(folded)
        told = {}
        for name, (value, time, _) in folded.items():
            origin, call = by[name]
            told[name] = {
                "value": value,
                "updated_at": format_time(time),
                "message_id": None if call is None else call.message_id,
                "profile_id": public_profile(origin),
            }
        return told


async def open_profile(space: Space, ref: str) -> Opened:
    """The profile that a `type:value` or any of its ids leads to. BadIdentifier, ProfileNotFound, TooMuch."""
    try:
        found = await find(space, ref)
    except KeyRenamed:
        await space.refresh_versions()
        found = await find(space, ref)
    if 0 not in found.heads:
        raise ProfileNotFound
    return Opened(space, found.heads[0], found.members, found.identifiers)


def _first(held: profile_queries.MemberIdentifierRow) -> tuple[int, int, bytes]:
    return (held.linked_at, held.type, held.key)


def _subject(space: Space, member: profile_queries.MemberOriginRow) -> SubjectKey:
    if member.slot is None or member.epoch is None or member.slot_wrapped is None:
        raise KeyUnavailable
    if member.key_id is None or member.wrapped is None:
        raise KeyUnavailable
    return space.keys.slot(member.slot, member.epoch, member.slot_wrapped).unwrap(member.key_id, member.wrapped)


def _open_document(subject: SubjectKey, member: profile_queries.MemberOriginRow) -> Document:
    if member.document is None or member.document_version is None:
        return Document()
    return traits.unpack(subject.open(DOCUMENT, member.id, member.document_version, member.document))
