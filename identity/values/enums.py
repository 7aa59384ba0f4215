"""States, kinds and operations that are stored or shown, each declared once.

Every number is for ever: rows hold it. A new member gets a new number, and no number changes its meaning.
A number is shown as its `label`, the name of the member in lower case. `tests/identity/values/test_enums.py`
pins all of them.
"""

from enum import IntEnum, IntFlag, StrEnum
from typing import Final


class _Numbered(IntEnum):
    """A number in a row and a word on the wire."""

    @property
    def label(self) -> str:
        """The member as the API writes it."""
        return self.name.lower()


class StoredKind(_Numbered):
    """The kind of a stored call or act; the number is its position in `calls.STORED_KINDS`."""

    IDENTIFY = 0
    TRACK = 1
    PAGE = 2
    SCREEN = 3
    GROUP = 4
    ALIAS = 5
    LEAVE = 6
    UNMERGE = 7
    REMOVE = 8
    CONSENT = 9
    CONFIRM = 10
    REFUSE = 11


class HistoryKind(_Numbered):
    """The kind of a line in the history of a profile."""

    CREATED = 1
    IDENTIFIERS_GAINED = 2
    MERGED = 3
    IDENTIFIERS_DEMOTED = 4
    IDENTIFIER_RETIRED = 5
    UNMERGED = 6
    IDENTIFIER_REMOVED = 7
    REBUILT = 8
    IDENTIFIER_TAKEN_OVER = 9
    JOIN_REFUSED = 10


class JoinState(StrEnum):
    """The state of a join that a public key claims."""

    WAITING = "waiting"
    MADE = "made"
    REFUSED = "refused"


class FeedOperation(_Numbered):
    """The operation of a row in the change feed."""

    UPSERT = 1
    MERGE = 2
    UNMERGE = 3
    ERASE = 4


class StoredStatus(_Numbered):
    """The outcome of a call in the stored list of rejections."""

    REJECTED = 0
    SUPPRESSED = 1
    UNRESOLVED = 2
    ACCEPTED = 3


class UnlinkedReason(StrEnum):
    """The reason why an identifier of a call was not linked.

    `LIMIT` is followed by a colon and the type that the limit names. `UNUSABLE` lists the reasons of a value that is
    no identifier.
    """

    LIMIT = "limit"
    MAX_IDENTIFIERS = "max_identifiers"
    MAX_MERGES = "max_merges"
    SEPARATED = "separated"
    BLOCKED = "blocked"
    BAD_TYPE = "bad_type"
    ALIAS_BOTH_KNOWN = "alias_both_known"
    ALIAS_NEEDS_SERVER_KEY = "alias_needs_server_key"
    NEEDS_PROOF = "needs_proof"
    UNDER_HOLD = "under_hold"
    SUPPRESSED = "suppressed"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    NOT_TEXT = "not_text"
    INEXACT_NUMBER = "inexact_number"
    CONTROL_CHARACTERS = "control_characters"
    INVALID_EMAIL = "invalid_email"
    EMAIL_WITH_NAME = "email_with_name"
    SEVERAL_EMAILS = "several_emails"
    EMAIL_DOMAIN = "email_domain"
    INVALID_PHONE = "invalid_phone"
    TOO_MANY_TYPES = "too_many_types"
    TYPE_NEEDS_SERVER_KEY = "type_needs_server_key"
    MALFORMED_EXTERNAL_ID = "malformed_external_id"
    OTHER_COLLECTION = "other_collection"
    ENCODED = "encoded"
    UNKNOWN_DEVICE = "unknown_device"
    BEFORE_ERASURE = "before_erasure"
    GROUP_TYPE = "group_type"


UNUSABLE: Final = frozenset(
    {
        UnlinkedReason.EMPTY,
        UnlinkedReason.TOO_LONG,
        UnlinkedReason.NOT_TEXT,
        UnlinkedReason.INEXACT_NUMBER,
        UnlinkedReason.CONTROL_CHARACTERS,
        UnlinkedReason.INVALID_EMAIL,
        UnlinkedReason.EMAIL_WITH_NAME,
        UnlinkedReason.SEVERAL_EMAILS,
        UnlinkedReason.EMAIL_DOMAIN,
        UnlinkedReason.INVALID_PHONE,
        UnlinkedReason.MALFORMED_EXTERNAL_ID,
        UnlinkedReason.OTHER_COLLECTION,
        UnlinkedReason.ENCODED,
        UnlinkedReason.UNKNOWN_DEVICE,
    }
)
"""The reasons of a value that is no identifier: it has no blind index and names nobody."""


