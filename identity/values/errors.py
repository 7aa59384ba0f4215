"""Every error of the domain, and nothing else.

The docstring of an error is its message, so no value of a call can slip into one; `code` is
stable and part of the HTTP contract. How an error becomes a status is decided in
`app.http.error_responses`, where a test demands a row for each class below.

    OnefoldError
    ├── BadInput       the caller has to change the request
    ├── NotFound       there is no such profile, group, space, ...
    ├── Refused        a valid request that the present state does not allow
    ├── Unauthorised   no key or an unknown key;  Forbidden   the key lacks the scope
    ├── Busy           the caller may try again within seconds
    └── Unavailable    Onefold cannot read something that a safe answer needs
    Conflict           (store) the data changed under the plan; plan again
    Misconfigured      refuses to start
"""

import re

_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


class OnefoldError(Exception):
    """The operation failed; the log of the server has the details."""

    code = "internal_error"

    def __init_subclass__(cls) -> None:
        """The code of an error is the name of its class in lower case, unless the class sets another code."""
        if "code" not in vars(cls):
            cls.code = _CAPITAL.sub("_", cls.__name__).lower()

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class BadInput(OnefoldError):
    """The request is not valid; /openapi.json describes every request."""

    code = "bad_request"


class BadIdentifier(BadInput):
    """An identifier must be type:value with a valid type and a valid value, such as user_id:u1."""


class BadRules(BadInput):
    """The rules document is not valid; correct it and send it again."""


class BadCursor(BadInput):
    """The cursor does not belong to this list; start again without a cursor."""


class BadParameter(BadInput):
    """A parameter has an invalid value; write times as RFC 3339, such as 2026-01-31T12:00:00Z."""

    code = "invalid_parameter"


class BadCall(BadInput):
    """The call is not valid; correct it and send it again."""


class BatchTooLong(BadInput):
    """A batch may hold at most 2,500 calls; split the batch."""


class TooMuch(BadInput):
    """The answer would be too large; ask for fewer identifiers at once."""


class NotConfirmed(BadInput):
    """To delete a space, send its exact name as ?confirm=."""


class NotOneProfile(BadInput):
    """Name known identifiers of one profile, and keep at least one other identifier in it; nothing was changed."""


class BadRegulation(BadInput):
    """The regulation or OpenDSR request is not valid; correct it and send it again."""


class TooManyAsked(BadInput):
    """A request may name 1 to 5,000 identifiers, an export at most 1,000; send several requests."""

    code = "too_many_identifiers"


class BadPurposes(BadInput):
    """The purposes document is not valid; correct it and send it again."""

    code = "invalid_purposes"


class BadDestination(BadInput):
    """The destination document is not valid; correct it and send it again."""

    code = "invalid_destination"


class BadSignal(BadInput):
    """The consent signal cannot be parsed, so Onefold ignores it."""

    code = "invalid_signal"


class BadCallback(BadInput):
    """The callback must be an https address with the name of a public host; use another address."""


class Refused(OnefoldError):
    """The present state does not allow this request."""


class NotLinked(Refused):
    """No evidence links these two identifiers; check that the profile holds both."""


class LastIdentifier(Refused):
    """The last identifier of a profile cannot be removed, as nobody could find the profile then; erase the profile."""


class TooManyCuts(Refused):
    """The profile has 64 cuts, which is the limit; unmerge with block false, or change the rules and rebuild."""


class IdempotencyConflict(Refused):
    """The Idempotency-Key was used for another request; send this request with a new key."""


class RequestExists(Refused):
    """A different request has this id already; send this request with a new id."""


class ReceiptPending(Refused):
    """The erasure is not finished, so there is no receipt yet; ask again later."""


class AlreadyErased(Refused):
    """A part of the request is finished, so the request cannot be cancelled."""


class RequestBegun(Refused):
    """The request is being processed, so it cannot be cancelled."""


class BadDecisions(BadInput):
    """Send decisions (category: true or false), a jurisdiction like US-CA or minor; write captured_at as RFC 3339."""

    code = "invalid_decisions"


class Suppressed(Refused):
    """The identifier is suppressed, so Onefold records nothing about it; lift the suppression first."""


class Resync(Refused):
    """The feed after this cursor is no longer available; delete your copies and start without a cursor."""


class CallbackRepeated(Refused):
    """The message was received before, or its cursor belongs to another destination; nothing was changed."""


class ExportNotConfigured(Refused):
    """The server has no directory for exports; the operator has to set ONEFOLD_EXPORT_DIR."""


class NotExtensible(Refused):
    """The request has no due date that could be extended."""


class AlreadyExtended(NotExtensible):
    """The due date was extended before; only one extension is allowed."""


class NotFound(OnefoldError):
    """There is no such path or resource."""


class ProfileNotFound(NotFound):
    """No profile has this identifier."""


class GroupNotFound(NotFound):
    """No group has this id."""


class SpaceNotFound(NotFound):
    """There is no such space."""


class IdentifierNotFound(NotFound):
    """No profile has this identifier, so nothing was removed."""


class RequestNotFound(NotFound):
    """There is no such request."""


class ErasureNotFound(NotFound):
    """There is no such erasure."""


class HoldNotFound(NotFound):
    """There is no such hold."""


class ExportNotFound(NotFound):
    """There is no such export, or it was downloaded, expired or destroyed; request a new export."""


class DestinationNotFound(NotFound):
    """There is no such destination."""


class JobNotFound(NotFound):
    """There is no such job."""


class KeyNotFound(NotFound):
    """There is no such key."""


class Unauthorised(OnefoldError):
    """The key is missing, unknown or revoked; send a key as bearer token or as user name of HTTP Basic."""


class InvalidSignature(Unauthorised):
    """The signature is missing, wrong or older than five minutes; sign the message again."""


class Forbidden(OnefoldError):
    """The key lacks the scope for this request; use a key with this scope."""


class Busy(OnefoldError):
    """Too many requests are waiting; try again shortly."""


class RateLimited(Busy):
    """The key or its space makes too many requests per second; try again shortly."""


class QueueFull(Busy):
    """The queue of calls, or the share of this space in the queue, is full; nothing was stored. Try again shortly."""


class Unavailable(OnefoldError):
    """The service cannot answer safely at the moment; try again shortly."""


class KeyUnavailable(Unavailable):
    """A key cannot be read; the operator has to check the key store."""


class KeyRenamed(KeyUnavailable):
    """The index key was rotated during the request; try again."""


class SealBroken(KeyUnavailable):
    """Stored data cannot be decrypted; the operator has to run onefold verify."""


class Quarantined(Unavailable):
    """The database was restored and Onefold has to repeat later erasures first; try again soon."""


class LedgerBroken(Unavailable):
    """The ledger and its journal contradict each other or one is missing; the operator has to check both."""


class Undelivered(Unavailable):
    """The callback cannot be reached; check the address and the receiver."""


class DatabaseUnavailable(Unavailable):
    """The database cannot be reached; try again shortly."""


class ShuttingDown(Unavailable):
    """The server is stopping; nothing of this request was stored. Try again shortly."""


class Conflict(OnefoldError):
    """The data changed during the request; try again."""


class LeaseLost(Conflict):
    """Another process took over this writer slot; try again."""


class PartitionMissing(Conflict):
    """The table of events has no partition for this day yet; try again shortly."""


class Misconfigured(OnefoldError):
    """The configuration is not valid; correct it and start again."""
