"""The keys of one space: blind indexes, the space document key, and its slot keys.

Invariants: an identifier, message id, group id or type name leaves as a keyed hash only, each in
a domain of its own, so equal text in two of them never gives equal hashes; the suppression list
has its own key, as its hashes can never be made again under a new one.
"""

import hmac

from identity.vault.cache import KeyCache
from identity.vault.material import KEY_BYTES, expand, fresh_key
from identity.vault.seal import Place, SpaceDocumentKey
from identity.vault.secret import Guarded
from identity.vault.subject import SlotKey, slot_context

VERSION = 1
SHORT = 16


class SpaceKeys(Guarded):
    """What one space hashes, seals and unwraps with. Safe to share between threads.

    Values come in normalised and without lone surrogates. Full hashes have 32 bytes, short ones
    16: a collision of identifiers would be a wrong merge, one of message ids a lost repeat.
    """

    __slots__ = (
        "_cache",
        "_document",
        "_groups",
        "_identifiers",
        "_macs",
        "_messages",
        "_suppressions",
        "_type_names",
        "id",
    )

    def __init__(self, space: bytes, *, index: bytes, suppression: bytes, document: bytes, cache: KeyCache) -> None:
        self.id = space
        self._cache = cache
        self._document = SpaceDocumentKey(space, VERSION, document)
        # Keyed and fed with their domain once; each hash continues from a copy.
        self._identifiers = hmac.new(index, b"ps1|id|", "sha256")
        self._messages = hmac.new(index, b"ps1|msg|", "sha256")
        self._groups = hmac.new(index, b"ps1|grp|", "sha256")
        self._type_names = hmac.new(index, b"ps1|typ|", "sha256")
        self._suppressions = hmac.new(suppression, b"ps1|sup|", "sha256")
        self._macs = hmac.new(expand(document, b"ps1|mac")[:KEY_BYTES], b"ps1|mac|", "sha256")

    def identifier(self, type_: str, value: str) -> bytes:
        """Return the key of an identifier, 32 bytes; `type_` has at most 255 bytes."""
        return _hash(self._identifiers, _typed(type_, value))

    def message(self, message_id: str) -> bytes:
        """Return the key of a message id, 16 bytes."""
        return _hash(self._messages, message_id.encode())[:SHORT]

    def group(self, group_id: str) -> bytes:
        """Return the key of a group id, 32 bytes."""
        return _hash(self._groups, group_id.encode())

    def type_name(self, name: str) -> bytes:
        """Return the key of the name of an identifier type, 16 bytes."""
        return _hash(self._type_names, name.encode())[:SHORT]

    def suppression(self, type_: str, value: str) -> bytes:
        """Return the key of an identifier in the suppression list, 32 bytes."""
        return _hash(self._suppressions, _typed(type_, value))

    def mac(self, domain: bytes, data: bytes) -> bytes:
        """Authenticate data that comes back from outside, such as a cursor; 16 bytes.

        `domain` (at most 255 bytes) keeps what was made for one use from passing in another.
        """
        return _hash(self._macs, bytes((len(domain),)) + domain + data)[:SHORT]

    def seal(self, place: Place, row_id: bytes, row_version: int, plain: bytes) -> bytes:
        """Seal what belongs to the space and to no person; see `SealingKey.seal`."""
        return self._document.seal(place, row_id, row_version, plain)

    def open(self, place: Place, row_id: bytes, row_version: int, blob: bytes) -> bytes:
        """Open what `seal` sealed; SealBroken otherwise."""
        return self._document.open(place, row_id, row_version, blob)

    def mint_slot(self, slot: int, epoch: int) -> bytes:
        """Make a new slot key and return its wrapping under an epoch key; 60 bytes."""
        context = slot_context(self.id, slot, epoch)
        return self._cache.epoch(self.id, epoch).wrap(context, fresh_key())

    def slot(self, slot: int, epoch: int, wrapped: bytes) -> SlotKey:
        """Return a slot key. KeyUnavailable if the epoch is gone, SealBroken if the bytes are not its."""
        return self._cache.slot(self.id, slot, epoch, wrapped)

    def renew_slot(self, slot: int, epoch: int, wrapped: bytes, new_epoch: int) -> tuple[SlotKey, SlotKey, bytes]:
        """Return a slot's key, a new one for it, and the wrapping of that under another epoch key.

        What is rewrapped from the one to the other is out of reach of whoever has only the one.
        """
        renewed = self.mint_slot(slot, new_epoch)
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
