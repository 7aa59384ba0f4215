"""Segment's regulations, as its public API takes and shows them."""

from typing import Any

import pytest

from app.routes.segment.regulations import MEDIA
from tests.app.conftest import Shop


def regulate(shop: Shop, kind: str, *subjects: str, type_: str = "USER_ID", **headers: str) -> Any:
    """The answer to a regulation."""
    wanted = {"regulationType": kind, "subjectType": type_, "subjectIds": list(subjects)}
    return shop.ask("POST", "/v1/regulations", "privacy", json=wanted, headers=headers)


def follow(shop: Shop, regulate_id: str) -> dict[str, Any]:
    """A regulation as it is shown."""
    answer = shop.ask("GET", f"/v1/regulations/{regulate_id}", "privacy")
    assert answer.status_code == 200
    shown: dict[str, Any] = answer.json()["data"]["regulation"]
    return shown


@pytest.mark.parametrize(
    ("kind", "read", "again"),
    [
        ("SUPPRESS_WITH_DELETE", 404, "suppressed"),
        ("SUPPRESS_AND_DELETE", 404, "suppressed"),
        ("SUPPRESS_WITH_DELETE_INTERNAL", 404, "suppressed"),
        ("DELETE_ONLY", 404, "accepted"),
        ("DELETE_INTERNAL", 404, "accepted"),
        ("SUPPRESS_ONLY", 200, "suppressed"),
        ("UNSUPPRESS", 200, "accepted"),
    ],
)
def test_each_type_deletes_suppresses_or_neither(shop: Shop, kind: str, read: int, again: str) -> None:
    """Each type has its effect before the answer."""
    shop.send({"type": "identify", "userId": "ann", "traits": {"plan": "pro"}})
    made = regulate(shop, kind, "ann")
    assert made.status_code == 200, made.text
    assert shop.ask("GET", "/v1/profiles/user_id:ann").status_code == read
    assert shop.send({"type": "track", "event": "E", "userId": "ann"})[0]["status"] == again
    shown = follow(shop, made.json()["data"]["regulateId"])
    assert shown["overallStatus"] == "FINISHED"
    assert shown["workspaceId"] == shop.space_id
    assert shown["finishedAt"] >= shown["createdAt"]
    assert [each["destinationStatus"] for each in shown["streamStatus"]] == [[]]


@pytest.mark.parametrize("type_", ["EMAIL", "email", "ANONYMOUS_ID"])
def test_any_type_of_identifier(shop: Shop, type_: str) -> None:
    """Segment knows user ids only; here any identifier names the person."""
    shop.send({"type": "identify", "userId": "ann", "anonymousId": "a1", "traits": {"email": "ann@example.org"}})
    assert regulate(shop, "DELETE_ONLY", "a1" if "ANON" in type_ else "Ann@Example.org", type_=type_).status_code == 200
    assert shop.ask("GET", "/v1/profiles/user_id:ann").status_code == 404


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"regulationType": "ERASE"}, "regulationType"),
        ({"regulationType": "DELETE_ARCHIVE_ONLY"}, "regulationType"),
        ({"subjectType": "OBJECT_ID"}, "OBJECT_ID"),
        ({"subjectType": "No Type"}, "subjectType"),
        ({"subjectIds": ["ann", "", "bob"]}, "subjectIds[1]"),
        ({"subjectIds": []}, "1 to 5,000"),
        ({"subjectIds": [f"u{number}" for number in range(5_001)]}, "1 to 5,000"),
        ({"subjectIds": "ann"}, "subjectIds"),
        ({"subjectIds": ["bob", "user_id:ann"]}, "subjectIds[1]: nobody has this value. It begins with a type: write"),
        ({"subjectType": "EMAIL", "subjectIds": ["email:ann@example.org"]}, "without email:."),
        ({"subjectType": "SEGMENT_ID"}, "prf_ and 32 hexadecimal digits"),
    ],
)
def test_an_invalid_regulation_changes_nothing(common_shop: Shop, wanted: dict[str, Any], says: str) -> None:
    """The error has Segment's shape and names the field, never its value."""
    common_shop.send({"type": "identify", "userId": "ann"})
    document = {"regulationType": "DELETE_ONLY", "subjectType": "USER_ID", "subjectIds": ["ann"], **wanted}
    answer = common_shop.ask("POST", "/v1/regulations", "privacy", json=document)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert says in error["message"]
    assert "bob" not in answer.text
    assert common_shop.ask("GET", "/v1/profiles/user_id:ann").status_code == 200


