"""Fields, times and categories of a call that are not read, over the wire: each is named in outcome and list."""

from typing import Any

import pytest

from tests.app.conftest import Shop
from tests.support.http.rejections import listed

OUTCOMES = {"Prefer": "return=representation"}


def test_a_time_in_the_future_is_listed_and_rejected_in_an_import(shop: Shop) -> None:
    """The call counts as happening on its arrival; in an import `receivedAt` takes its place and may not lie ahead."""
    call = {"type": "page", "userId": "u1", "timestamp": "2999-01-01T00:00:00Z", "messageId": "m1"}
    past = {**call, "receivedAt": "2025-01-01T00:00:00Z", "messageId": "m2"}
    ahead = {"type": "page", "userId": "u1", "receivedAt": "2999-01-01T00:00:00Z", "messageId": "m3"}
    answers = [
        shop.ask("POST", path, "import", json={"batch": batch}, headers=OUTCOMES)
        for path, batch in (("/v1/import", [call, past, ahead]), ("/v1/batch", [call]))
    ]
    named = [{"field": "timestamp", "reason": "future_timestamp"}]
    outcomes = [
        [(each["status"], each["reason"], each.get("ignored_fields")) for each in answer.json()["outcomes"]]
        for answer in answers
    ]

    assert outcomes == [
        [("rejected", "future_timestamp", None), ("accepted", None, named), ("rejected", "future_timestamp", None)],
        [("accepted", None, named)],
    ]
    assert [(each["reason"], each["ignored_fields"]) for each in listed(shop, reason="future_timestamp")] == [
        ("future_timestamp", named),
        ("future_timestamp", []),
        ("future_timestamp", named),
        ("future_timestamp", []),
    ]
    counts = shop.ask("GET", "/v1/rejections/summary").json()["counts"]
    assert [(each["reason"], each["count"]) for each in counts] == [("future_timestamp", 4)]


def test_fields_that_are_not_read_are_listed(shop: Shop) -> None:
    """With a reason each; a dry run names them as well."""
    call = {"type": "page", "userId": "u1", "anonymous_id": "a", "context": {"traits": "x"}, "timestamp": "31.12.2024"}
    fields = [
        {"field": "anonymous_id", "reason": "misspelt_field"},
        {"field": "context.traits", "reason": "field_not_object"},
    ]
    tried = shop.ask("POST", "/v1/identities/simulate", "import", json=call).json()
    outcome = shop.send(call)[0]

    assert [(each["status"], each["ignored_timestamp"]) for each in (tried, outcome)] == [("accepted", "timestamp")] * 2
    assert tried["ignored_fields"] == outcome["ignored_fields"] == fields
    (only,) = listed(shop)
    assert (only["status"], only["reason"], only["ignored_fields"]) == ("accepted", "ignored_timestamp", fields)
    assert len(listed(shop, reason="misspelt_field")) == len(listed(shop, reason="field_not_object")) == 1
    wrong = shop.ask("GET", "/v1/rejections", params={"reason": "mispelt_field"})
    assert (wrong.status_code, wrong.json()["detail"][-28:]) == (400, "Did you mean misspelt_field?")
    shop.send({**call, "context": {"externalIds": [{"type": "crm", "id": "7", "collection": "users"}]}})
    for unknown, meant in (
        ("limit:nope", "limit"),
        ("limit:emial", "limit:email"),
        ("limit:", "limit"),
        ("blocked:email", "blocked"),
    ):
        refused = shop.ask("GET", "/v1/rejections", params={"reason": unknown})
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_parameter")
        assert refused.json()["detail"].endswith(f"Did you mean {meant}?")
    for known in ("limit", "limit:email", "limit:crm"):
        assert listed(shop, reason=known) == []


