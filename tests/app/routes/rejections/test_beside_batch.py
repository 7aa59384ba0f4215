"""What stands beside the calls of a batch, over the wire: it is read, listed or refused."""

from typing import Any

from tests.app.conftest import Shop
from tests.support.http.rejections import listed

OUTCOMES = {"Prefer": "return=representation"}


def test_what_stands_beside_a_batch_is_read_listed_or_rejected(shop: Shop) -> None:
    """A misspelt context is listed at each call, and its consent denies; a context that is no object rejects each."""
    call = {"type": "page", "userId": "u1"}

    def outcomes(**envelope: Any) -> list[tuple[Any, ...]]:
        body = {"batch": [call, {**call, "context": {}}], **envelope}
        answer = shop.ask("POST", "/v1/batch", "import", json=body, headers=OUTCOMES).json()
        return [
            (each["status"], each["reason"], each["hint"], each.get("ignored_fields"), each.get("invalid_signals"))
            for each in answer["outcomes"]
        ]

    named = [{"field": "Context", "reason": "misspelt_field"}]
    assert (
        outcomes(Context={"consent": {"categoryPreferences": {"Ads": True}}})
        == [("accepted", None, None, named, ["consent"])] * 2
    )
    for name, held in (("headers", {"Sec-GPC": "1"}), ("regs", {"ext": {"us_privacy": "1YYN"}})):
        (field,) = outcomes(**{name: held, "user": {"name": "x"}})[0][3]
        assert (field["field"].partition(".")[0], field["reason"]) == (name, "misspelt_field")
    hint = "The context beside the batch is no object."
    for context in ("{}", [1], 1):
        assert outcomes(context=context) == [("rejected", "context_not_object", hint, None, None)] * 2
    assert outcomes(context=[]) == [("accepted", None, None, None, None)] * 2


def test_what_stands_beside_a_batch_and_reaches_no_call_is_listed_at_each(shop: Shop) -> None:
    """A call that has the field itself lacks nothing; the list of calls under a misspelt name is not stored."""
    calls = [{"type": "page", "anonymousId": "a1"}, {"type": "page", "userId": "u1"}]
    body = {"batch": calls, "Batch": [{"type": "page", "userId": "u9"}], "userId": "u8", "receivedAt": "2020-01-01"}
    answer = shop.ask("POST", "/v1/batch", "import", json=body, headers=OUTCOMES)
    found = [{each["field"]: each["reason"] for each in one["ignored_fields"]} for one in answer.json()["outcomes"]]
    both = {"Batch": "misspelt_field", "receivedAt": "misspelt_field"}
    assert found == [both | {"userId": "misspelt_field"}, both]
    assert len(listed(shop, reason="misspelt_field")) == 2
    for nobody in ("u8", "u9"):
        assert shop.ask("GET", f"/v1/profiles/user_id:{nobody}").status_code == 404
    kept = shop.ask("GET", "/v1/profiles/anonymous_id:a1/history").text
    assert "u9" not in kept


def test_no_list_of_calls_is_lost_beside_a_batch(shop: Shop) -> None:
    """With calls in the batch the list is named at each of them; without any the body is refused and listed."""
    call, other = {"type": "page", "userId": "u1"}, {"type": "page", "userId": "u9"}
    for name in ("events", "data", "calls"):
        answer = shop.ask("POST", "/v1/batch", "import", json={"batch": [call], name: [other]}, headers=OUTCOMES)
        (outcome,) = answer.json()["outcomes"]
        assert outcome["ignored_fields"] == [{"field": name, "reason": "misspelt_field"}]
    lost: list[dict[str, Any]] = [{name: [other]} for name in ("Batch", "events", "messages")]
    for beside in (*lost, {"data": {"batch": [other]}}, other, {"userId": "u9"}, {"type": "track"}):
        for path in ("/v1/batch", "/v1/import"):
            answer = shop.ask("POST", path, "import", json={"batch": [], **beside})
            assert (answer.status_code, answer.json()["code"]) == (400, "batch_not_a_list")
            assert any(f"{name} is not read" in answer.json()["message"] for name in beside)
    twice = b'{"batch":[{"type":"page","userId":"u9"}],"batch":[{"type":"page","userId":"u1"}]}'
    answer = shop.ask("POST", "/v1/batch", "import", content=twice)
    assert (answer.status_code, "more than once" in answer.text) == (400, True)
    assert len(listed(shop, reason="batch_not_a_list")) == 15
    assert shop.ask("GET", "/v1/profiles/user_id:u9").status_code == 404


def test_a_batch_under_another_spelling_in_the_place_of_a_call_is_rejected(shop: Shop) -> None:
    """Its calls would be lost; a list of other things is kept with the call."""
    call = {"userId": "u1", "Batch": [{"type": "page", "userId": "u2"}]}
    answer = shop.ask("POST", "/v1/page", "write", json=call)
    assert (answer.status_code, answer.json()["code"]) == (400, "batch_as_call")
    assert shop.send({"type": "page", "userId": "u1", "batches": [{"brewed": 1}]})[0].get("ignored_fields") is None