def test_regulations_are_listed_newest_first(shop: Shop) -> None:
    """By type and status, page by page; no answer names a person."""
    first = regulate(shop, "DELETE_ONLY", "ann").json()["data"]["regulateId"]
    second = regulate(shop, "SUPPRESS_ONLY", "bob").json()["data"]["regulateId"]

    def found(**params: Any) -> Any:
        return shop.ask("GET", "/v1/regulations", "privacy", params=params).json()["data"]

    assert [each["id"] for each in found()["regulations"]] == [second, first]
    assert [each["id"] for each in found(regulationTypes="DELETE_ONLY")["regulations"]] == [first]
    assert found(status="RUNNING")["regulations"] == []
    page = found(**{"pagination.count": 1})
    assert [each["id"] for each in page["regulations"]] == [second]
    rest = found(**{"pagination.count": 1, "pagination.cursor": page["pagination"]["next"]})
    assert ([each["id"] for each in rest["regulations"]], rest["pagination"]["next"]) == ([first], None)
    assert "ann" not in str(found())
    assert [each["subjects"] for each in found()["regulations"]] == [[], []]
    assert shop.ask("GET", "/v1/regulations?status=DONE", "privacy").status_code == 422


def test_a_waiting_regulation_can_be_cancelled(shop: Shop) -> None:
    """A finished one cannot; another space knows neither."""
    shop.send({"type": "identify", "userId": "ann"})
    shop.ask("POST", "/v1/holds", "privacy", json={"identifiers": ["user_id:ann"], "reason": "case 12"})
    held = regulate(shop, "DELETE_ONLY", "ann").json()["data"]["regulateId"]
    assert follow(shop, held)["overallStatus"] == "RUNNING"
    gone = shop.ask("DELETE", f"/v1/regulations/{held}", "privacy")
    assert gone.json()["data"]["regulation"]["overallStatus"] == "INVALID"
    done = regulate(shop, "DELETE_ONLY", "bob").json()["data"]["regulateId"]
    assert shop.ask("DELETE", f"/v1/regulations/{done}", "privacy").status_code == 409


@pytest.mark.parametrize(
    ("kind", "code", "next_step"),
    [
        ("SUPPRESS_ONLY", "already-suppressed", "UNSUPPRESS"),
        ("UNSUPPRESS", "already-lifted", "SUPPRESS_ONLY"),
        ("SUPPRESS_WITH_DELETE", "already-erased", "finished"),
    ],
)
def test_a_finished_regulation_says_by_its_type_why_it_stays(shop: Shop, kind: str, code: str, next_step: str) -> None:
    """A suppression erased nobody, and another regulation lifts it."""
    done = regulate(shop, kind, "ann").json()["data"]["regulateId"]
    refused = shop.ask("DELETE", f"/v1/regulations/{done}", "privacy")
    (error,) = refused.json()["errors"]
    assert (refused.status_code, error["type"]) == (409, code)
    assert next_step in error["message"]


def test_a_subject_named_twice_has_one_erasure_at_its_first_position(shop: Shop) -> None:
    """In any spelling; the positions are those of the request."""
    shop.send({"type": "identify", "userId": "ann", "traits": {"email": "ann@example.org"}})
    subjects = ["ann@example.org", " Ann@Example.org ", "ANN@EXAMPLE.ORG", "bob@example.org", "Bob@example.org"]
    made = regulate(shop, "SUPPRESS_WITH_DELETE", *subjects, type_="EMAIL").json()["data"]
    assert (made["found"], made["notFound"]) == (False, [3])
    shown = follow(shop, made["regulateId"])
    assert [each["found"] for each in shown["streamStatus"]] == [True, False]


def test_a_regulation_is_unknown_in_another_space(shop: Shop, other_shop: Shop) -> None:
    """It reaches nobody there either."""
    other_shop.send({"type": "identify", "userId": "ann"})
    made = regulate(shop, "SUPPRESS_WITH_DELETE", "ann").json()["data"]["regulateId"]
    assert other_shop.ask("GET", "/v1/profiles/user_id:ann").status_code == 200
    assert other_shop.ask("GET", f"/v1/regulations/{made}", "privacy").status_code == 404


@pytest.mark.parametrize("media", MEDIA)
def test_segments_media_types_are_answered_in_kind(shop: Shop, media: str) -> None:
    """A request in one of the media types has its answer in the same."""
    answer = regulate(shop, "DELETE_ONLY", "ann", **{"Content-Type": media, "Accept": media})
    assert (answer.status_code, answer.headers["content-type"]) == (200, media)


def test_one_idempotency_key_is_one_regulation(shop: Shop) -> None:
    """Another regulation under the same key is rejected."""
    again = {"Idempotency-Key": "case-12"}
    first, second = (regulate(shop, "DELETE_ONLY", "ann", **again).json() for _ in range(2))
    assert first == second
    assert regulate(shop, "DELETE_ONLY", "bob", **again).status_code == 409


def test_a_value_that_somebody_has_is_erased_whatever_it_begins_with(shop: Shop) -> None:
    """An id of another system may hold a colon."""
    for value in ("user_id:ann", "auth0:bob"):
        shop.send({"type": "identify", "userId": value})
    made = regulate(shop, "DELETE_ONLY", "user_id:ann", "auth0:bob")
    assert (made.status_code, made.json()["data"]["found"]) == (200, True)
