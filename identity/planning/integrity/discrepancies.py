"""Collects the discrepancies an audit finds: the count of each kind and its first examples.

Examples are ids, stamps and blind indexes. No discrepancy ever holds the value of an identifier or a trait, so a
report can leave the server.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from identity.values.ids import BlindIndex, ProfileId, public_profile
from identity.values.stamps import Stamp

MOST_SHOWN: Final = 20

DIFFERENCES: Final = {
    "linked_apart": "A call links identifiers to one profile, but they belong to two profiles.",
    "together_unfounded": "No evidence connects all origins of a profile.",
    "join_broken": "The joins of an origin do not lead to its root.",
    "join_unfounded": "An origin joined another origin at a stamp that no call has.",
    "link_unfounded": "An identifier was linked at a stamp, but no call with this stamp holds the identifier.",
    "evidence_elsewhere": "Evidence is stored at another origin than its strongest identifier.",
    "evidence_unlinked": "Evidence holds an identifier that is not linked and was neither removed nor taken over.",
    "forward_missing": "An identifier is stored at an origin, but its forward row is missing.",
    "reverse_missing": "An identifier points to an origin that does not hold the identifier.",
    "reverse_elsewhere": "An identifier is stored at one origin and points to another.",
    "reverse_double": "An identifier is stored at two origins.",
    "value_missing": "An identifier has no sealed value.",
    "head_unknown": "A profile points to a root that does not exist.",
    "head_moved": "A profile points to a root that points to another root.",
    "canonical_wrong": "The canonical id is not the id of the oldest origin.",
    "own_counters": "The counters of an origin do not match its identifiers.",
    "folded_counters": "The counters of a root do not match its origins.",
    "cuts_wrong": "The cuts on a root do not match its identifiers.",
    "window_wrong": "A window does not hold the newest identifiers of its type.",
    "events_missing": "An origin counts fewer events than it stores.",
    "lane_broken": "A lane of the feed does not hold exactly the entries after its base up to its head.",
    "version_untold": "The last feed entry has another profile version.",
    "change_unknown": "The feed names a profile that does not exist.",
    "erased_alive": "The feed reports a profile as erased, but the profile exists.",
    "erasure_unknown": "The feed names an erasure that does not exist.",
    "place_beyond": "A destination has a feed position beyond the end of the feed.",
    "delivery_missing": "A destination has no delivery position, or a delivery position belongs to no destination.",
    "disclosure_orphaned": "A disclosure names a profile or a destination that does not exist.",
    "document_missing": "An origin has no document, but its calls state traits, consent or a group; a rebuild helps.",
    "membership_differs": "The rows of memberships in groups are not what the documents of the origins state.",
    "join_differs": "The row of a join that a public key claims is not what the evidence states, or is missing.",
    "withheld_differs": "A profile is hidden without an erasure that waits for a hold, or shown in spite of one.",
    "key_missing": "An origin or a group has no subject key, or its subject key has no slot.",
    "epoch_missing": "The key store lacks the epoch key of slot keys; after a restore, run onefold keys overlay.",
    "key_foreign": "Onefold did not store the row of an API key as it is, or revoked the key; the key is refused.",
    "suppression_missing": "The journal records a suppression, but the suppression list lacks it.",
    "suppression_foreign": "The suppression list holds a suppression that the journal does not record.",
    "block_missing": "The journal records the block of an identifier, but the database lacks it.",
    "request_missing": "The journal records a privacy request, but the database lacks its row.",
    "request_differs": "The row of a privacy request is not what the journal records.",
    "erasure_missing": "The journal records a privacy request, but the database lacks an erasure of it.",
    "erasure_differs": "The outcome of a privacy request is not what the journal records.",
    "hold_missing": "The journal records a hold, but the database lacks it, or some of its identifiers.",
    "space_deleted_unvouched": "The space is marked as deleted, but its journal has no deletion, or a hold in force.",
    "space_missing": "The key store has keys and journal of a space, but the database has no row of the space.",
    "space_renamed": "The row of a space has another id than its journal; put the id back.",
    "space_lock_differs": "The row of the space or of its lock is not what key store, journal and other rows say.",
    "rules_rolled_back": "The rules in force are older than the journal records, or their document is missing.",
    "purposes_rolled_back": "The purposes in force are older than the journal records.",
    "identity_keys_rolled_back": "The identity keys in force are older than the journal records.",
    "destination_rolled_back": "A destination is older than the journal records, or was ended.",
    "seal_broken": "A sealed value does not open: its row was altered, exchanged, or given another version.",
    "journal_broken": "The journal is missing, is newer than the ledger, or contradicts the ledger.",
    "key_orphaned": "A subject key belongs to no origin and no group.",
    "row_orphaned": "A row belongs to an origin that does not exist.",
    "ledger_broken": "A ledger entry is missing or does not continue the hash chain.",
    "forgotten_linked": "An identifier is linked by a call that came before its removal.",
    "blocked_linked": "A blocked identifier is linked.",
}
"""Kinds of discrepancy with their meaning."""


class Discrepancy(Struct, frozen=True):
    """One kind of discrepancy: its count and at most MOST_SHOWN examples."""

    kind: str
    count: int
    examples: list[str]


class Discrepancies:
    """Collects discrepancies: counts all and keeps the first MOST_SHOWN examples of each kind."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, list[str]] = {}

    def add(self, kind: str, example: str) -> None:
        """Add a discrepancy."""
        assert kind in DIFFERENCES
        self._counts[kind] += 1
        shown = self._examples.setdefault(kind, [])
        if len(shown) < MOST_SHOWN:
            shown.append(example)

    def add_profiles(self, kind: str, ids: Iterable[ProfileId]) -> None:
        """Add a discrepancy for each of these profiles."""
        for id_ in ids:
            self.add(kind, public_profile(id_))

    def __iter__(self) -> Iterator[Discrepancy]:
        for kind in DIFFERENCES:
            if kind in self._counts:
                yield Discrepancy(kind, self._counts[kind], self._examples[kind])


def identifier_label(key: BlindIndex) -> str:
    """The label of an identifier in a report: its blind index."""
    return f"identifier {key.hex()}"


def call_label(stamp: Stamp, origin: ProfileId) -> str:
    """The label of a stored call in a report: its stamp and its origin."""
    return f"{stamp} at {public_profile(origin)}"