def test_a_type_of_the_previous_id_that_cannot_be_read_is_rejected(shop: Shop) -> None:
    """It would make a user id of another id; the spelling of the fields is read."""
    alias = {"type": "alias", "userId": "al", "previousId": "anon9"}
    wrong: list[object] = ["email", "anonymous", 7, True, ["anonymous_id"], {}]
    for value in wrong:
        outcome = shop.send({**alias, "previousIdType": value})[0]
        assert (outcome["status"], outcome["reason"]) == ("rejected", "bad_previous_id_type")
        assert "anonymous_id" in outcome["hint"]
    misspelt = shop.send({**alias, "userId": "b1", "previousId": "b2", "previous_id_type": "anonymous_id"})[0]
    assert misspelt["ignored_fields"] == [{"field": "previous_id_type", "reason": "misspelt_field"}]
    assert shop.send({**alias, "previousIdType": "anonymousId"})[0]["status"] == "accepted"
    found = shop.ask("GET", "/v1/profiles/user_id:al").json()["identifiers"]
    assert {(each["type"], each["value"]) for each in found} == {("user_id", "al"), ("anonymous_id", "anon9")}
    assert len(listed(shop, reason="bad_previous_id_type")) == len(wrong)


def test_a_time_of_receipt_counts_in_an_import_alone(shop: Shop) -> None:
    """Elsewhere it is listed, in a batch, a single call, a dry run and an import with a public key."""
    call = {"type": "page", "userId": "u1", "receivedAt": "2025-01-01T00:00:00Z"}
    named = [{"field": "receivedAt", "reason": "field_of_import"}]
    assert shop.send(call)[0]["ignored_fields"] == named
    tried = shop.ask("POST", "/v1/identities/simulate", "import", json=call).json()
    assert tried["ignored_fields"] == named
    for path, key, body in (("/v1/page", "write", call), ("/v1/import", "write", {"batch": [call]})):
        assert shop.ask("POST", path, key, json=body).status_code == 200
    assert [each["ignored_fields"] for each in listed(shop, reason="field_of_import")] == [named] * 3
    answer = shop.ask("POST", "/v1/import", "import", json={"batch": [call]}, headers=OUTCOMES)
    assert "ignored_fields" not in answer.json()["outcomes"][0]


def test_google_analytics_that_is_no_object_is_listed(shop: Shop) -> None:
    """True and false switch a destination; a client id among the integrations of the call is in another place."""

    def ignored(**call: Any) -> Any:
        return shop.send({"type": "page", "userId": "u1", **call})[0].get("ignored_fields")

    for value in ("1.2", 12, ["1.2"]):
        field = {"field": "context.integrations.Google Analytics", "reason": "field_not_object"}
        assert ignored(context={"integrations": {"Google Analytics": value}}) == [field]
    switches: list[Any] = [True, False, None, [], {}]
    for taken in switches:
        assert ignored(context={"integrations": {"Google Analytics": taken}}) is None
    elsewhere = ignored(integrations={"All": True, "Google Analytics": {"clientId": "1.2"}})
    assert elsewhere == [{"field": "integrations.Google Analytics.clientId", "reason": "misspelt_field"}]


@pytest.mark.parametrize("reason", ["traits_of_context", "group_of_context", "tracking_not_allowed"])
def test_a_reason_that_stands_in_outcomes_alone_is_refused_as_a_filter(shop: Shop, reason: str) -> None:
    """The message says where the reason stands."""
    answer = shop.ask("GET", f"/v1/rejections?reason={reason}")
    assert (answer.status_code, "outcomes alone" in answer.text) == (400, True)


def test_an_empty_list_is_an_empty_object(shop: Shop) -> None:
    """As PHP writes it; a list with a member is listed, or rejects the call."""
    parts = ("traits", "device", "consent", "integrations", "externalIds", "consentManagement")
    empty = {"type": "identify", "userId": "u1", "traits": [], "context": {name: [] for name in parts}}
    outcomes = shop.send(empty, {**empty, "context": []}, {"type": "page", "userId": "u1", "properties": []})
    assert [(each["status"], each["demoted"], each.get("ignored_fields")) for each in outcomes] == [
        ("accepted", [], None)
    ] * 3
    assert listed(shop) == []
    outcomes = shop.send({**empty, "traits": [1]}, {**empty, "context": [1]})
    assert [each["reason"] for each in outcomes] == ["traits_not_object", "context_not_object"]
    for name in parts:
        only = shop.send({"type": "page", "userId": "u1", "context": {name: [1]}})[0]
        assert only["demoted"] or only.get("ignored_fields") or only.get("invalid_signals"), name
    assert shop.send({"type": "page", "userId": "u1", "properties": [1]})[0]["ignored_fields"]


