"""What stands beside the calls of a batch and reaches none of them is named."""

from typing import Any

import pytest

from identity.values.fields.beside_batch import BESIDE_BATCH, lost_without_batch, misspelt_batch, unread_beside_batch
from identity.values.fields.field_names import misspelt_fields, shared_statements

CALL = {"type": "page", "userId": "u"}
SENT: dict[str, Any] = {
    "timestamp": "x", "type": "batch", "writeKey": "k", "sentAt": "x", "integrations": {"a": CALL}, "messageId": "m",
    "context": {"externalIds": [CALL]}, "channel": "s", "version": "1",
}  # fmt: skip
NAMES = ("Batch", "batches", "events", "data", "calls", "messages", "items")


def test_what_stands_beside_a_batch_and_reaches_no_call_is_named() -> None:
    """The fields of calls, and other lists of calls; not what SDKs send there."""
    sent = {**SENT, "batch": [CALL]}
    assert unread_beside_batch(sent | {"Context": {}, "userId": None, "traits": {}, "tags": [{"id": 1}], "x": {}}) == []
    others = ["Batch", "batches", "userId", "anonymous_id", "traits", "properties", "receivedAt", "externalIds"]
    assert unread_beside_batch(sent | dict.fromkeys(others, "x")) == others
    assert BESIDE_BATCH.right("batch") is None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "calls", [[CALL], [None, CALL], [{"anonymousId": "a"}], [{"type": "page"}], CALL, {"batch": [CALL]}]
)
def test_calls_under_another_name_are_named_beside_a_batch(name: str, calls: object) -> None:
    """Whether the batch has calls or not; two such lists are both named, and a name of odd characters is not shown."""
    body = {**SENT, "batch": [CALL], name: calls}
    if isinstance(calls, list) or name not in ("Batch", "batches"):
        assert lost_without_batch({**body, "batch": []}) == name
        assert unread_beside_batch({**body, "more": [CALL]}) == [name, "more"]
    assert unread_beside_batch({**body, name: [], "caf\u00e9\ud800": calls}) == ["..."]


def test_a_list_of_calls_is_found_under_another_name() -> None:
    """Another spelling of `batch` comes first."""
    assert [lost_without_batch({name: [CALL]}) for name in NAMES] == [*NAMES]
    nothing: list[dict[str, Any]] = [{}, {"batch": []}, {"batch": None}, {"batch": {}}]
    for none in nothing:
        assert lost_without_batch({**none, "events": [CALL], "Batch": [{"type": "Page"}]}) == "Batch"
    assert [misspelt_batch({name: [CALL]}) for name in ("Batch", "batches", "events")] == ["Batch", "batches", None]
    assert misspelt_batch({"Batch": [], "batches": [{"brewed": 1}]}) is None
    assert lost_without_batch({"Batch": [], "tags": [1], "context": {"externalIds": [{**CALL, "id": "x"}]}}) is None


def test_a_list_of_calls_in_a_call_is_misspelt() -> None:
    """By the types of calls alone: a call may have a list of people or of pages of its own."""
    body = {**CALL, "events": [{"type": "track"}], "people": [{"userId": "v"}], "items": [{"type": "book"}]}
    assert [each.path for each in misspelt_fields(body, None)] == ["events"]


def test_statements_in_properties_beside_a_batch_belong_to_each_call() -> None:
    """They deny as in a call; what else is in there is named and lost, and a token goes to no call."""
    properties = {"consentGiven": False, "plan": "pro", "privacy": {"gpc": True}, "identityToken": "t"}
    envelope = {
        "batch": [CALL],
        "properties": properties,
        "traits": {"cookie_consent": "no"},
        "decisions": {"Ads": False},
    }
    assert shared_statements(envelope) == {
        "consentGiven": False, "privacy": {"gpc": True}, "cookie_consent": "no", "decisions": {"Ads": False},
    }  # fmt: skip
    assert unread_beside_batch(envelope) == ["properties", "traits"]


@pytest.mark.parametrize("lost", ["userId", "anonymousId", "event", "traits", "properties", "previousId", "groupId"])
def test_a_field_of_a_call_without_a_batch_is_named(lost: str) -> None:
    """The type is that of a call; what SDKs send beside an empty batch is not named."""
    assert lost_without_batch({**SENT, "batch": [], lost: "x"}) == lost
    assert lost_without_batch({"batch": [], "type": "identify"}) == "type"
    assert lost_without_batch({**SENT, "batch": []}) is None
    assert lost_without_batch({"batch": [], lost: None, "type": {}}) is None
