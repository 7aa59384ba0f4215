"""OpenDSR: what is taken and how it is followed, under each of its names, and what is refused."""

import base64
import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.routes.opendsr import NAMES
from identity.planning.privacy.opendsr import IDENTITIES
from tests.app.conftest import Shop
from tests.support.privacy.opendsr_requests import ask, identity, request


@pytest.mark.parametrize("name", NAMES)
def test_a_request_is_done_when_it_is_answered(shop: Shop, name: str) -> None:
    """It is followed under any of the names."""
    shop.send({"type": "identify", "userId": "ann", "traits": {"email": "ann@example.org"}})
    wanted = request()
    made = ask(shop, wanted, name)
    assert made.status_code == 201, made.text
    body = made.json()
    assert body["subject_request_id"] == wanted["subject_request_id"]
    assert json.loads(base64.b64decode(body["encoded_request"])) == wanted
    assert body["expected_completion_time"] == "2026-02-02T23:59:59.999Z"
    assert {made.headers[f"x-{each}-processor-domain"] for each in ("opendsr", "opengdpr", "opencompliance")} == {
        "127.0.0.1"
    }
    assert shop.ask("GET", "/v1/profiles/user_id:ann").status_code == 404
    shown = shop.ask("GET", f"/opendsr/v1/{NAMES[0]}/{wanted['subject_request_id']}", "privacy").json()
    assert (shown["request_status"], shown["subject_request_status"]) == ("completed", "completed")
    late = shop.ask("DELETE", f"/opendsr/v1/{name}/{wanted['subject_request_id']}", "privacy")
    assert late.status_code == 409


def test_a_request_is_received_when_it_arrives(shop: Shop) -> None:
    """Whenever the person submitted it; the deadline runs from the submission, so a late request looks late."""
    for type_ in ("erasure", "access"):
        before = time.time()
        wanted = request(submitted_time="2018-10-02T15:00:00Z", subject_request_type=type_)
        made = ask(shop, wanted).json()
        assert before - 1 <= datetime.fromisoformat(made["received_time"]).timestamp() <= time.time()
        assert made["expected_completion_time"] == "2018-11-02T23:59:59.999Z"
        shown = shop.ask("GET", f"/opendsr/v1/{NAMES[0]}/{wanted['subject_request_id']}", "privacy").json()
        assert shown["expected_completion_time"] == made["expected_completion_time"]
        assert ask(shop, wanted).json() == made


def test_an_id_in_capitals_is_the_same_id(shop: Shop) -> None:
    """In a request and in a path."""
    wanted = request()
    capitals = {**wanted, "subject_request_id": wanted["subject_request_id"].upper()}
    made, again = ask(shop, capitals), ask(shop, wanted)
    assert made.status_code == again.status_code == 201
    assert made.json()["subject_request_id"] == again.json()["subject_request_id"] == wanted["subject_request_id"]
    path = f"/opendsr/v1/{NAMES[0]}/{capitals['subject_request_id']}"
    assert shop.ask("GET", path, "privacy").json()["subject_request_id"] == wanted["subject_request_id"]


@pytest.mark.parametrize(("ahead", "status"), [(2, 201), (250, 201), (400, 400)])
def test_the_clock_of_a_controller_may_be_a_little_ahead(shop: Shop, ahead: int, status: int) -> None:
    """By up to five minutes."""
    submitted = (datetime.now(UTC) + timedelta(seconds=ahead)).isoformat()
    made = ask(shop, request(submitted_time=submitted))
    assert made.status_code == status
    assert status != 201 or made.json()["received_time"] < submitted


@pytest.mark.parametrize(("path", "key", "status"), [("x", "privacy", 404), ("requests", "profiles", 403)])
def test_every_error_has_the_shape_of_the_specification(shop: Shop, path: str, key: str, status: int) -> None:
    """Also where no route or no scope matches."""
    answer = shop.ask("POST", f"/opendsr/v1/{path}", key, json=request())
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, status)


def test_the_same_id_is_the_same_request(shop: Shop) -> None:
    """Another request under the id is rejected."""
    wanted = request()
    assert ask(shop, wanted).json() == ask(shop, wanted).json()
    changes: dict[str, Any] = {
        "regulation": "ccpa",
        "subject_request_type": "access",
        "submitted_time": "2026-01-02T03:04:06Z",
        "status_callback_urls": ["https://callbacks.invalid/status", "https://other.invalid/status"],
        "api_version": "2.0",
        "controller_id": "shop",
        "subject_identities": [identity("email", "bob@example.org")],
        "extensions": {"unknown.example.org": {"anything": 2**70}},
    }
    for field, value in changes.items():
        other = ask(shop, {**wanted, field: value})
        (error,) = other.json()["error"]["errors"]
        assert (other.status_code, error["reason"]) == (409, "request_exists")
        assert "subject_request_id" in error["message"]
        assert [each for each in changes if each in error["message"]] == [field]
    assert ask(shop, wanted).status_code == 201


