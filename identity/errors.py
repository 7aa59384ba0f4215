"""Every error of the domain, and nothing else.

The docstring of an error is its message, so no value of a call can slip into one; `code` is
stable and part of the HTTP contract. How an error becomes a status is decided in
`app.problems`, where a test demands a row for each class below.

    OnefoldError
    ├── BadInput        the caller has to change something: BadIdentifier, BadRules, BadCursor, BadCall,
    │                   BatchTooLong, TooMuch, NotConfirmed, NotOneProfile, TooManyAsked
    ├── NotFound        of a profile, group, identifier, job, space, key, request, erasure, hold
    ├── Refused         understood, but it may not be done as things stand: NotLinked, LastIdentifier,
    │                   TooManyCuts, IdempotencyConflict, RequestExists, AlreadyErased, NotExtensible
    ├── Unauthorised    no key, or one that is not known
    ├── Forbidden       the key lacks the scope
    ├── Busy            try again, sooner: QueueFull
    └── Unavailable     fail closed, something needed cannot be read: KeyUnavailable (of it SealBroken),
                        DatabaseUnavailable, ShuttingDown
    Conflict                     (store) plan again: the ground moved under the plan
    ├── LeaseLost
    └── PartitionMissing
    Misconfigured                refuses to start
"""


class OnefoldError(Exception):
    """Something went wrong."""

    code = "internal_error"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class BadInput(OnefoldError):
    """The request cannot be understood."""

    code = "bad_request"


class BadIdentifier(BadInput):
    """An identifier must be written type:value, with a known type and a usable value."""

    code = "bad_identifier"


class BadRules(BadInput):
    """The rules document is not valid."""

    code = "bad_rules"


class BadCursor(BadInput):
    """The cursor is not one of this list; start again without a cursor."""

    code = "bad_cursor"


class BadParameter(BadInput):
    """A parameter is not usable."""

    code = "invalid_parameter"


class BadCall(BadInput):
    """The call cannot be accepted."""

    code = "bad_call"


class BatchTooLong(BadInput):
    """A batch holds at most 2500 calls; split it."""

    code = "batch_too_long"


class TooMuch(BadInput):
    """The answer would be too large; ask for fewer identifiers at once."""

    code = "too_much"


class NotConfirmed(BadInput):
    """Deleting a space needs ?confirm= with its exact name."""

    code = "not_confirmed"


class NotOneProfile(BadInput):
    """The identifiers must be known and of one profile, and at least one of it must stay; nothing was changed."""

    code = "not_one_profile"


class TooManyAsked(BadInput):
    """A request may name 1 to 5,000 identifiers; split it."""

    code = "too_many_identifiers"


class Refused(OnefoldError):
    """As things stand it cannot be done."""

    code = "refused"


class NotLinked(Refused):
    """No evidence links these two identifiers of the profile any more."""

    code = "not_linked"


class LastIdentifier(Refused):
    """It is the last identifier of its profile, which nobody could find without it; erase the profile instead."""

    code = "last_identifier"


class TooManyCuts(Refused):
    """The profile was parted 64 times already; unmerge with block false, or rebuild under rules that keep it apart."""

    code = "too_many_cuts"


class IdempotencyConflict(Refused):
    """The Idempotency-Key was used for another request; use a new one."""

    code = "idempotency_conflict"


class RequestExists(Refused):
    """There is a request with this id already."""

    code = "request_exists"


class AlreadyErased(Refused):
    """What was asked for is done and cannot be taken back."""

    code = "already_erased"


class NotExtensible(Refused):
    """The request has no due date that could be moved."""

    code = "not_extensible"


class AlreadyExtended(NotExtensible):
    """The time for this request was extended before, which the law allows once."""

    code = "already_extended"


class NotFound(OnefoldError):
    """There is nothing here."""

    code = "not_found"


class ProfileNotFound(NotFound):
    """No profile has this identifier."""

    code = "profile_not_found"


class GroupNotFound(NotFound):
    """No group has this id."""

    code = "group_not_found"


class SpaceNotFound(NotFound):
    """There is no such space."""

    code = "space_not_found"


class IdentifierNotFound(NotFound):
    """No profile has this identifier."""

    code = "identifier_not_found"


class RequestNotFound(NotFound):
    """There is no such request."""

    code = "request_not_found"


class ErasureNotFound(NotFound):
    """There is no such erasure."""

    code = "erasure_not_found"


class HoldNotFound(NotFound):
    """There is no such hold."""

    code = "hold_not_found"


class JobNotFound(NotFound):
    """There is no such job."""

    code = "job_not_found"


class KeyNotFound(NotFound):
    """There is no such key."""

    code = "key_not_found"


class Unauthorised(OnefoldError):
    """The key is missing, unknown or revoked."""

    code = "unauthorised"


class Forbidden(OnefoldError):
    """The key does not carry the scope that this call needs."""

    code = "forbidden"


class Busy(OnefoldError):
    """Too much is waiting; try again shortly."""

    code = "busy"


class RateLimited(Busy):
    """More requests than this key or its space may make in a second; try again shortly."""

    code = "rate_limited"


class QueueFull(Busy):
    """The queue of calls is full, or this space's share of it; nothing was stored. Try again shortly."""

    code = "queue_full"


class Unavailable(OnefoldError):
    """The service cannot answer safely at the moment; try again shortly."""

    code = "unavailable"


class KeyUnavailable(Unavailable):
    """A key that is needed cannot be read; the operator has to look at the key store."""

    code = "key_unavailable"


class SealBroken(KeyUnavailable):
    """Sealed data could not be opened."""

    code = "seal_broken"


class DatabaseUnavailable(Unavailable):
    """The database cannot be reached; try again shortly."""

    code = "database_unavailable"


class ShuttingDown(Unavailable):
    """The server is stopping; nothing of this request was stored. Try again shortly."""

    code = "shutting_down"


class Conflict(OnefoldError):
    """What the plan was made from has changed; it has to be made again."""

    code = "conflict"


class LeaseLost(Conflict):
    """Another writer holds this slot by now."""


class PartitionMissing(Conflict):
    """There is no partition for today's events yet."""


class Misconfigured(OnefoldError):
    """The configuration is not safe to start with."""

    code = "misconfigured"
