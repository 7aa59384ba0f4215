"""Each of these mistakes of a client gets an answer that states the fault, its place, and what to do.

One space serves all rows; each row is a request, the status, the code and the words that help.
"""

import json
from dataclasses import dataclass

import httpx
import pytest

from tests.app.conftest import PURPOSES, Shop, new_shop
from tests.conftest import Running
from tests.support.http.document_mistakes import DOCUMENT_MISTAKES
from tests.support.http.mistaken_values import VALUE_MISTAKES
from tests.support.http.mistakes import MAIL, MISTAKES, Mistake

ALL = [*MISTAKES, *DOCUMENT_MISTAKES, *VALUE_MISTAKES]


@dataclass
class Made:
    """A space with a person, a purpose, a destination, an erasure and a hold."""

    shop: Shop
    ids: dict[str, str]


@pytest.fixture(scope="module")
def made(client: httpx.Client, live: Running) -> Made:
    """The space of all mistakes here."""
    shop = new_shop(client, {"Authorization": f"Bearer {live.admin_token}"})
    shop.keys["operator"] = live.admin_token
    ann = {"type": "identify", "userId": "ann", "anonymousId": "a1", "traits": {"email": "ann@example.org"}}
    card = {"type": "card.number", "id": "7", "collection": "users", "encoding": "none"}
    shop.send(ann, {"type": "track", "event": "E", "userId": "bob", "context": {"externalIds": [card]}})
    assert shop.ask("PUT", "/v1/purposes", json=PURPOSES).status_code == 200
    shop.keys["mail"] = shop.ask("PUT", "/v1/destinations/mail", json=MAIL).json()["secret"]
    gone = shop.ask("POST", "/v1/erasures", "privacy", json={"identifiers": ["user_id:gone"]}).json()
    hold = {"identifiers": ["user_id:held"], "reason": "case"}
    held = shop.ask("POST", "/v1/holds", "privacy", json=hold).json()
    return Made(shop, {"erasure": gone["erasures"][0]["erasure_id"], "hold": held["hold_id"]})


def test_the_table_has_at_least_92_mistakes_with_names_of_their_own() -> None:
    """Each is one row."""
    assert len(ALL) >= 92
    names = [(each.method, each.path, each.name, str(each.words)) for each in ALL]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("wrong", ALL, ids=lambda wrong: wrong.name)
def test_the_answer_says_what_is_wrong_and_what_to_do(made: Made, wrong: Mistake) -> None:
    """The status, the code, and words that name the place and the remedy."""
    key = None if wrong.key is None else made.shop.keys[wrong.key]
    headers = ({} if key is None else {"Authorization": f"Bearer {key}"}) | wrong.headers
    content = wrong.raw if wrong.body is None else json.dumps(wrong.body).encode()
    path = wrong.path.format(**made.ids)
    answer = made.shop.client.request(wrong.method, path, content=content, headers=headers)
    found = answer.json()
    # Regulations and OpenDSR have error shapes of their own.
    found = found.get("error", found)
    parts = found.get("errors")
    error = parts[0] if parts and "message" in parts[0] else found
    if wrong.path.startswith("/v1/regulations"):
        assert (found["code"], found["detail"]) == (error["type"].replace("-", "_"), error["message"])
    code = error.get("code") or error.get("type") or error["reason"]
    message = error.get("detail") or error["message"]
    assert (answer.status_code, code) == (wrong.status, wrong.code), answer.text
    missing = [word for word in wrong.words if word not in message]
    assert not missing, (missing, message)


def test_nobody_is_changed_by_any_of_them(made: Made) -> None:
    """Ann is there, and nothing is suppressed but what the space began with."""
    assert made.shop.ask("GET", "/v1/profiles/user_id:ann").status_code == 200
    assert made.shop.ask("GET", "/v1/suppressions", "privacy").json()["total"] == 1
    assert [each["name"] for each in made.shop.ask("GET", "/v1/destinations").json()["destinations"]] == ["mail"]


def test_every_faulty_entry_of_a_list_is_named_by_its_position(made: Made) -> None:
    """A look-up answers the others; a privacy request does nothing at all."""
    texts = ["user_id:ann", "ann", "mail:ann@example.org", "user_id:nobody"]
    answer = made.shop.ask("POST", "/v1/profiles/lookup", "profiles", json={"identifiers": texts}).json()
    assert answer["profiles"]["user_id:ann"]["profile_id"]
    assert [answer["profiles"][text] for text in texts[1:]] == [None, None, None]
    assert [(each["index"], each["code"]) for each in answer["errors"]] == [(1, "bad_identifier"), (2, "unknown_type")]
    refused = made.shop.ask("POST", "/v1/erasures", "privacy", json={"identifiers": texts})
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_identifier")
    assert [each["index"] for each in refused.json()["errors"]] == [1, 2]
    seen = made.shop.ask(
        "POST", "/v1/destination/profiles/lookup", "mail", json={"identifiers": ["x", "email:a@b.org"]}
    )
    assert [each["index"] for each in seen.json()["errors"]] == [0]
    seen = made.shop.ask(
        "POST", "/v1/destination/profiles/lookup", "mail", json={"identifiers": ["email:a@b.org", "user_id:ann"]}
    )
    assert [(each["index"], each["code"]) for each in seen.json()["errors"]] == [(1, "profile_not_found")]
    assert "finds people by their profile ids and by email" in seen.json()["errors"][0]["detail"]


def test_the_profile_api_names_the_nearest_type(made: Made) -> None:
    """After the words of Segment; a known type that nobody has is answered in those words alone."""
    for ref, more in (("userId:ann", "user_id?"), ("mail:ann@example.org", "email?"), ("user_id:nobody", "")):
        path = f"/v1/spaces/{made.shop.space_id}/collections/users/profiles/{ref}/traits"
        answer = made.shop.ask("GET", path, "profiles")
        message = answer.json()["error"]["message"]
        assert (answer.status_code, message.startswith("Profile was not found.")) == (404, True)
        assert more in message
        assert bool(more) == (message != "Profile was not found.")


def test_an_id_of_a_profile_in_capitals_is_named_as_one(shop: Shop) -> None:
    """The id is whole, so the hint is the way to name the person."""
    shop.send({"type": "identify", "userId": "ann"})
    id_ = shop.ask("GET", "/v1/profiles/user_id:ann").json()["profile_id"]
    for written in (id_, id_.upper(), f" {id_.upper()} "):
        refused = shop.ask("POST", "/v1/erasures", "privacy", json={"identifiers": [written]})
        assert (refused.status_code, refused.json()["code"]) == (400, "bad_identifier")
        assert "is the id of a profile" in refused.json()["detail"]
        assert "name the person by an identifier: write type:value" in refused.json()["detail"]


@pytest.mark.parametrize("blank", ["\u3164", "\u2800", "\u115f\u1160", "\ufe0f"])
def test_a_text_that_shows_nothing_is_refused(common_shop: Shop, blank: str) -> None:
    """As a reason of a hold and as the name of a key."""
    hold = {"identifiers": ["user_id:ann"], "reason": blank}
    assert common_shop.ask("POST", "/v1/holds", "privacy", json=hold).status_code == 422
    assert common_shop.ask("POST", "/v1/keys", json={"name": blank, "scopes": ["privacy"]}).status_code == 400
