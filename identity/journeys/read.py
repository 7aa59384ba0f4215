"""Reading profiles: open the documents of all origins, fold them, answer.

Nothing is cached: a read sees what was committed a moment ago, and what was erased is gone.
"""

from collections.abc import Sequence
from typing import Any

from identity.clock import stamp_time
from identity.errors import KeyUnavailable, ProfileNotFound, TooMuch
from identity.identifiers import parse
from identity.ids import private, public_profile
from identity.planning import consent, traits
from identity.planning.records import unpack
from identity.planning.state import Document, Stamped
from identity.planning.timing import format_time
from identity.spaces import Space, through_a_roll
from identity.store import read as store
from identity.vault.seal import DOCUMENT, EVIDENCE, IDENTIFIER
from identity.vault.subject import SubjectKey

MOST_DOCUMENTS = 10_000
_LIST = b"profiles"


@through_a_roll
async def get_profile(space: Space, ref: str, *, verbose: bool = False) -> dict[str, Any]:
    """A profile by `type:value` or by any id it ever had. BadIdentifier, ProfileNotFound."""
    found = await find(space, ref)
    if 0 not in found.heads:
        raise ProfileNotFound
    profile = _Profile(space, found.heads[0], found.members, found.identifiers)
    answer = await profile.answer()
    if verbose:
        answer["traits"] = await profile.provenance()
    return answer


@through_a_roll
async def lookup(space: Space, identifiers: Sequence[str]) -> dict[str, dict[str, Any] | None]:
    """Many profiles at once, by identifier as it was written; None where there is none."""
    rules = await space.rules()
    parsed = [parse(text, rules.region) for text in identifiers]
    keys = [space.keys.identifier(identifier.type, identifier.value) for identifier in parsed]
    async with space.database.reading() as connection:
        found = await store.by_keys(connection, space.tenant, keys, MOST_DOCUMENTS + 1)
    answers = await _answers(space, found)
    heads = found.heads
    return {text: answers[heads[nr]] if nr in heads else None for nr, text in enumerate(identifiers)}


