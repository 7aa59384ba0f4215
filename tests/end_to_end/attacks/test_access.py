"""Attacks 108, 112 to 114, 118 to 120 and 122: invalid keys, and text that poses as code."""

import base64
import json
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest

from tests.app.conftest import Shop, log_of
from tests.conftest import Running

PROFILE = "/v1/profiles/user_id:u1"


@pytest.mark.parametrize("place", ["nowhere", "query", "cookie", "scheme", "other header", "twice"])
def test_attack_108_a_key_in_the_wrong_place(shop: Shop, place: str) -> None:
    """Only the Authorization header counts; a key in an address would lie in every log."""
    key = shop.keys["profiles"]
    ways: dict[str, Any] = {
        "nowhere": {},
        "query": {"params": {"token": key, "access_token": key, "key": key, "writeKey": key}},
        "cookie": {"headers": {"Cookie": f"token={key}"}},
        "scheme": {"headers": {"Authorization": f"Token {key}"}},
        "other header": {"headers": {"X-Api-Key": key}},
        "twice": {"headers": {"Authorization": f"Bearer {key} {key}"}},
    }
    answer = shop.client.get(PROFILE, **ways[place])

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_attack_112_a_public_key_on_the_profile_api(shop: Shop) -> None:
    """The key of every browser reads nothing, on either surface."""
    api = f"/v1/spaces/{shop.space_id}/collections/users/profiles/user_id:u1/traits"
    for path in (PROFILE, api, f"{api.rpartition('/')[0]}/events", "/v1/groups/g"):
        assert shop.ask("GET", path, "write").status_code == 403


def _jwt(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part(header)}.{part(claims)}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


@pytest.mark.parametrize(
    "token",
    [
        _jwt({"alg": "none"}, {"scope": "admin"}),
        _jwt({"alg": "HS256", "kid": "../../etc/passwd"}, {"aud": "onefold"}, b"x" * 32),
        _jwt({"alg": "RS256"}, {"space_id": 1, "scopes": ["admin"]}, b"x" * 256),
        "of_../../_x_y",
        "null",
        "x",
    ],
)
def test_attack_113_tokens_of_others(shop: Shop, token: str) -> None:
    """No token but our keys means anything here; collection then asks for the key in the body."""
    headers = {"Authorization": f"Bearer {token}"}
    assert shop.client.get(PROFILE, headers=headers).status_code == 401
    assert shop.client.post("/v1/track", json={"event": "E", "userId": "u1"}, headers=headers).status_code == 401


def test_attack_114_names_that_are_ours(shop: Shop, other_shop: Shop) -> None:
    """What a body claims of space, profile or time of making is a text among others."""
    ours = {
        "space_id": other_shop.space_id,
        "profile_id": "prf_" + "0" * 32,
        "created_at": "1999-01-01T00:00:00Z",
        "version": 99,
        "__proto__": {"admin": True},
        "constructor": {"prototype": {"admin": True}},
    }
    outcome = shop.send({"type": "identify", "userId": "u1", "traits": ours, **ours})[0]
    found = shop.ask("GET", PROFILE).json()

    assert outcome["profile_id"] == found["profile_id"] != ours["profile_id"]
    assert not found["created_at"].startswith("1999")
    assert found["version"] < 99
    assert found["traits"] == ours
    assert other_shop.ask("GET", PROFILE).status_code == 404
    refused = shop.ask("POST", "/v1/keys", json={"name": "k", "scopes": ["write"], **ours})
    assert (refused.status_code, "space_id" in refused.json()["detail"]) == (422, True)


META = [
    "'; DROP TABLE profile; --",
    "%",
    "_",
    "a\\",
    "' OR '1'='1",
    '"; --',
    "x$1",
    "x{7*7}",
    "x$x",
    "a*",
    "a%b_c\\d",
]


@pytest.mark.parametrize("text", ["x{{7*7}}", "x${x}"])
def test_attack_118_a_template_of_a_program_names_nobody(shop: Shop, text: str) -> None:
    """It is no id and no group, and nothing evaluates it."""
    assert shop.send({"type": "identify", "userId": text, "traits": {"plan": text}})[0]["status"] == "unresolved"
    assert shop.send({"type": "group", "userId": "ann", "groupId": text})[0]["status"] == "accepted"
    found = shop.ask("GET", "/v1/profiles/user_id:ann").json()
    assert (found["groups"], found["traits"]) == ([], {})


