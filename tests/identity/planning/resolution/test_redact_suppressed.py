"""A call that is kept for its other identifiers has no trace of a suppressed one."""

from typing import Any

import msgspec
import pytest

from identity.planning.resolution.redact_suppressed import scrub, without
from identity.planning.resolution.resolution_rules import DEFAULT_RULES
from identity.values.calls import Call
from tests.support.planning.read_calls import key_of, read

PLACES: list[tuple[str, str, dict[str, Any]]] = [
    ("user_id", "gone", {"userId": "gone"}),
    ("anonymous_id", "gone", {"userId": "u1", "anonymousId": " gone "}),
    ("email", "gone@x.org", {"traits": {"email": "GONE@x.org", "plan": "pro"}}),
    ("email", "gone@x.org", {"context": {"traits": {"email": "gone@X.org"}}}),
    ("branch", "gone", {"context": {"externalIds": [
        {"type": "branch", "id": "gone", "collection": "users", "encoding": "none"},
        {"type": "branch", "id": "kept", "collection": "users", "encoding": "none"},
    ]}}),
    ("ios.idfa", "gone", {"context": {"device": {
        "type": "iOS", "advertisingId": "gone", "adTrackingEnabled": True, "id": "kept",
    }}}),
    ("ga_client_id", "gone", {"context": {"integrations": {"Google Analytics": {"clientId": "gone", "x": 1}}}}),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "value", "body"), PLACES)
def test_every_place_loses_the_value_and_nothing_else(type_: str, value: str, body: dict[str, Any]) -> None:
    """Whatever its spelling; the body of the caller is unchanged."""
    call = read({"type": "identify", "userId": "u1", **body}, DEFAULT_RULES, 0)
    assert isinstance(call, Call)
    before = msgspec.json.encode(call.body)
    rest, identifiers, hidden = without(call, call.identifiers, {key_of(type_, value)})
    scrubbed = scrub(rest, hidden, DEFAULT_RULES)

    assert [each.text for each in hidden] == [f"{type_}:{value}"]
    assert f"{type_}:{value}" not in [each.text for each in identifiers]
    assert "gone" not in msgspec.json.encode(scrubbed.body).decode().lower()
    assert "gone" not in repr(scrubbed.traits).lower()
    assert msgspec.json.encode(call.body) == before
    for kept in ("kept", "pro"):
        assert (kept in before.decode()) == (kept in repr(scrubbed.body))


def test_an_alias_of_a_suppressed_id_is_no_alias() -> None:
    """The previous id goes, and the call stays for its user."""
    call = read({"type": "alias", "userId": "u2", "previousId": "gone"}, DEFAULT_RULES, 0)
    assert isinstance(call, Call)
    rest, identifiers, hidden = without(call, call.identifiers, {key_of("user_id", "gone")})

    assert (rest.alias, [each.text for each in identifiers]) == (None, ["user_id:u2"])
    assert "previousId" not in scrub(rest, hidden, DEFAULT_RULES).body


def test_a_call_without_a_suppressed_identifier_is_unchanged() -> None:
    """The very same call, so an ordinary one costs no copy."""
    call = read({"type": "identify", "userId": "u1"}, DEFAULT_RULES, 0)
    assert isinstance(call, Call)

    assert without(call, call.identifiers, {key_of("user_id", "gone")}) == (call, call.identifiers, [])