def test_what_belongs_to_a_call_of_another_type_is_listed(shop: Shop) -> None:
    """The path decides the type; so the traits of the identify that was meant are no traits of the profile."""
    body = {"type": "identify", "userId": "u1", "event": "E", "traits": {"plan": "pro"}}
    answer = shop.ask("POST", "/v1/track", "import", json=body, headers=OUTCOMES)
    named = [
        {"field": "type", "reason": "type_of_path"},
        {"field": "traits", "reason": "field_of_other_type"},
    ]
    assert answer.json()["outcomes"][0]["ignored_fields"] == named
    (only,) = listed(shop)
    assert (only["type"], only["reason"], only["ignored_fields"]) == ("track", "type_of_path", named)


def test_what_sdks_send_on_every_call_is_in_the_outcome_alone(shop: Shop) -> None:
    """The group of a context, and an advertising id that may not be used; an id in the context is listed."""
    device = {"type": "ios", "advertisingId": "i", "adTrackingEnabled": False}
    routine = [
        {"field": "context.device.advertisingId", "reason": "tracking_not_allowed"},
        {"field": "context.groupId", "reason": "group_of_context"},
    ]
    context = {"device": device, "groupId": "acme"}
    call = {"type": "page", "userId": "u1", "context": context}
    assert shop.send(call)[0]["ignored_fields"] == routine
    assert listed(shop) == []
    lost = [{"field": "context.userId", "reason": "misspelt_field"}]
    other = {**call, "context": {**context, "userId": "u2"}}
    assert shop.send(other)[0]["ignored_fields"] == lost + routine
    assert [each["ignored_fields"] for each in listed(shop)] == [lost]
    assert shop.ask("GET", "/v1/rejections", params={"reason": "group_of_context"}).status_code == 400
    assert shop.ask("GET", "/v1/profiles/user_id:u2").status_code == 404


@pytest.mark.parametrize("calls", [1, 400])
def test_a_batch_in_the_place_of_a_call_is_rejected(shop: Shop, calls: int) -> None:
    """With the path of batches, whatever its size; a call of a batch is no batch either."""
    inner = {"batch": [{"type": "page", "userId": f"user-{n}", "name": "x" * 50} for n in range(calls)], "userId": "u1"}
    answer = shop.ask("POST", "/v1/identify", "write", json=inner)
    assert (answer.status_code, answer.json()["code"]) == (400, "batch_as_call")
    assert "/v1/batch" in answer.json()["message"]
    outcomes = shop.send({"type": "page", "userId": "u2"}, {"type": "identify", **inner})
    assert [(each["status"], each["reason"]) for each in outcomes] == [
        ("accepted", None),
        ("rejected", "batch_as_call"),
    ]
    assert ["/v1/batch" in each["hint"] for each in listed(shop, reason="batch_as_call")] == [True, True]


def test_an_import_with_a_misspelt_time_is_rejected(shop: Shop) -> None:
    """Elsewhere the field is listed."""
    call = {"type": "identify", "userId": "u1", "Timestamp": "2020-01-01T00:00:00Z"}
    found = [
        shop.ask("POST", path, "import", json={"batch": [call]}, headers=OUTCOMES).json()["outcomes"][0]
        for path in ("/v1/import", "/v1/batch")
    ]
    assert [(each["status"], each["reason"], each["hint"]) for each in found] == [
        ("rejected", "invalid_timestamp", "Timestamp is not read; send timestamp."),
        ("accepted", None, None),
    ]
    assert found[1]["ignored_fields"] == [{"field": "Timestamp", "reason": "misspelt_field"}]


