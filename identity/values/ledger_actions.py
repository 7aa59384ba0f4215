"""The actions in the ledger that Onefold reads again: in the journal, for a restore, for an audit, for a receipt.

Actions that only people read are named where they are written. Every word is for ever: journals hold it.
"""

from collections.abc import Iterable
from enum import StrEnum


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