@pytest.mark.parametrize("changed", ["portability", "callbacks"])
def test_another_request_for_access_under_the_id_is_rejected(shop: Shop, changed: str) -> None:
    """Its first answer stays as it is."""
    shop.send({"type": "identify", "userId": "ann", "traits": {"email": "ann@example.org"}})
    wanted = request(subject_request_type="access")
    first = ask(shop, wanted)
    others: dict[str, dict[str, Any]] = {
        "portability": {"subject_request_type": "portability"},
        "callbacks": {"status_callback_urls": []},
    }
    other = others[changed]
    refused = ask(shop, {**wanted, **other})
    assert (refused.status_code, refused.json()["error"]["errors"][0]["reason"]) == (409, "request_exists")
    assert next(iter(other)) in refused.json()["error"]["errors"][0]["message"]
    assert ask(shop, wanted).json() == first.json()


def test_a_waiting_request_can_be_cancelled(shop: Shop) -> None:
    """While a hold keeps it waiting."""
    shop.send({"type": "identify", "userId": "ann", "traits": {"email": "ann@example.org"}})
    shop.ask("POST", "/v1/holds", "privacy", json={"identifiers": ["user_id:ann"], "reason": "case 12"})
    wanted = request()
    ask(shop, wanted)
    path = f"/opendsr/v1/{NAMES[0]}/{wanted['subject_request_id']}"
    assert shop.ask("GET", path, "privacy").json()["request_status"] == "in_progress"
    gone = shop.ask("DELETE", path, "privacy")
    assert (gone.status_code, gone.json()["request_status"]) == (202, "cancelled")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"subject_request_id": "{" + str(uuid.uuid4()) + "}"}, "subject_request_id"),
        ({"subject_request_id": str(uuid.uuid1())}, "subject_request_id"),
        ({"subject_request_id": None}, "subject_request_id"),
        ({"subject_request_type": "erase"}, "access, portability, erasure"),
        ({"submitted_time": "2999-01-01T00:00:00Z"}, "submitted_time"),
        ({"submitted_time": "yesterday"}, "submitted_time"),
        ({"submitted_time": "1970-01-01T00:00:00Z"}, "2018-05-25"),
        ({"regulation": []}, "regulation"),
        ({"regulation": "hipaa"}, "regulation"),
        ({"subject_identities": []}, "subject_identities"),
        ({"subject_identities": [identity("email", "x", "sha256")]}, "raw"),
        ({"subject_identities": [identity("shoe", "x")]}, "email"),
        ({"subject_identities": [identity("email", 7)]}, "text"),
        ({"subject_identities": [identity("user_id", "x")]}, "Did you mean controller_customer_id?"),
        ({"subject_identities": [identity("email", "email:ann@example.org")]}, "without email:."),
        ({"subject_identities": [identity("email", "x")]}, "usable"),
        ({"subject_identities": ["ann"]}, "subject_identities[0]"),
        ({"status_callback_urls": "https://example.org"}, "status_callback_urls"),
        ({"status_callback_urls": ["https://a.invalid/"] * 11}, "status_callback_urls"),
        ({"status_callback_urls": ["http://example.org/"]}, "https"),
        ({"status_callback_urls": ["https://169.254.169.254/"]}, "public host"),
    ],
)  # fmt: skip
def test_an_invalid_request_changes_nothing(common_shop: Shop, changed: dict[str, Any], says: str) -> None:
    """The message names the field."""
    common_shop.send({"type": "identify", "userId": "ann", "traits": {"email": "ann@example.org"}})
    answer = ask(common_shop, request(**changed))
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, 400)
    assert says in error["message"]
    assert [(each["reason"], each["message"]) for each in error["errors"]] == [("bad_regulation", error["message"])]
    assert common_shop.ask("GET", "/v1/profiles/user_id:ann").status_code == 200


def test_a_body_that_is_no_object_is_rejected(shop: Shop) -> None:
    """Whatever it is."""
    documents: list[Any] = [[], "x", 7]
    for document in documents:
        answer = ask(shop, document)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, 400)


def test_discovery_lists_what_is_supported(shop: Shop) -> None:
    """It shows nothing of another space."""
    offered = shop.ask("GET", "/opendsr/v1/discovery", "privacy").json()
    assert offered["supported_subject_request_types"] == ["access", "portability", "erasure"]
    assert {each["identity_type"] for each in offered["supported_identities"]} == set(IDENTITIES)
    assert shop.ask("GET", "/opendsr/v1/status", "privacy").json()["status"] == "ok"


def test_a_request_is_unknown_in_another_space(shop: Shop, other_shop: Shop) -> None:
    """Requests of another interface are unknown here too."""
    wanted = request()
    ask(shop, wanted)
    path = f"/opendsr/v1/{NAMES[0]}/{wanted['subject_request_id']}"
    assert other_shop.ask("GET", path, "privacy").status_code == 404
    assert shop.ask("GET", f"/opendsr/v1/{NAMES[0]}/{uuid.uuid4()}", "privacy").status_code == 404
