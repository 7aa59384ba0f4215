"""Every error of the domain, and nothing else.

The docstring of an error is its message, so no value of a call can slip into one; `code` is
stable and part of the HTTP contract. How an error becomes a status is decided in
`app.http.error_responses`, where a test demands a row for each class below.

    OnefoldError
    ├── BadInput       the caller has to change something
    ├── NotFound       there is no such profile, group, space, ...
    ├── Refused        understood, but it may not be done as things stand
    ├── Unauthorised   no key, or one that is not known;  Forbidden   the key lacks the scope
    ├── Busy           try again, sooner
    └── Unavailable    fail closed: something needed cannot be read
    Conflict           (store) plan again: the ground moved under the plan
    Misconfigured      refuses to start
"""

import re

_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


class OnefoldError(Exception):
    """Something went wrong."""

    code = "internal_error"

    def __init_subclass__(cls) -> None:
        """The code of an error is its name in lower case, where nothing else is said."""
        if "code" not in vars(cls):
            cls.code = _CAPITAL.sub("_", cls.__name__).lower()

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class BadInput(OnefoldError):
    """The request cannot be understood."""

    code = "bad_request"


class BadIdentifier(BadInput):
    """An identifier must be written type:value, with a known type and a usable value."""


class BadRules(BadInput):
    """The rules document is not valid."""


class BadCursor(BadInput):
    """The cursor is not one of this list; start again without a cursor."""


class BadParameter(BadInput):
    """A parameter is not usable."""

    code = "invalid_parameter"


class BadCall(BadInput):
    """The call cannot be accepted."""


class BatchTooLong(BadInput):
    """A batch holds at most 2500 calls; split it."""


class TooMuch(BadInput):
    """The answer would be too large; ask for fewer identifiers at once."""


class NotConfirmed(BadInput):
    """Deleting a space needs ?confirm= with its exact name."""


class NotOneProfile(BadInput):
    """The identifiers must be known and of one profile, and at least one of it must stay; nothing was changed."""


class BadRegulation(BadInput):
    """The regulation cannot be carried out as it is written."""


class TooManyAsked(BadInput):
    """A request may name 1 to 5,000 identifiers; split it."""

    code = "too_many_identifiers"


class BadPurposes(BadInput):
    """The purposes of a space are not valid."""

    code = "invalid_purposes"


class BadDestination(BadInput):
    """What a destination may see is not written as it must be."""

    code = "invalid_destination"


class BadSignal(BadInput):
    """A consent signal cannot be parsed, so it states nothing."""

    code = "invalid_signal"


class BadCallback(BadInput):
    """A callback must be an https address with the name of a public host."""


class Refused(OnefoldError):
    """As things stand it cannot be done."""


class NotLinked(Refused):
    """No evidence links these two identifiers of the profile any more."""


class LastIdentifier(Refused):
    """It is the last identifier of its profile, which nobody could find without it; erase the profile instead."""


class TooManyCuts(Refused):
    """The profile was parted 64 times already; unmerge with block false, or rebuild under rules that keep it apart."""


class IdempotencyConflict(Refused):
    """The Idempotency-Key was used for another request; use a new one."""


class RequestExists(Refused):
    """There is a request with this id already."""


class ReceiptPending(Refused):
    """There is a receipt once the erasure is done here; ask again then."""


class AlreadyErased(Refused):
    """What was asked for is done and cannot be taken back."""


class RequestBegun(Refused):
    """The request is being worked on and cannot be cancelled any more."""


class BadDecisions(BadInput):
    """Decisions need one or more categories with true or false, a time and a region that can be read."""

    code = "invalid_decisions"


class Suppressed(Refused):
    """The identifier is suppressed, so nothing is recorded of it; lift the suppression first."""


class Resync(Refused):
    """What came after this cursor is no longer kept, or another feed's; begin again without a cursor."""


class CallbackRepeated(Refused):
    """The message was taken before, or is about something else."""


class ExportNotConfigured(Refused):
    """There is no directory for exports; the operator names one in ONEFOLD_EXPORT_DIR."""


class NotExtensible(Refused):
    """The request has no due date that could be moved."""


class AlreadyExtended(NotExtensible):
    """The time for this request was extended before, which the law allows once."""


class NotFound(OnefoldError):
    """There is nothing here."""


class ProfileNotFound(NotFound):
    """No profile has this identifier."""


class GroupNotFound(NotFound):
    """No group has this id."""


class SpaceNotFound(NotFound):
    """There is no such space."""


class IdentifierNotFound(NotFound):
    """No profile has this identifier."""


class RequestNotFound(NotFound):
    """There is no such request."""


class ErasureNotFound(NotFound):
    """There is no such erasure."""


class HoldNotFound(NotFound):
    """There is no such hold."""


class ExportNotFound(NotFound):
    """There is no such export, it was fetched before, its time is over, or what it held was erased."""


class DestinationNotFound(NotFound):
    """There is no such destination."""


class JobNotFound(NotFound):
    """There is no such job."""


class KeyNotFound(NotFound):
    """There is no such key."""


class Unauthorised(OnefoldError):
    """The key is missing, unknown or revoked."""


class InvalidSignature(Unauthorised):
    """The message is not signed, not by whom it should be, or not of these minutes."""


class Forbidden(OnefoldError):
    """The key does not carry the scope that this call needs."""


class Busy(OnefoldError):
    """Too much is waiting; try again shortly."""


class RateLimited(Busy):
    """More requests than this key or its space may make in a second; try again shortly."""


class QueueFull(Busy):
    """The queue of calls is full, or this space's share of it; nothing was stored. Try again shortly."""


class Unavailable(OnefoldError):
    """The service cannot answer safely at the moment; try again shortly."""


class KeyUnavailable(Unavailable):
    """A key that is needed cannot be read; the operator has to look at the key store."""


class KeyRenamed(KeyUnavailable):
    """The index key of the space was rotated meanwhile; try again."""


class SealBroken(KeyUnavailable):
    """Sealed data could not be opened."""


class Quarantined(Unavailable):
    """The database is older than its journal; what was erased since is erased again first. Try again soon."""


class LedgerBroken(Unavailable):
    """The ledger and its journal contradict each other or one is missing; the operator has to look into it."""


class Undelivered(Unavailable):
    """The callback could not be reached."""


class DatabaseUnavailable(Unavailable):
    """The database cannot be reached; try again shortly."""


class ShuttingDown(Unavailable):
    """The server is stopping; nothing of this request was stored. Try again shortly."""


class Conflict(OnefoldError):
    """What the plan was made from has changed; it has to be made again."""


class LeaseLost(Conflict):
    """Another writer holds this slot by now."""


class PartitionMissing(Conflict):
    """There is no partition for today's events yet."""


class Misconfigured(OnefoldError):
    """The configuration is not safe to start with."""