@pytest.mark.parametrize(
    ("call", "reason", "words"),
    [
        ({"userId": "u1", "previous_id": "p"}, "missing_previous_id", "previous_id is not read; send previousId."),
        ({"userId": "u1"}, "missing_previous_id", "An alias call needs previousId"),
        (
            {"previousId": "p", "anonymousId": "a", "user_id": "u1"},
            "missing_user_id",
            "user_id is not read; send userId.",
        ),
    ],
)
def test_an_alias_with_one_id_alone_is_rejected(shop: Shop, call: dict[str, Any], reason: str, words: str) -> None:
    """The message and the hint name a misspelt field."""
    answer = shop.ask("POST", "/v1/alias", "write", json=call)
    assert (answer.status_code, answer.json()["code"]) == (400, reason)
    assert words in answer.json()["message"]
    hint = words if words.endswith(".") else None
    (only,) = listed(shop)
    assert (only["type"], only["status"], only["reason"], only["hint"]) == ("alias", "rejected", reason, hint)


def test_a_category_without_a_purpose_is_listed(shop: Shop) -> None:
    """At once after the purposes change; in a space without purposes every category is as good as another."""
    call = {
        "type": "page",
        "userId": "u1",
        "context": {"consent": {"categoryPreferences": {"Marketing": True, "X": True}}},
    }
    assert "invalid_signals" not in shop.send(call)[0]
    for names, unknown in ((["Marketing"], ["purpose:X"]), (["Product"], ["purpose:Marketing", "purpose:X"])):
        purposes = [{"id": name, "class": "ads"} for name in names]
        assert shop.ask("PUT", "/v1/purposes", json={"purposes": purposes}).status_code == 200
        assert shop.send(call)[0]["invalid_signals"] == unknown
    assert [each["invalid_signals"] for each in listed(shop)] == [["purpose:Marketing", "purpose:X"], ["purpose:X"]]


def test_odd_names_of_traits_are_taken_as_they_are(shop: Shop) -> None:
    """Each is a trait of its own; only the exact names of e-mail address and phone number identify somebody."""
    traits = {"plan": 1, " plan": 2, "plan ": 3, "Plan": 4, "": 5, "p?": 6, " email": "ann@x.org", "Email": "ben@x.org"}
    outcome = shop.send({"type": "identify", "userId": "u1", "traits": traits})[0]
    assert (outcome["status"], outcome["demoted"], outcome.get("ignored_fields")) == ("accepted", [], None)
    profile = shop.ask("GET", "/v1/profiles/user_id:u1").json()
    assert profile["traits"] == traits
    assert [each["type"] for each in profile["identifiers"]] == ["user_id"]
    assert listed(shop) == []


@pytest.mark.parametrize(
    ("path", "call", "code", "words"),
    [
        ("/v1/track", {"userId": "u1", "event_name": "E"}, "missing_event", "event_name is not read; send event."),
        ("/v1/group", {"userId": "u1", "companyId": "c"}, "missing_group_id", "companyId is not read; send groupId."),
    ],
)
def test_a_word_of_another_vendor_is_in_message_and_hint(
    shop: Shop, path: str, call: dict[str, Any], code: str, words: str
) -> None:
    """The list has it for every key."""
    answer = shop.ask("POST", path, "write", json=call)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["message"].endswith(words)
    assert [each["hint"] for each in listed(shop)] == [words]


def test_the_hints_of_a_batch_name_the_type_and_the_id_that_are_meant(shop: Shop) -> None:
    """And the missing id of an alias."""
    outcomes = shop.send(
        {"type": "Track", "userId": "u1", "event": "E"},
        {"type": "page", "distinct_id": "u1"},
        {"type": "alias", "previousId": "p"},
    )
    assert [(each["reason"], each["hint"]) for each in outcomes] == [
        ("invalid_type", 'Send "type": "track".'),
        ("no_identifier", "distinct_id is not read; send userId or anonymousId."),
        ("no_identifier", "userId is missing: an alias links previousId to it; send both."),
    ]