@through_a_roll
async def list_profiles(space: Space, limit: int, cursor: str | None) -> dict[str, Any]:
    """Every canonical profile of the space, page by page. BadCursor."""
    after = bytes(16) if cursor is None else space.read_cursor(_LIST, cursor)
    async with space.database.reading() as connection:
        ids = await store.heads(connection, space.tenant, after, limit)
        more = len(ids) == limit
        found = await store.by_ids(connection, space.tenant, ids, MOST_DOCUMENTS + 1)
        while len(found.members) > MOST_DOCUMENTS and len(ids) > 1:
            # A page of very large profiles is shorter than asked for, never refused.
            ids, more = ids[: len(ids) // 2], True
            found = await store.by_ids(connection, space.tenant, ids, MOST_DOCUMENTS + 1)
    answers = await _answers(space, found)
    shown = dict.fromkeys(found.heads[nr] for nr in range(len(ids)) if nr in found.heads)
    return {
        "profiles": [answers[head] for head in shown],
        "next_cursor": space.write_cursor(_LIST, ids[-1]) if more else None,
    }


async def find(space: Space, ref: str) -> store.Profiles:
    """What a `type:value` or an id leads to, sealed."""
    id_ = private("prf", ref)
    if id_ is not None:
        async with space.database.reading() as connection:
            return await store.by_ids(connection, space.tenant, [id_], MOST_DOCUMENTS + 1)
    # Before a connection is taken: nobody may wait for a second one while holding the first.
    identifier = parse(ref, (await space.rules()).region)
    key = space.keys.identifier(identifier.type, identifier.value)
    async with space.database.reading() as connection:
        return await store.by_keys(connection, space.tenant, [key], MOST_DOCUMENTS + 1)


async def _answers(space: Space, found: store.Profiles) -> dict[bytes, dict[str, Any]]:
    if len(found.members) > MOST_DOCUMENTS:
        raise TooMuch
    members: dict[bytes, list[store.Member]] = {}
    for member in found.members:
        members.setdefault(member.head, []).append(member)
    identifiers: dict[bytes, list[store.Held]] = {}
    for held in found.identifiers:
        identifiers.setdefault(held.head, []).append(held)
    return {
        head: await _Profile(space, head, under, identifiers.get(head, [])).answer() for head, under in members.items()
    }


class _Profile:
    """The origins of one canonical profile, being opened."""

    def __init__(
        self, space: Space, head: bytes, members: Sequence[store.Member], identifiers: Sequence[store.Held]
    ) -> None:
        if len(members) > MOST_DOCUMENTS:
            raise TooMuch
        self.space = space
        self.members = members
        self.identifiers = identifiers
        self.head = next(member for member in members if member.id == head)
        self.subjects = {member.id: _subject(space, member) for member in members}
        self.documents = {
            member.id: _open_document(self.subjects[member.id], member)
            for member in members
            if member.document is not None
        }

    async def answer(self) -> dict[str, Any]:
        """The profile as the API gives it."""
        head = self.head
        names = self.space.names
        if any(held.type not in names for held in self.identifiers):
            names = await self.space.read_types()
        documents = self.documents
        meetings = [
            consent.Meeting(m.joined_at, m.id, m.joined_to)
            for m in self.members
            if m.joined_to is not None and m.joined_at is not None
        ]
        answers = consent.fold({id_: document.consent for id_, document in documents.items()}, meetings)
        return {
            "profile_id": public_profile(head.canonical),
            "merged_from": sorted(public_profile(m.id) for m in self.members if m.id != head.canonical),
            "created_at": format_time(stamp_time(head.elder)),
            "updated_at": format_time(stamp_time(max(member.stamp for member in self.members))),
            "version": head.version,
            "event_count": sum(member.events for member in self.members),
            "identifiers": [self._identifier(held, names) for held in sorted(self.identifiers, key=_first)],
            "traits": traits.present(self._traits()),
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

    def _traits(self) -> dict[str, Stamped]:
        return traits.fold(document.traits for document in self.documents.values())

    def _identifier(self, held: store.Held, names: dict[int, str]) -> dict[str, Any]:
        value = self.subjects[held.origin].open(IDENTIFIER, held.key[:16], 0, held.value)
        return {
            "type": names[held.type],
            "value": value.decode(),
            "first_seen": format_time(held.first_seen),
            "last_seen": format_time(held.last_seen),
            "retired": held.retired,
        }

    async def provenance(self) -> dict[str, Any]:
        """Each trait with the call that set it and the profile it arrived at."""
        folded = self._traits()
        origins = {
            name: origin
            for origin, document in self.documents.items()
            for name, entry in document.traits.items()
            if folded[name] == entry
        }
        at = {(origins[name], entry[2]) for name, entry in folded.items()}
        async with self.space.database.reading() as connection:
            proofs = await store.evidence(connection, self.space.tenant, sorted(at))
        messages = {
            (proof.origin, proof.stamp): unpack(
                self.subjects[proof.origin].open(EVIDENCE, proof.origin, proof.stamp, proof.payload)
            ).message_id
            for proof in proofs
        }
        return {
            name: {
                "value": value,
                "updated_at": format_time(time),
                "message_id": messages.get((origins[name], stamp)),
                "profile_id": public_profile(origins[name]),
            }
            for name, (value, time, stamp) in folded.items()
            if value is not None
        }


def _first(held: store.Held) -> tuple[int, int, bytes]:
    return (held.linked_at, held.type, held.key)


def _subject(space: Space, member: store.Member) -> SubjectKey:
    if member.slot is None or member.epoch is None or member.slot_wrapped is None:
        raise KeyUnavailable
    if member.key_id is None or member.wrapped is None:
        raise KeyUnavailable
    return space.keys.slot(member.slot, member.epoch, member.slot_wrapped).unwrap(member.key_id, member.wrapped)


def _open_document(subject: SubjectKey, member: store.Member) -> Document:
    if member.document is None or member.document_version is None:
        return Document()
    return traits.unpack(subject.open(DOCUMENT, member.id, member.document_version, member.document))
