"""Explaining and reviewing over HTTP: why two identifiers are one person, and whether they should be."""

from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

import httpx

from tests.app.conftest import Shop
from tests.support.http.battery import play
from tests.support.http.unmerges import get, ids, unmerge
from tests.support.planning.scenarios import ALL

TWO = {"limits": {"user_id": {"max": 2}}}


def explained(shop: Shop, ref: str, start: str, end: str) -> httpx.Response:
    """The answer to why two identifiers are one profile."""
    return shop.ask("GET", f"/v1/profiles/{quote(ref, safe='')}/explain", "profiles", params={"from": start, "to": end})


def graph(shop: Shop, ref: str) -> dict[str, Any]:
    """The graph of a profile."""
    answer = shop.ask("GET", f"/v1/profiles/{quote(ref, safe='')}/graph")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def steps(path: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """The links of a path."""
    return [(link["from"], link["to"]) for link in path]


def test_each_link_names_its_calls(shop: Shop) -> None:
    """The path goes through what was seen together, and says by which messages, when and by whom."""
    first = {"type": "identify", "userId": "u1", "anonymousId": "a1", "messageId": "m1"}
    second = {"type": "identify", "anonymousId": "a1", "traits": {"email": "A@B.org"}, "messageId": "m2"}
    shop.send(first)
    shop.send(second, {"type": "track", "anonymousId": "a1", "event": "E", "messageId": "m3"})
    source = next(key["key_id"] for key in shop.ask("GET", "/v1/keys").json()["keys"] if "import" in key["scopes"])

    answer = explained(shop, "email:a@b.org", "user_id:u1", "email:a@b.org").json()

    assert answer["profile_id"] == get(shop, "user_id:u1")["profile_id"]
    for path in (answer["shortest"], answer["strongest"]):
        assert steps(path) == [("user_id:u1", "anonymous_id:a1"), ("anonymous_id:a1", "email:a@b.org")]
        assert [[call["message_id"] for call in link["calls"]] for link in path] == [["m1"], ["m2"]]
        assert {call["source"] for link in path for call in link["calls"]} == {source}
        assert {call["rules_version"] for link in path for call in link["calls"]} == {0}
    same = explained(shop, "user_id:u1", "user_id:u1", "user_id:u1").json()
    assert same["shortest"] == same["strongest"] == []


def test_explain_graph_history_and_export_say_what_is_of_a_server(shop: Shop) -> None:
    """A link of public calls alone is recognised, in each of the three."""
    public = {"type": "identify", "userId": "u1", "anonymousId": "a1", "messageId": "m1"}
    assert shop.ask("POST", "/v1/batch", "write", json={"batch": [public]}).status_code == 200
    shop.send({"type": "identify", "userId": "u1", "traits": {"email": "a@b.org"}, "messageId": "m2"})
    classes = {"m1": False, "m2": True}

    path = explained(shop, "user_id:u1", "anonymous_id:a1", "email:a@b.org").json()["shortest"]
    assert {call["message_id"]: call["server_side"] for link in path for call in link["calls"]} == classes
    assert [link["server_side"] for link in path] == [False, True]
    links = graph(shop, "user_id:u1")["links"]
    assert {frozenset((link["from"], link["to"])): link["server_side"] for link in links} == {
        frozenset(("anonymous_id:a1", "user_id:u1")): False,
        frozenset(("user_id:u1", "email:a@b.org")): True,
    }
    history = shop.ask("GET", "/v1/profiles/user_id:u1/history").json()["history"]
    assert {line["message_id"]: line["server_side"] for line in history} == classes
    body = {"identifiers": ["user_id:u1"], "regulation": "gdpr"}
    made = shop.ask("POST", "/v1/exports", "privacy", json=body).json()
    assert shop.ask("GET", f"/v1/exports/{made['export_id']}?wait=30", "privacy").json()["state"] == "ready"
    (exported,) = shop.ask("GET", made["download_url"], "privacy").json()["profiles"]
    assert {call["message_id"]: call["server_side"] for call in exported["calls"]} == classes


def _times(shop: Shop, ref: str) -> dict[tuple[str, ...], tuple[str, str]]:
    """The links of a profile by their ends, with the first and the last time."""
    return {
        tuple(sorted((link["from"], link["to"]))): (link["first_seen"], link["last_seen"])
        for link in graph(shop, ref)["links"]
    }


def test_the_times_of_a_link_are_those_of_its_events(shop: Shop) -> None:
    """In whatever order calls arrive, also for a link by alias, and after a merge, an unmerge and a rebuild."""
    old, new, late = "2024-03-01T10:00:00.000Z", "2025-05-02T11:00:00.000Z", "2026-01-03T12:00:00.000Z"
    both = {"type": "identify", "userId": "u1", "anonymousId": "a1"}
    shop.send({**both, "timestamp": new}, {**both, "timestamp": old})
    shop.send({**both, "timestamp": late, "traits": {"plan": "x"}})
    ends = ("anonymous_id:a1", "user_id:u1")
    assert _times(shop, "user_id:u1") == {ends: (old, late)}

    shop.send({"type": "identify", "userId": "u1", "traits": {"email": "a@b.org"}, "timestamp": new})
    shop.send({"type": "alias", "userId": "u1", "previousId": "old", "timestamp": old})
    links = {
        ends: (old, late),
        ("email:a@b.org", "user_id:u1"): (new, new),
        ("user_id:old", "user_id:u1"): (old, old),
    }
    assert _times(shop, "user_id:u1") == links

    shop.send({"type": "identify", "userId": "u2", "anonymousId": "a3", "timestamp": old})
    shop.send({"type": "identify", "anonymousId": "a3", "traits": {"phone": "+4930901820"}, "timestamp": late})
    unmerge(shop, "email:a@b.org", block=False)
    assert _times(shop, "user_id:u1") == {at: times for at, times in links.items() if "email:a@b.org" not in at}
    job = shop.ask("POST", "/v1/rules/rebuild").json()["job_id"]
    assert shop.ask("GET", f"/v1/jobs/{job}?wait=30").json()["state"] == "done"
    assert _times(shop, "user_id:u1") == {at: times for at, times in links.items() if "email:a@b.org" not in at}
    assert _times(shop, "user_id:u2")["anonymous_id:a3", "phone:+4930901820"] == (late, late)
    path = explained(shop, "user_id:u1", "user_id:u1", "anonymous_id:a1").json()["shortest"]
    assert [(link["first_seen"], link["last_seen"]) for link in path] == [(old, late)]


def test_identifiers_without_a_path_are_answered_409(shop: Shop) -> None:
    """Those of another profile, and those that only a removed identifier linked."""
    shop.send({"type": "identify", "userId": "u1", "anonymousId": "a1"})
    shop.send({"type": "identify", "anonymousId": "a1", "traits": {"email": "a@b.org"}})
    shop.send({"type": "identify", "userId": "u2"})
    for other in ("user_id:u2", "user_id:nobody"):
        answer = explained(shop, "user_id:u1", "user_id:u1", other)
        assert (answer.status_code, answer.json()["code"]) == (409, "not_linked")
    assert shop.ask("DELETE", "/v1/identifiers/anonymous_id%3Aa1").status_code == 200
    answer = explained(shop, "user_id:u1", "user_id:u1", "email:a@b.org")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_linked")
    assert explained(shop, "user_id:u3", "user_id:u1", "user_id:u1").status_code == 404
    assert explained(shop, "user_id:u1", "what", "user_id:u1").status_code == 400


def test_a_link_that_was_taken_back_is_none(shop: Shop) -> None:
    """An unmerge contradicts the calls before it; those after it count again."""
    both = {"type": "identify", "userId": "u1", "anonymousId": "a1"}
    shop.send({**both, "messageId": "before"})
    unmerge(shop, "anonymous_id:a1", block=False)
    shop.send({**both, "messageId": "after"})

    answer = explained(shop, "user_id:u1", "user_id:u1", "anonymous_id:a1").json()

    assert [call["message_id"] for call in answer["shortest"][0]["calls"]] == ["after"]


def test_the_bridge_of_the_battery_is_reported(shop: Shop) -> None:
    """S167: the shared e-mail is the first cut node, with the two bridges to a1 and a2."""
    scenario = next(each for each in ALL if each["id"] == "S167")
    play(shop, scenario)

    found = graph(shop, "user_id:u1")

    assert found["analysis"] == scenario["expect"]["analysis"]
    review = found["review"]
    assert review["cut_nodes"][0]["identifier"] == "email:team@x.com"
    bridges = [{each["from"], each["to"]} for each in review["bridges"]]
    for device in ("anonymous_id:a1", "anonymous_id:a2"):
        assert {"email:team@x.com", device} in bridges
    assert {each["from"] for each in found["links"]} <= {each["identifier"] for each in found["nodes"]}


def test_the_suggested_split_restores_both(shop: Shop) -> None:
    """Two users forced together by a shared e-mail: review names it, and its split gives both back."""
    shop.ask("PUT", "/v1/rules", json=TWO)
    people = {}
    for name in ("ann", "bob"):
        own = {"type": "identify", "userId": name, "anonymousId": f"{name}-phone", "traits": {"name": name}}
        shop.send(own, {"type": "group", "userId": name, "groupId": f"{name}-co"})
        people[name] = get(shop, f"user_id:{name}")
    for name in ("ann", "bob"):
        shop.send({"type": "identify", "userId": name, "traits": {"email": "family@x.org"}})
    assert get(shop, "user_id:ann")["profile_id"] == get(shop, "user_id:bob")["profile_id"]

    review = graph(shop, "user_id:ann")["review"]
    assert review["cut_nodes"][0]["identifier"] == "email:family@x.org"
    assert review["over_connected"][0] == {
        "identifier": "email:family@x.org",
        "strong_ids": 2,
        "claimed_by_others": 0,
    }
    unmerge(shop, *review["suggested_split"]["identifiers"])

    for name, before in people.items():
        now = get(shop, f"user_id:{name}")
        assert now["profile_id"] == before["profile_id"]
        assert ids(now) - {"email:family@x.org"} == ids(before)
        assert {k: v for k, v in now["traits"].items() if k != "email"} == before["traits"]
        assert now["groups"] == before["groups"]
    claimed = shop.send({"type": "identify", "userId": "cat", "traits": {"email": "family@x.org"}})[0]
    assert not claimed["demoted"] or claimed["demoted"][0]["reason"] == "limit:user_id"


def test_values_that_others_claim(shop: Shop) -> None:
    """An identifier that other people were refused is over-connected, across the space."""
    for name in ("ann", "bob", "cat"):
        shop.send({"type": "identify", "userId": name, "traits": {"email": "team@x.org"}})
    crowded = graph(shop, "user_id:ann")["review"]["over_connected"]
    assert crowded == [{"identifier": "email:team@x.org", "strong_ids": 1, "claimed_by_others": 2}]


def test_the_picture_is_chosen_by_media_type_and_runs_nothing(shop: Shop) -> None:
    """Its title names the profile and counts its identifiers."""
    for n in range(40):
        shop.send({"type": "identify", "userId": "u1", "anonymousId": f"<a{n}>"})
    asked = {"Accept": "image/svg+xml"}

    answer = shop.ask("GET", "/v1/profiles/user_id%3Au1/graph", headers=asked)

    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    words = " ".join(ET.fromstring(answer.text).itertext())
    assert "41 identifiers" in words
    assert "anonymous_id:<a7>" in words
    assert shop.ask("GET", "/v1/profiles/user_id%3Anobody/graph", headers=asked).status_code == 404


def test_two_people_are_explained_as_two(shop: Shop) -> None:
    """With the ids of both, and the reason that is recorded."""
    shop.send({"type": "identify", "userId": "u1", "traits": {"email": "a@b.org"}})
    shop.send({"type": "identify", "userId": "u2", "traits": {"email": "a@b.org"}})
    shop.send({"type": "identify", "userId": "u3", "anonymousId": "a3"})
    shop.send({"type": "identify", "userId": "null", "anonymousId": "a4"})
    unmerged = {"identifiers": ["anonymous_id:a3"]}
    assert shop.ask("POST", "/v1/profiles/unmerge", json=unmerged).status_code == 200
    ids = {name: get(shop, f"user_id:{name}")["profile_id"] for name in ("u1", "u2", "u3")}

    def why(start: str, end: str, of: str | None = None) -> str:
        answer = explained(shop, of or start, start, end)
        assert (answer.status_code, answer.json()["code"]) == (409, "not_linked")
        return str(answer.json()["detail"])

    shared = why("user_id:u2", "email:a@b.org")
    assert f"`from` belongs to {ids['u2']} and `to` to {ids['u1']}" in shared
    assert "named the identifier in `to`, which was demoted: limit:user_id." in shared
    assert "named the identifier in `from`, which was demoted: limit:user_id." in why("email:a@b.org", "user_id:u2")
    assert "named email of the profile in `from`, which was demoted: limit:user_id" in why("user_id:u1", "user_id:u2")
    assert "No stored call names both." in why("user_id:u1", "user_id:u3")
    assert "An unmerge keeps the two profiles apart" in why("user_id:u3", "anonymous_id:a3")
    assert why("user_id:u1", "user_id:nobody") == "The identifier in `to` is on no profile."
    assert why("user_id:null", "user_id:nobody", "user_id:u1") == (
        "The identifier in `from` is blocked, so it links nobody, and the identifier in `to` is on no profile."
    )
    other = why("user_id:u3", "user_id:u3", "user_id:u1")
    assert other == f"Both identifiers belong to {ids['u3']}; ask for that profile."
