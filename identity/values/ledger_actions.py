"""The actions in the ledger that Onefold reads again: in the journal, for a restore, for an audit, for a receipt.

Actions that only people read are named where they are written. Every word is for ever: journals hold it. Entries about
privacy requests and key rolls have one reader here, for a status and for the audit; whether an entry counts, the caller
decides (`identity.vault.vouching.ledger_entries`).
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import msgspec

from identity.values.ids import DestinationNumber
from identity.values.stamps import Micros


class LedgerAction(StrEnum):
    """The `action` of an entry in the ledger."""

    SPACE_CREATED = "space.create"
    SPACE_DELETED = "space.delete"
    SPACE_RESTORED = "space.restored"
    KEY_REVOKED = "key.revoke"
    KEYS_ROLLED = "keys.roll"
    INDEX_ROTATED = "keys.rotate_index"
    RULES_PUT = "rules.put"
    PURPOSES_PUT = "purposes.put"
    IDENTITY_KEYS_PUT = "identity_keys.put"
    DESTINATION_CREATED = "destination.create"
    DESTINATION_PUT = "destination.put"
    DESTINATION_ROTATED = "destination.rotate"
    DESTINATION_DELETED = "destination.delete"
    DESTINATION_RESUMED = "destination.resume"
    REQUEST_RECEIVED = "request"
    ERASED = "erase"
    ERASURE_EXTENDED = "erase.extend"
    ERASURE_CANCELLED = "erase.cancel"
    WAITING_ENDED = "withhold.end"
    """An erasure that waited for a hold was cancelled: the person is shown again."""
    SUPPRESSED = "suppress"
    SUPPRESSION_LIFTED = "suppress.lift"
    HOLD_PLACED = "hold"
    HOLD_RELEASED = "hold.release"
    GROUP_DELETED = "group.delete"
    IDENTIFIER_REMOVED = "identifier.remove"
    UNMERGED = "profile.unmerge"
    CONSENT_WITHDRAWN = "consent.withdraw"
    LEAK_SCANNED = "scan"


def starts(actions: Iterable[LedgerAction]) -> tuple[bytes, ...]:
    """How the entries with these actions begin: JSON with sorted names, of which "action" is the first.

    Most entries of a long journal need not be parsed.
    """
    return tuple(b'{"action":"%s"' % action.encode() for action in actions)


class PrivacyEntry(msgspec.Struct, frozen=True):
    """The fields of such an entry, as far as rows state the same; each action has some of them.

    `keys` are the destroyed keys, `informed` the destinations with data of the person, `erasures` the fields of each
    erasure of a request.
    """

    action: str
    at: Micros = Micros(0)
    actor: str = ""
    subject: str | None = None
    front: int = 0
    kind: int = 0
    regulation: int = 0
    received_at: Micros = Micros(0)
    idempotency: str | None = None
    body: str | None = None
    details: str | None = None
    erasures: list[list[str | int]] = []
    hashes: list[str] = []
    keys: list[str] = []
    epoch: int = 0
    safe_at: Micros | None = None
    informed: list[DestinationNumber] = msgspec.field(default_factory=list, name="told")

    @property
    def has_details(self) -> bool:
        """Whether a request has sealed details."""
        return self.details is not None

    @property
    def destroyed_epoch(self) -> int | None:
        """The epoch of the keys that an erasure destroyed; None where it destroyed none."""
        return self.epoch if self.keys else None


_decoder: Final = msgspec.json.Decoder(PrivacyEntry)


def read_privacy_entry(raw: bytes) -> PrivacyEntry:
    """The fields of an entry. DecodeError."""
    return _decoder.decode(raw)


class KeyRolls:
    """The key rolls so far, which make backups safe: the first one after an erasure counts, and no repeated one."""

    def __init__(self) -> None:
        self._safe_at: list[tuple[int, Micros]] = []

    def take(self, roll: PrivacyEntry) -> None:
        """Take up the next roll. One of an earlier release does not say when backups are safe, and is passed over."""
        if roll.safe_at is not None and (not self._safe_at or roll.epoch > self._safe_at[-1][0]):
            self._safe_at.append((roll.epoch, roll.safe_at))

    def safe_at(self, destroyed_epoch: int | None) -> Micros | None:
        """When backups are safe of an erasure that destroyed keys of this epoch; None before a roll."""
        if destroyed_epoch is None:
            return None
        return next((safe_at for epoch, safe_at in self._safe_at if epoch > destroyed_epoch), None)
