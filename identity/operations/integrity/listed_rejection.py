"""One line of the list of rejections, what it counts as lost, and the filter of the list."""

from collections import Counter

from msgspec import Struct

from identity.planning.resolution.call_requirements import REJECTIONS
from identity.planning.resolution.rejections import (
    IGNORED_TIMESTAMP,
    INVALID_SIGNAL,
    LOST_BODIES,
    MENDED_VALUE,
    NO_IDENTIFIER,
    NO_USABLE_IDENTIFIER,
    TRAIT_LIMIT,
)
from identity.values.calls import Kind
from identity.values.enums import StoredStatus, UnlinkedReason
from identity.values.fields.ignored_fields import FIELD_REASONS, UNLISTED
from identity.values.ids import ProfileId
from identity.values.stamps import Micros

ALL_REASONS = frozenset(
    {
        *REJECTIONS,
        "too_large",
        NO_IDENTIFIER,
        NO_USABLE_IDENTIFIER,
        *LOST_BODIES,
        *UnlinkedReason,
        TRAIT_LIMIT,
        IGNORED_TIMESTAMP,
        MENDED_VALUE,
        INVALID_SIGNAL,
        *(FIELD_REASONS - UNLISTED),
    }
)
"""Every reason that a line can have; a limit is followed by a colon and its type."""


class UnlinkedCount(Struct, frozen=True):
    """An identifier that was not linked, or, where its value is not stored, the number of them for a reason."""

    identifier: str | None
    reason: str
    count: int


class ListedRejection(Struct, frozen=True):
    """A call that was rejected, or accepted in part; `source` is the public id of the key that sent it.

    `reason` is the code of a rejection, or of the first value that is lost (`trait_limit`, `ignored_timestamp`,
    `mended_value`, `invalid_signal`, a reason of `ignored_fields`). `ignored_count` traits, decisions and memberships
    exceeded the size of the profile; `ignored` holds the names of up to 50 of them. A call with an identifier
    of a suppressed or erased person has no `message_id`.
    """

    at: Micros
    received_at: Micros
    message_id: str | None
    kind: Kind | None
    status: StoredStatus
    reason: str | None
    demoted: list[UnlinkedCount]
    ignored: list[str]
    ignored_count: int
    ignored_timestamp: str | None
    mended_values: int
    hint: str | None
    invalid_signals: list[str]
    ignored_fields: dict[str, str]
    source: str | None
    profile_id: ProfileId | None

    def lost(self) -> Counter[str]:
        """How much the line counts as lost for each reason: calls, identifiers and values."""
        found = Counter({self.reason or self.status.label: 1} if self.reason or self._is_whole else {})
        for each in self.demoted:
            found[each.reason] += each.count
        if self.ignored_timestamp is not None and self.reason != IGNORED_TIMESTAMP:
            found[IGNORED_TIMESTAMP] += 1
        if self.mended_values:
            found[MENDED_VALUE] = self.mended_values
        if self.invalid_signals:
            found[INVALID_SIGNAL] = len(self.invalid_signals)
        if self.ignored_fields:
            found |= Counter(self.ignored_fields.values())
        return found

    @property
    def _is_whole(self) -> bool:
        return self.status != StoredStatus.ACCEPTED


class RejectionFilter(Struct, frozen=True):
    """The lines to list: those with a reason, a status and a source (the public id of a key), where they are given."""

    reason: str | None = None
    status: StoredStatus | None = None
    source: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether every line passes."""
        return self == RejectionFilter()

    def passes(self, line: ListedRejection) -> bool:
        """Whether to list a line; the reason `limit` names the limit of every type."""
        if self.status not in (None, line.status) or self.source not in (None, line.source):
            return False
        reasons = line.lost()
        return self.reason is None or any(self.reason in (each, each.partition(":")[0]) for each in reasons)
