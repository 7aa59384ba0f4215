"""Every error of a collection request becomes an answer in the shape of the SDKs."""

import json

import pytest

from app.http.collection.prepared_answers import ACCEPTED, refusal, rejected, with_cors
from app.http.error_responses import Unreadable
from identity.values.calls import Outcome
from identity.values.errors import RateLimited, SpaceNotFound, Unauthorised


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Unauthorised(), 401, "invalid_write_key"),
        (SpaceNotFound(), 401, "invalid_write_key"),
        (RateLimited(), 429, "rate_limited"),
        (Unreadable("body_too_large", "Too large.", 413), 400, "body_too_large"),
        (Unreadable("body_timeout", "Too slow.", 408), 408, "body_timeout"),
        (RecursionError(), 400, "invalid_json"),
        (ValueError("ann@example.org"), 500, "internal_error"),
    ],
)
def test_an_error_has_a_status_and_a_code(error: Exception, status: int, code: str) -> None:
    """SDKs repeat a request after any status but 200 and 400; nothing of an unforeseen error is shown."""
    answer = refusal(error)
    body = json.loads(answer.body["body"])

    assert (answer.status, answer.code, body["code"], body["success"]) == (status, code, code, False)
    assert "ann@" not in body["message"]


def test_a_rejected_call_says_what_to_change() -> None:
    """The message of the code, and the hint of the call behind it."""
    outcome = Outcome(message_id=None, status="rejected", reason="missing_user_id", hint="user_id is not read.")

    body = json.loads(rejected(outcome).body["body"])

    assert body["code"] == "missing_user_id"
    assert body["message"].endswith("user_id is not read.")


def test_only_a_page_of_another_origin_gets_its_headers() -> None:
    """An answer that was prepared is changed for nobody else."""
    start = with_cors(ACCEPTED.start, {"headers": [(b"origin", b"https://shop.example")]})

    assert len(start["headers"]) > len(ACCEPTED.start["headers"])
    assert with_cors(ACCEPTED.start, {"headers": []}) is ACCEPTED.start
