"""The keys of one space: blind indexes, the space document key, and its slot keys.

Invariants: an identifier, message id, group id or type name leaves as a keyed hash only, each in
a domain of its own, so equal text in two of them never gives equal hashes; the suppression list
has its own key, as its hashes can never be made again under a new one. Hashes are made under the
newest version of the index key that the space lock was seen to name; which never goes back.
"""

import hmac
from collections.abc import Callable, Sequence
from typing import cast

from identity.values.calls import IndexVersions
from identity.values.ids import BlindIndex
from identity.vault.cache import KeyCache
from identity.vault.key_material import KEY_BYTES, expand, fresh_key
from identity.vault.seal import SealPlace, SpaceDocumentKey
from identity.vault.secret import Guarded
from identity.vault.subject_keys import SlotKey, slot_context

VERSION = 1
SHORT = 16


class Index(Guarded):
    """One version of a space's index key. Safe to share between threads.

    Values come in normalised and without lone surrogates. Full hashes have 32 bytes, short ones
    16: a collision of identifiers would be a wrong merge, one of message ids a lost repeat.
    """

    __slots__ = ("_groups", "_identifiers", "_messages", "_type_names")

    def __init__(self, key: bytes) -> None:
        # Keyed and fed with their domain once; each hash continues from a copy.
        self._identifiers = hmac.new(key, b"ps1|id|", "sha256")
        self._messages = hmac.new(key, b"ps1|msg|", "sha256")
        self._groups = hmac.new(key, b"ps1|grp|", "sha256")
        self._type_names = hmac.new(key, b"ps1|typ|", "sha256")

    def identifier(self, type_: str, value: str) -> BlindIndex:
        """Return the key of an identifier, 32 bytes; `type_` has at most 255 bytes."""
        return _blind_index(self._identifiers, _typed(type_, value))

    def message(self, message_id: str) -> bytes:
        """Return the key of a message id, 16 bytes."""
        return _hash(self._messages, message_id.encode())[:SHORT]

    def group(self, group_id: str) -> bytes:
        """Return the key of a group id, 32 bytes."""
        return _hash(self._groups, group_id.encode())

    def type_name(self, name: str) -> bytes:
        """Return the key of the name of an identifier type, 16 bytes."""
        return _hash(self._type_names, name.encode())[:SHORT]