@pytest.mark.parametrize("text", META)
def test_attack_118_patterns_match_only_themselves(shop: Shop, text: str, rows: psycopg.Connection[Any]) -> None:
    """Characters of patterns are plain letters in every field, and match nothing but themselves."""
    call = {
        "type": "identify",
        "userId": text,
        "anonymousId": f"a{text}",
        "messageId": text,
        "traits": {text: text, "email": f"{text}@example.org"},
        "context": {"externalIds": [{"id": text, "type": "crm"}], "consent": {"categoryPreferences": {text: True}}},
    }
    other = {**call, "userId": "somebody", "anonymousId": "else", "messageId": "m", "context": {}, "traits": {}}
    assert [each["status"] for each in shop.send(call, other)] == ["accepted"] * 2
    group = {"type": "group", "userId": text, "groupId": text, "traits": {text: text}}
    assert shop.send(group)[0]["status"] == "accepted"

    part = quote(text, safe="")
    found = shop.ask("GET", f"/v1/profiles/user_id:{part}").json()
    assert found["traits"][text] == text
    assert found["groups"] == [text]
    assert found["event_count"] == 2
    assert shop.ask("GET", f"/v1/groups/{part}").json()["member_count"] == 1
    api = f"/v1/spaces/{shop.space_id}/collections/users/profiles"
    assert shop.ask("GET", f"{api}/user_id:{part}/traits", params={"include": text}).json()["traits"] == {text: text}
    assert shop.ask("GET", f"{api}/user_id:{part}/events", params={"include": text}).json()["data"] == []
    assert len(shop.ask("GET", "/v1/profiles").json()["profiles"]) == 2
    counted = rows.execute("SELECT count(*) FROM profile").fetchone()
    assert counted is not None
    assert counted[0] >= 2


def test_attack_119_forged_log_lines(shop: Shop, live: Running) -> None:
    """No id and no path gets into a log line, so none can forge one."""
    forged = 'x\r\n{"event":"forged-by-a-caller"}'
    shop.send({"type": "track", "event": "E", "userId": forged, "messageId": forged})
    shop.ask("GET", f"/v1/profiles/user_id:{quote(forged, safe='')}")
    shop.ask("GET", f"/v1/profiles/{quote(forged, safe='')}/history?cursor={quote(forged)}")
    shop.ask("POST", "/v1/keys", json={"name": forged, "scopes": [forged]})
    shop.client.post("/v1/track", content=forged.encode(), headers={"Authorization": "Bearer forged-by-a-caller"})

    assert "forged-by-a-caller" not in log_of(live).read_text()


@pytest.mark.parametrize("origin", ["null", "https://evil.example", "https://shop.example.evil.example"])
def test_attack_120_a_page_with_credentials(shop: Shop, origin: str) -> None:
    """No page of another origin may read a profile; and where pages may send, no cookie means anything."""
    shop.send({"type": "track", "event": "E", "userId": "u1"})
    read = shop.ask("GET", PROFILE, headers={"Origin": origin, "Cookie": f"key={shop.keys['admin']}"})
    assert not [name for name in read.headers if name.startswith("access-control-")]
    sent = shop.client.post(
        "/v1/track",
        json={"event": "E", "userId": "u1"},
        headers={"Origin": origin, "Cookie": f"writeKey={shop.keys['write']}"},
    )
    assert sent.status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/docs/",
        "/docs/oauth2-redirect.html/",
        "/redoc",
        "/debug",
        "/debug/pprof",
        "/metrics",
        "/.env",
        "/.git/config",
        "/admin",
        "/server-status",
    ],
)
def test_attack_122_doors_that_are_left_open(client: httpx.Client, shop: Shop, path: str) -> None:
    """Nothing is there without the operator's token, whatever key of a space is shown."""
    statuses = {client.get(path).status_code, shop.ask("GET", path).status_code}

    assert statuses <= {401, 404}