HIDDEN: Final = frozenset({UnlinkedReason.SUPPRESSED, UnlinkedReason.BEFORE_ERASURE})
"""The reasons of an identifier that a call must leave no trace of."""


class SpaceMark(IntFlag):
    """The tables of which a space has rows, so that ingest asks only these; the column is `marks`."""

    SUPPRESSED = 1
    BLOCKED = 2
    CUTS = 4


class RequestInterface(_Numbered):
    """The interface by which a privacy request arrived; the column is `front`."""

    NATIVE = 0
    SEGMENT = 1
    OPENDSR = 2


class RequestKind(_Numbered):
    """The kind of a privacy request and of each erasure in it."""

    SUPPRESS_WITH_DELETE = 1
    DELETE_ONLY = 2
    SUPPRESS_ONLY = 3
    UNSUPPRESS = 4
    SUPPRESS_WITH_DELETE_INTERNAL = 5
    DELETE_INTERNAL = 6
    ACCESS = 7


SUPPRESSES: Final = frozenset(
    {RequestKind.SUPPRESS_WITH_DELETE, RequestKind.SUPPRESS_ONLY, RequestKind.SUPPRESS_WITH_DELETE_INTERNAL}
)
"""The kinds that suppress for good. The column and the ledger field `whole` record it of each hash."""


class ErasureState(_Numbered):
    """The state of an erasure: one identifier of a privacy request."""

    RECEIVED = 0
    ON_HOLD = 1
    FINISHED = 2
    DUPLICATE = 3
    CANCELLED = 4


class Law(_Numbered):
    """The law that a privacy request refers to; it sets the due date."""

    NONE = 0
    GDPR = 1
    CCPA = 2


class RequestState(_Numbered):
    """The state of a privacy request: answered, or what was last reported of its due date."""

    OPEN = 0
    AT_RISK = 1
    OVERDUE = 2
    ANSWERED = 3


class Timeliness(StrEnum):
    """How a request stands against its due date."""

    ON_TIME = "on_time"
    AT_RISK = "at_risk"
    OVERDUE = "overdue"


class NoticeState(_Numbered):
    """The state of the notice of an erasure to one destination."""

    QUEUED = 0
    SENT = 1
    ACCEPTED = 2
    DONE = 3
    UNSUPPORTED_MANUAL = 4
    FAILED = 5
    OVERDUE = 6


class AccessExportState(_Numbered):
    """The state of an access export."""

    RUNNING = 0
    READY = 1
    FETCHED = 2


class JobState(_Numbered):
    """The state of a background job."""

    QUEUED = 0
    RUNNING = 1
    DONE = 2
    FAILED = 3


class JobKind(_Numbered):
    """The kind of a background job; the API calls some of them by another name."""

    REBUILD = 1
    SIMULATE = 2
    EXPORT = 3
    ROTATE = 4
    WAREHOUSE = 5


class RegulationStatus(StrEnum):
    """The status of a regulation and of each destination of one, as Segment names them."""

    INITIALIZED = "INITIALIZED"
    INVALID = "INVALID"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    RUNNING = "RUNNING"
    PARTIAL_SUCCESS = "PARTIAL_SUCCESS"
    FAILED = "FAILED"
    FINISHED = "FINISHED"


class KeyScope(StrEnum):
    """What an API key permits."""

    WRITE = "write"
    IMPORT = "import"
    PROFILES_READ = "profiles:read"
    LEGAL_READ = "legal:read"
    PRIVACY = "privacy"
    ADMIN = "admin"


SERVER_SIDE: Final = (KeyScope.IMPORT, KeyScope.PRIVACY, KeyScope.ADMIN)
"""The scopes of the keys that stay on servers: a call of such a key is no public claim."""


class TrustClass(StrEnum):
    """How far a call is believed: by its key, or by an identity token that names the person."""

    PUBLIC = "public"
    PROVEN = "proven"
    SERVER = "server"