class SpaceKeys(Guarded):
    """What one space hashes, seals and unwraps with. Safe to share between threads.

    `index` gives the index key of a version; KeyUnavailable where it cannot be had.
    """

    __slots__ = (
        "_cache",
        "_document",
        "_index",
        "_indexes",
        "_load",
        "_macs",
        "_suppressions",
        "_vouchers",
        "id",
        "versions",
    )

    def __init__(
        self, space: bytes, *, index: Callable[[int], bytes], suppression: bytes, document: bytes, cache: KeyCache
    ) -> None:
        self.id = space
        self.versions = IndexVersions()
        self._load = index
        self._indexes: dict[int, Index] = {}
        self._index: Index | None = None
        self._cache = cache
        self._document = SpaceDocumentKey(space, VERSION, document)
        self._suppressions = hmac.new(suppression, b"ps1|sup|", "sha256")
        self._macs = hmac.new(expand(document, b"ps1|mac")[:KEY_BYTES], b"ps1|mac|", "sha256")
        self._vouchers = hmac.new(expand(document, b"ps1|vouch")[:KEY_BYTES], b"ps1|vouch|", "sha256")

    def set_versions(self, versions: IndexVersions, *, restored: bool = False) -> bool:
        """Take up the versions of the space lock; whether they were new. Older versions are ignored.

        KeyUnavailable for a newest version that cannot be had: it is not taken up, unless the database is `restored`,
        where that version may be destroyed and everything is rekeyed.
        """
        if versions == self.versions or versions < self.versions:
            return False
        if versions.newest != self.versions.newest and not restored:
            self.index(versions.newest)
        if versions.newest != self.versions.newest:
            self._index = None
        self._indexes = {version: held for version, held in self._indexes.items() if version >= versions.oldest}
        self.versions = versions
        return True

    def index(self, version: int) -> Index:
        """Return a version of the index key."""
        held = self._indexes.get(version)
        if held is None:
            held = self._indexes[version] = Index(self._load(version))
        return held

    def older(self, since: int) -> list[Index]:
        """Return the versions from one to that before the newest; none where that is the newest."""
        return [self.index(version) for version in range(since, self.versions.newest)]

    def identifier(self, type_: str, value: str) -> BlindIndex:
        """Return the key of an identifier under the newest version; see `Index`."""
        return (self._index or self._newest()).identifier(type_, value)

    def identifiers(self, type_: str, value: str) -> list[BlindIndex]:
        """Return the keys that an identifier of a profile may have, the newest first."""
        own = self.identifier(type_, value)
        return [own, *(index.identifier(type_, value) for index in self.older(self.versions.live))]

    def message(self, message_id: str) -> bytes:
        """Return the key of a message id under the newest version."""
        return (self._index or self._newest()).message(message_id)

    def group(self, group_id: str) -> bytes:
        """Return the key of a group id under the newest version."""
        return (self._index or self._newest()).group(group_id)

    def groups(self, group_id: str) -> list[bytes]:
        """Return the keys that a group may have, the newest first."""
        return [self.group(group_id), *(index.group(group_id) for index in self.older(self.versions.live))]

    def type_name(self, name: str) -> bytes:
        """Return the key of the name of an identifier type under the newest version."""
        return (self._index or self._newest()).type_name(name)

    def _newest(self) -> Index:
        self._index = self.index(self.versions.newest)
        return self._index

    def suppression(self, type_: str, value: str) -> bytes:
        """Return the key of an identifier in the suppression list, 32 bytes."""
        return _hash(self._suppressions, _typed(type_, value))

    def mac(self, domain: bytes, data: bytes) -> bytes:
        """Authenticate data that comes back from outside, such as a cursor; 16 bytes.

        `domain` (at most 255 bytes) keeps what was made for one use from passing in another.
        """
        return _hash(self._macs, bytes((len(domain),)) + domain + data)[:SHORT]

    def vouch(self, domain: bytes, fields: Sequence[bytes]) -> bytes:
        """Authenticate the fields of a row of this space; 32 bytes.

        Each field has its length before it, so that no two lists of fields are the same bytes.
        """
        parts = (domain, self.id, *fields)
        return _hash(self._vouchers, b"".join(len(part).to_bytes(4, "big") + part for part in parts))

    def seal(self, place: SealPlace, row_id: bytes, row_version: int, plain: bytes) -> bytes:
        """Seal what belongs to the space and to no person; see `SealingKey.seal`."""
        return self._document.seal(place, row_id, row_version, plain)

    def open(self, place: SealPlace, row_id: bytes, row_version: int, blob: bytes) -> bytes:
        """Open what `seal` sealed; SealBroken otherwise."""
        return self._document.open(place, row_id, row_version, blob)

    def new_slot_key(self, slot: int, epoch: int) -> bytes:
        """Make a new slot key and return its wrapping under an epoch key; 60 bytes."""
        context = slot_context(self.id, slot, epoch)
        return self._cache.epoch(self.id, epoch).wrap(context, fresh_key())

    def slot(self, slot: int, epoch: int, wrapped: bytes) -> SlotKey:
        """Return a slot key. KeyUnavailable if the epoch is gone, SealBroken if the bytes are not its."""
        return self._cache.slot(self.id, slot, epoch, wrapped)

    def renew_slot(self, slot: int, epoch: int, wrapped: bytes, new_epoch: int) -> tuple[SlotKey, SlotKey, bytes]:
        """Return a slot's key, a new one for it, and the wrapping of that under another epoch key.

        A key that is rewrapped from the old to the new one cannot be opened with the old one alone.
        """
        renewed = self.new_slot_key(slot, new_epoch)
        return self.slot(slot, epoch, wrapped), self.slot(slot, new_epoch, renewed), renewed

    def rewrap_slot(self, slot: int, epoch: int, wrapped: bytes, new_epoch: int) -> bytes:
        """Wrap the same slot key under another epoch key; 60 bytes."""
        new_context = slot_context(self.id, slot, new_epoch)
        old, new = self._cache.epoch(self.id, epoch), self._cache.epoch(self.id, new_epoch)
        return new.wrap(new_context, old.unwrap(slot_context(self.id, slot, epoch), wrapped))


def _typed(type_: str, value: str) -> bytes:
    name = type_.encode()
    return bytes((len(name),)) + name + value.encode()


def _hash(keyed: hmac.HMAC, data: bytes) -> bytes:
    state = keyed.copy()
    state.update(data)
    return state.digest()


# The same function under the type of what identifiers hash to: a wrapper would cost a call for each of them.
_blind_index = cast("Callable[[hmac.HMAC, bytes], BlindIndex]", _hash)
