"""A canonical profile with its keys unwrapped: the documents of its origins, and the fold of them."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from identity.operations.profiles.find_profile import MOST_DOCUMENTS, find, require_shown
from identity.planning.consent import fold
from identity.planning.consent.devices import ConsentSides, as_one, by_side, device_tag
from identity.planning.resolution import fold_documents
from identity.planning.resolution.counters import unproven_keys
from identity.planning.resolution.resolution_rules import Rules
from identity.planning.resolution.stored_calls import StoredCall, unpack
from identity.spaces.named_identifiers import profile_not_found
from identity.spaces.space import Space
from identity.store.profiles import evidence as evidence_queries
from identity.store.profiles import profile_queries
from identity.values.documents import Document, Stamped
from identity.values.errors import KeyUnavailable, TooMuch
from identity.values.identifiers import ANONYMOUS_ID, BUILT_IN
from identity.values.ids import BlindIndex, ProfileId
from identity.values.json import JsonObject
from identity.values.stamps import Micros, Stamp, stamp_time
from identity.vault.seal import DOCUMENT, EVIDENCE, IDENTIFIER
from identity.vault.subject_keys import SubjectKey

MOST_SHOWN: Final = 1_000
"""So many identifiers stand in an answer with a profile; a list has them all, page by page."""
# Opening takes 20 microseconds an identifier; other requests go on between two slices.
_SLICE: Final = 256
# The identifiers that name the device of a call (`device_of`): an advertising id or a push token does not, since other
# companies know it. Built-in types have the same number in every space.
_DEVICES: Final = frozenset(
    number for number, type_ in enumerate(BUILT_IN, 1) if type_ == ANONYMOUS_ID or type_.endswith(".id")
)


class ProfileIdentifier(Struct, frozen=True, gc=False):
    """An identifier of a profile, with the origin that holds it.

    `waits_for_proof`: public keys alone have linked it, and the rules ask for proof.
    """

    type: str
    value: str
    origin: ProfileId
    first_seen: Micros
    last_seen: Micros
    retired: bool
    waits_for_proof: bool = False


class SetTrait(Struct, frozen=True):
    """A trait, the origin of the call that set it, and the id of that call where the call is kept."""

    value: Any
    updated_at: Micros
    message_id: str | None
    origin: ProfileId


class FoldedProfile(Struct, frozen=True):
    """A canonical profile, folded from its origins; `set_traits` are the traits with their calls, where wanted.

    `identifiers` are the first of `identifiers_total`; `first_seen` and `last_seen` are those of all.
    """

    id: ProfileId
    merged_from: list[ProfileId]
    created_at: Micros
    updated_at: Micros
    version: int
    event_count: int
    first_seen: Micros | None
    last_seen: Micros | None
    identifiers: list[ProfileIdentifier]
    identifiers_total: int
    traits: JsonObject
    consent: dict[str, fold.ConsentAnswer]
    groups: list[str]
    set_traits: dict[str, SetTrait] | None = None


class OpenedProfile:
    """One canonical profile: its origins with their documents, and its identifiers in the order of linking.

    RolledBack where the journal hides the profile, since an erasure waits, and the database shows it; a read of those
    `under_hold` shows hidden ones. `root` is the origin that keeps the version and the creation of the profile.
    """

    def __init__(
        self,
        space: Space,
        root: ProfileId,
        origins: Sequence[profile_queries.SealedOriginRow],
        identifiers: Sequence[profile_queries.SealedIdentifierRow],
        *,
        under_hold: bool = False,
    ) -> None:
        if len(origins) > MOST_DOCUMENTS:
            raise TooMuch
        if not under_hold:
            require_shown(space, [origin.id for origin in origins])
        self.space = space
        self.origins = origins
        self.identifiers = sorted(identifiers, key=place)
        self.root = next(origin for origin in origins if origin.id == root)
        self.unproven = frozenset[BlindIndex]().union(*(unproven_keys(origin.own) for origin in origins))
        self.subjects = {origin.id: _subject(space, origin) for origin in origins}
        self.documents = {
            origin.id: _open_document(self.subjects[origin.id], origin)
            for origin in origins
            if origin.document is not None
        }

    @classmethod
    def each(
        cls, space: Space, found: profile_queries.ProfileRows, *, under_hold: bool = False
    ) -> dict[ProfileId, "OpenedProfile"]:
        """The profiles of a query, by the id of their root. TooMuch."""
        if len(found.origins) > MOST_DOCUMENTS:
            raise TooMuch
        by_root: dict[ProfileId, list[profile_queries.SealedOriginRow]] = {}
        for origin in found.origins:
            by_root.setdefault(origin.root, []).append(origin)
        identifiers: dict[ProfileId, list[profile_queries.SealedIdentifierRow]] = {}
        for identifier in found.identifiers:
            identifiers.setdefault(identifier.root, []).append(identifier)
        return {
            root: cls(space, root, origins, identifiers.get(root, []), under_hold=under_hold)
            for root, origins in by_root.items()
        }

    @property
    def id(self) -> ProfileId:
        """The id of the canonical profile."""
        return ProfileId(self.root.canonical)

    async def fold_profile(self, *, set_traits: bool = False, most: int | None = MOST_SHOWN) -> FoldedProfile:
        """The profile of all its origins with its first identifiers, `most` of them or, for None, all.

        With `set_traits`, its traits come with their calls.
        """
        sides = self.consent_sides(await self.space.recent_rules())
        return FoldedProfile(
            id=self.id,
            merged_from=sorted(ProfileId(origin.id) for origin in self.origins if origin.id != self.id),
            created_at=stamp_time(self.root.oldest_birth),
            updated_at=stamp_time(max(origin.stamp for origin in self.origins)),
            version=self.root.version,
            event_count=sum(origin.events for origin in self.origins),
            first_seen=min((Micros(each.first_seen) for each in self.identifiers), default=None),
            last_seen=max((Micros(each.last_seen) for each in self.identifiers), default=None),
            identifiers=await self.opened_identifiers(self.identifiers[:most]),
            identifiers_total=len(self.identifiers),
            traits=fold_documents.present(self.folded()),
            consent=fold.fold(sides.documents, sides.meetings, sides.homes),
            groups=fold_documents.members(fold_documents.fold(document.groups for document in self.documents.values())),
            set_traits=await self._set_traits() if set_traits else None,
        )

    def meetings(self) -> list[fold.Meeting]:
        """The merges that joined its origins."""
        return [
            fold.Meeting(origin.joined_at, origin.id, origin.joined_to)
            for origin in self.origins
            if origin.joined_to is not None and origin.joined_at is not None
        ]

    def consent_sides(self, rules: Rules) -> ConsentSides:
        """What its origins and devices state on consent, as far as each speaks for the others under the rules."""
        return consent_sides(self, self.documents, self.meetings(), rules)

    async def names(self) -> dict[int, str]:
        """The names of identifier types by number, all those of the profile among them."""
        names = self.space.names
        if any(identifier.type not in names for identifier in self.identifiers):
            names = await self.space.read_types()
        return names

    def value(self, identifier: profile_queries.SealedIdentifierRow) -> str:
        """The value of one of its identifiers."""
        return self.subjects[identifier.origin].open(IDENTIFIER, identifier.key[:16], 0, identifier.value).decode()

    async def opened_identifiers(
        self, identifiers: Sequence[profile_queries.SealedIdentifierRow]
    ) -> list[ProfileIdentifier]:
        """Some of its identifiers, unsealed in slices."""
        names = await self.names()
        opened: list[ProfileIdentifier] = []
        for at in range(0, len(identifiers), _SLICE):
            if at:
                await asyncio.sleep(0)
            opened += [
                ProfileIdentifier(
                    type=names[identifier.type],
                    value=self.value(identifier),
                    origin=ProfileId(identifier.origin),
                    first_seen=Micros(identifier.first_seen),
                    last_seen=Micros(identifier.last_seen),
                    retired=identifier.retired,
                    waits_for_proof=identifier.key in self.unproven,
                )
                for identifier in identifiers[at : at + _SLICE]
            ]
        return opened

    def folded(self) -> dict[str, Stamped]:
        """The traits of the profile with times and stamps; a removed trait has the value None."""
        return fold_documents.fold_traits(self.documents.values())

    async def calls(self, places: Iterable[tuple[ProfileId, Stamp]]) -> dict[tuple[ProfileId, Stamp], StoredCall]:
        """The calls stored as evidence at these (origin, stamp) pairs; a pair without evidence has no entry."""
        async with self.space.database.reading() as connection:
            proofs = await evidence_queries.by_stamps(connection, self.space.tenant, sorted(places))
        return {
            (proof.origin, proof.stamp): unpack(
                self.subjects[proof.origin].open(EVIDENCE, proof.origin, proof.stamp, proof.payload)
            )
            for proof in proofs
        }

    async def set_by(self, folded: Mapping[str, Stamped]) -> dict[str, tuple[ProfileId, StoredCall | None]]:
        """The origin of each of these traits and the call that set it, None where that call is not kept."""
        origins = {
            name: origin
            for name, (origin, entry) in fold_documents.surviving(self.documents).items()
            if folded.get(name) == entry
        }
        calls = await self.calls({(origins[name], folded[name][2]) for name in origins})
        return {name: (origin, calls.get((origin, folded[name][2]))) for name, origin in origins.items()}

    async def _set_traits(self) -> dict[str, SetTrait]:
        """Each trait with the call that set it and the origin at which that call arrived."""
        folded = {name: entry for name, entry in self.folded().items() if entry[0] is not None}
        by = await self.set_by(folded)
        found = {}
        for name, (value, time, _) in folded.items():
            origin, call = by[name]
            message_id = None if call is None else call.message_id
            found[name] = SetTrait(value, Micros(time), message_id, ProfileId(origin))
        return found


def consent_sides(
    opened: OpenedProfile, documents: Mapping[ProfileId, Document], meetings: Iterable[fold.Meeting], rules: Rules
) -> ConsentSides:
    """The sides of these documents of a profile, which are those of now or of a time in the past."""
    if rules.public.trusted:
        return ConsentSides(as_one(documents), list(meetings), {})
    return by_side(documents, meetings, _homes(opened) if any(each.devices for each in documents.values()) else {})


def _homes(opened: OpenedProfile) -> dict[str, ProfileId]:
    """The origin that each device created, by the tag of the device: its identifier is among the first ones there."""
    first: dict[ProfileId, Stamp] = {}
    for identifier in opened.identifiers:
        first.setdefault(identifier.origin, identifier.linked_at)
    return {
        device_tag(opened.value(identifier)): identifier.origin
        for identifier in opened.identifiers
        if identifier.type in _DEVICES and identifier.linked_at == first[identifier.origin]
    }


async def open_profile(space: Space, ref: str) -> OpenedProfile:
    """Open the profile of a `type:value` or of any id that it ever had. BadIdentifier, ProfileNotFound, TooMuch."""
    found = await find(space, ref)
    if 0 not in found.roots:
        raise profile_not_found(ref)
    return OpenedProfile(space, found.roots[0], found.origins, found.identifiers)


def place(identifier: profile_queries.SealedIdentifierRow) -> tuple[Stamp, int, BlindIndex]:
    """The place of an identifier in the order of linking."""
    return (identifier.linked_at, identifier.type, identifier.key)


def _subject(space: Space, origin: profile_queries.SealedOriginRow) -> SubjectKey:
    if origin.slot is None or origin.epoch is None or origin.slot_wrapped is None:
        raise KeyUnavailable
    if origin.key_id is None or origin.wrapped is None:
        raise KeyUnavailable
    return space.keys.slot(origin.slot, origin.epoch, origin.slot_wrapped).unwrap(origin.key_id, origin.wrapped)


def _open_document(subject: SubjectKey, origin: profile_queries.SealedOriginRow) -> Document:
    if origin.document is None or origin.document_version is None:
        return Document()
    return fold_documents.unpack(subject.open(DOCUMENT, origin.id, origin.document_version, origin.document))
