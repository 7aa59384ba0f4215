"""A call that is kept for its other identifiers has no trace of a suppressed one."""

from typing import Any

import msgspec
import pytest

from identity.planning.resolution.claimed_identifiers import DEVICE_IDS
from identity.planning.resolution.redact_suppressed import scrub, without
from identity.planning.resolution.resolution_rules import DEFAULT_RULES, compile_rules
from identity.values.calls import Call
from identity.values.identifiers import BUILT_IN
from tests.support.planning.read_calls import key_of, read

WITH_EMAIL = compile_rules({"promote_property_email": True}, 1)
PHONE_TEXT = "+1 415 555 2671"
# Every place where a call of some kind states an identifier of a built-in type, as docs/merging-rules.md lists them.
BUILT_IN_PLACES: list[tuple[str, dict[str, Any]]] = [
    ("user_id", {"type": "track", "userId": "gone"}),
    ("user_id", {"type": "alias", "userId": "u1", "previousId": "gone"}),
    ("anonymous_id", {"type": "track", "anonymousId": "gone"}),
    ("anonymous_id", {"type": "alias", "userId": "u1", "previousId": "gone"}),
    ("email", {"type": "identify", "traits": {"email": "gone@x.org"}}),
    ("email", {"type": "track", "context": {"traits": {"email": "gone@x.org"}}}),
    ("email", {"type": "track", "properties": {"email": "gone@x.org"}}),
    ("phone", {"type": "identify", "traits": {"phone": PHONE_TEXT}}),
    ("phone", {"type": "track", "context": {"traits": {"phone": PHONE_TEXT}}}),
    *((f"{system}.{part}", {"type": "track", "context": {
        "device": {"type": system, "adTrackingEnabled": True, field: "gone"},
      }}) for system in ("android", "ios") for part, field in DEVICE_IDS),
    ("ga_client_id", {"type": "track", "context": {"integrations": {"Google Analytics": {"clientId": "gone"}}}}),
    *((type_, {"type": "track", "context": {"externalIds": [{"type": type_, "id": value}]}})
      for type_ in BUILT_IN
      for value in ({"email": "gone@x.org", "phone": PHONE_TEXT}.get(type_, "gone"),)),
]  # fmt: skip
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


def test_the_table_names_a_place_of_its_own_for_every_built_in_type() -> None:
    """A type that is added to `BUILT_IN` needs its place here, beside `externalIds`, which takes every type."""
    own = {type_ for type_, body in BUILT_IN_PLACES if "externalIds" not in body.get("context", {})}

    assert own == set(BUILT_IN)


@pytest.mark.parametrize(("type_", "body"), BUILT_IN_PLACES)
def test_a_built_in_type_leaves_no_trace_at_any_place(type_: str, body: dict[str, Any]) -> None:
    """The reader finds it there, and finds nothing of it in what is left."""
    call = read({"event": "Seen", "messageId": "m1", **body}, WITH_EMAIL, 0)
    assert isinstance(call, Call)
    value = {"email": "gone@x.org", "phone": "+14155552671"}.get(type_, "gone")
    rest, _, hidden = without(call, call.identifiers, {key_of(type_, value)})
    scrubbed = scrub(rest, hidden, WITH_EMAIL)
    again = read({**scrubbed.body, "event": "Seen"}, WITH_EMAIL, 0)

    assert [each.text for each in hidden] == [f"{type_}:{value}"]
    left = msgspec.json.encode([scrubbed.body, scrubbed.traits]).decode().lower()
    assert "gone" not in left
    assert PHONE_TEXT not in left
    assert not isinstance(again, Call) or value not in [each.value for each in again.identifiers]


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
