"""The list of joins and the decisions on one over HTTP: states, reasons, and requests that are refused."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.app.conftest import Shop
from tests.support.http.waiting_joins import ANN, CLAIM, joins, public

CONFIRMED_BY_HER = {"reason": "She confirmed it by letter."}


def made(shop: Shop, decision: str, join: dict[str, Any], **given: Any) -> tuple[int, dict[str, Any]]:
    """The status and the body of the answer to a decision."""
    answer = shop.ask("POST", f"/v1/joins/{join['join_id']}/{decision}", "privacy", **given)
    return answer.status_code, answer.json()


@pytest.fixture
def waiting(shop: Shop) -> dict[str, Any]:
    """A join that waits: a device claims the address of Ann."""
    shop.send(ANN)
    public(shop, CLAIM)
    (join,) = joins(shop)
    return join


@pytest.mark.parametrize(("decision", "state"), [("confirm", "made"), ("refuse", "refused")])
def test_a_decision_moves_the_join_to_its_state(shop: Shop, waiting: dict[str, Any], decision: str, state: str) -> None:
    """It is listed under that state alone, and in the list of all; a second decision changes nothing."""
    status, decided = made(shop, decision, waiting, json=CONFIRMED_BY_HER)
    assert (status, decided["join_id"], decided["state"]) == (200, waiting["join_id"], state)
    assert (decided["refused_at"] is not None) == (state == "refused")

    by_state = {each: [join["join_id"] for join in joins(shop, each)] for each in ("waiting", "made", "refused")}
    assert by_state == {"waiting": [], "made": [], "refused": [], state: [waiting["join_id"]]}
    assert [each["state"] for each in shop.ask("GET", "/v1/joins").json()["joins"]] == [state]
    for again in ("confirm", "refuse"):
        status, problem = made(shop, again, waiting, json={})
        assert (status, problem["code"]) == (409, "join_not_waiting")


@pytest.mark.parametrize("pair", [("confirm", "refuse"), ("refuse", "confirm"), ("confirm", "confirm")])
def test_of_two_decisions_at_once_one_holds(shop: Shop, pair: tuple[str, str]) -> None:
    """The other one finds the join decided and changes nothing: a refused join merges nobody."""
    for nr in range(4):
        shop.send({"type": "identify", "userId": f"p{nr}", "traits": {"email": f"p{nr}@x.org"}})
        public(shop, {"type": "identify", "anonymousId": f"d{nr}", "traits": {"email": f"p{nr}@x.org"}})
        (join,) = joins(shop)
        with ThreadPoolExecutor(2) as both:
            answers = list(both.map(lambda decision, join=join: made(shop, decision, join, json={}), pair))
        held = [answer["state"] for status, answer in answers if status == 200]
        assert len(held) == 1, answers
        assert [answer["code"] for status, answer in answers if status != 200] == ["join_not_waiting"]
        assert shop.ask("GET", f"/v1/joins/{join['join_id']}").json()["state"] == held[0]
        sides = [shop.ask("GET", f"/v1/profiles/{each}") for each in (f"user_id:p{nr}", f"anonymous_id:d{nr}")]
        found = {each.json()["profile_id"] for each in sides}
        assert (len(found) == 1) == (held == ["made"])


@pytest.mark.parametrize("decision", ["confirm", "refuse"])
def test_a_decision_that_cannot_be_read_leaves_the_join_waiting(
    shop: Shop, waiting: dict[str, Any], decision: str
) -> None:
    """A reason that is no text, too long or unreadable, another member, and an id of no join."""
    bodies: list[object] = [{"reason": 7}, {"reason": "x" * 100_000}, {"reason": "a\u0000b"}, {"why": "asked"}, []]
    for body in bodies:
        status, problem = made(shop, decision, waiting, json=body)
        assert status in (400, 422), (body, problem)
        assert problem["code"]
    for unknown in ("jon_none", "jon_" + "0" * 26, f"x{waiting['join_id']}"):
        status, problem = made(shop, decision, {"join_id": unknown}, json={})
        assert (status, problem["code"]) == (404, "join_not_found")

    assert joins(shop) == [waiting]


def test_a_join_is_nothing_in_another_space(shop: Shop, other_shop: Shop, waiting: dict[str, Any]) -> None:
    """Its id is unknown there, and its cursor is refused."""
    path = f"/v1/joins/{waiting['join_id']}"
    assert other_shop.ask("GET", path, "privacy").json()["code"] == "join_not_found"
    assert made(other_shop, "confirm", waiting, json={})[0] == 404
    assert joins(other_shop) == []
    public(shop, {**CLAIM, "anonymousId": "phone"})
    cursor = shop.ask("GET", "/v1/joins?limit=1", "privacy").json()["next_cursor"]
    assert other_shop.ask("GET", f"/v1/joins?cursor={cursor}", "privacy").status_code == 400
    assert len(shop.ask("GET", f"/v1/joins?cursor={cursor}", "privacy").json()["joins"]) == 1


@pytest.mark.parametrize("question", ["state=lost", "state=", "state=Waiting", "limit=0", "limit=ten", "cursor=none"])
def test_a_question_that_no_list_answers_is_refused(common_shop: Shop, question: str) -> None:
    """An unknown state is no empty list."""
    answer = common_shop.ask("GET", f"/v1/joins?{question}", "privacy")
    assert answer.status_code in (400, 422), answer.text
    assert question.partition("=")[0] in answer.text
