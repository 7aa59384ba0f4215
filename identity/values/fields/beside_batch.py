"""Finds what stands beside the calls of a batch and reaches none of them: fields of calls, and other lists of calls.

No call is lost without a word: beside a batch with calls such a member is listed at each of them, and a body without
any call in its batch is refused.
"""

from collections.abc import Mapping
from typing import Any, Final

from identity.values.calls import KINDS
from identity.values.fields.names import Names, is_comparable
from identity.values.identity_tokens.claims import FIELD

BATCH: Final = "batch"
BATCHES: Final = "batch batches batchs batched"
BESIDE_BATCH: Final = Names(
    "batch context sentAt integrations messageId writeKey type timestamp version channel",
    {
        BATCH: BATCHES,
        "userId": "userid",
        "anonymousId": "anonymousid anonid",
        "previousId": "previousid",
        "groupId": "groupid",
        "event": "event eventname",
        "traits": "traits trait",
        "properties": "properties property propertys props",
        "originalTimestamp": "originaltimestamp",
        "receivedAt": "receivedat",
        "context.externalIds": "externalids externalid",
        "context.device": "device",
        FIELD: "identitytoken identitytokens",
    },
)
"""The fields of calls, and other lists of calls, which are not read beside the calls of a batch."""
_NO_BATCHES: Final = frozenset({"externalIds", "externalId", "context", "integrations"})
_OF_CALLS: Final = ("userId", "anonymousId")
_NOTHING: Final[tuple[object, ...]] = (None, "", [], {})


def unread_beside_batch(envelope: Mapping[str, Any]) -> list[str]:
    """The names of what stands beside the calls of a batch and reaches none of them."""
    fields = [each.path for each in BESIDE_BATCH.misspelt(envelope) if each.value not in _NOTHING]
    return fields + [name for name in _lists_of_calls(envelope) if name not in fields]


def misspelt_batch(body: Mapping[str, Any]) -> str | None:
    """The name of a list of calls under another spelling of `batch`; None without any."""
    found = BESIDE_BATCH.misspelt(body)
    return next((each.path for each in found if each.right == BATCH and is_like_batch(each.value)), None)


def lost_without_batch(body: Mapping[str, Any]) -> str | None:
    """The name of the first list or field of calls in an object whose `batch` has no calls; None without any."""
    lists = [misspelt_batch(body), *_lists_of_calls(body), *unread_beside_batch(body)]
    return next(filter(None, lists), "type" if body.get("type") in KINDS else None)


def is_like_batch(value: object) -> bool:
    """Whether a value under a spelling of `batch` is one: a list with objects that have a type or the id of a call."""
    return isinstance(value, list) and any(
        isinstance(each, dict) and not each.keys().isdisjoint(("type", *_OF_CALLS)) for each in value
    )


def has_typed_calls(value: object) -> bool:
    """Whether a value is a list with calls by their types, under whatever name."""
    return isinstance(value, list) and any(isinstance(each, dict) and each.get("type") in KINDS for each in value)


def _is_call(value: object) -> bool:
    return isinstance(value, dict) and (value.get("type") in KINDS or not value.keys().isdisjoint(_OF_CALLS))


def _has_calls(value: object) -> bool:
    return isinstance(value, list) and any(map(_is_call, value))


def _lists_of_calls(body: Mapping[str, Any]) -> list[str]:
    """The names of all members but `batch` that are a list of calls or a call, or an object that holds such a list.

    A name of odd characters is not repeated.
    """
    return [
        name if is_comparable(name) else "..."
        for name, value in body.items()
        if name != BATCH
        and name not in _NO_BATCHES
        and (_has_calls(value) or _is_call(value) or (isinstance(value, dict) and any(map(_has_calls, value.values()))))
    ]
