"""Attacks 123 to 127 and 131: work that a client without a key, or with a public one, makes the server do for all.

Each test shows the bound by what is answered, since times depend on the machine.
"""

import gzip
import json
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.app.conftest import Shop, new_shop
from tests.conftest import Running
from tests.support.http.attacked_shop import call, nobody, refused

FLOATS = b'{"batch":[' + b",".join([b"1e308"] * 85_000) + b"]"


def _unkeyed(shop: Shop, body: bytes, **headers: str) -> httpx.Response:
    return shop.client.post("/v1/batch", content=body, headers=headers)


@pytest.mark.parametrize("key", [b"", b'"writeKey":"of_unknown",', b'"writeKey":"not a key",', b'"writeKey":7,'])
def test_attack_123_a_body_without_a_known_key_is_not_parsed(shop: Shop, key: bytes) -> None:
    """No fault of the body is found: the answer to a broken body is that of a whole one."""
    for body in (b"{" + key + b'"batch":[', b"{" + key + b'"batch":[01]}', b"{" + key + FLOATS[1:] + b"}"):
        assert refused(_unkeyed(shop, body), 401) == "invalid_write_key"
    broken = '{"writeKey":"' + shop.keys["write"] + '","batch":[01]}'
    assert refused(_unkeyed(shop, broken.encode())) == "invalid_json"


def test_attack_123_an_unknown_key_in_the_header_is_refused_before_the_body(shop: Shop) -> None:
    """Whatever the body and its encoding are."""
    headers = {"Authorization": "Bearer of_unknown", "Content-Encoding": "br"}

    assert refused(_unkeyed(shop, b"x", **headers), 401) == "invalid_write_key"


def test_attack_123_the_key_of_a_mended_body_is_that_of_its_parse(shop: Shop, other_shop: Shop) -> None:
    """A key that a body only mentions lets nobody in as its owner."""
    mentioned = {"event": "E", "userId": "u1", "properties": {"writeKey": shop.keys["write"], "lost": float("nan")}}
    body = json.dumps({"batch": [{"type": "track", **mentioned}]})
    whole = body.replace('{"batch"', '{"writeKey": "' + other_shop.keys["write"] + '", "batch"')

    assert refused(_unkeyed(shop, body.encode()), 401) == "invalid_write_key"
    assert nobody(shop)
    assert _unkeyed(shop, whole.encode()).status_code == 200
    assert nobody(shop)
    assert not nobody(other_shop)


def test_attack_124_a_body_that_inflates_too_much(shop: Shop) -> None:
    """812 bytes that hold 85,000 floats are not inflated; such a body is listed for the key that sent it."""
    bomb = gzip.compress(FLOATS + b"}", 9)
    assert len(bomb) < 1_000

    answer = shop.ask("POST", "/v1/batch", "write", content=bomb, headers={"Content-Encoding": "gzip"})

    assert refused(answer) == "inflates_too_much"
    assert [each["reason"] for each in shop.ask("GET", "/v1/rejections").json()["rejections"]] == ["inflates_too_much"]


def test_attack_124_an_ordinary_batch_inflates(shop: Shop) -> None:
    """A full batch of an SDK, where most of every call repeats the one before."""
    seed = random.Random(3)
    context = {"userAgent": "Mozilla/5.0 (X11; Linux x86_64)" * 4, "flags": {f"flag-{n}": True for n in range(20)}}
    calls = [
        {"type": "track", "event": "E", "userId": "u1", "messageId": seed.randbytes(16).hex(), "context": context}
        for _ in range(600)
    ]
    body = gzip.compress(json.dumps({"batch": calls}).encode(), 9)

    answer = shop.ask("POST", "/v1/batch", "write", content=body, headers={"Content-Encoding": "gzip"})

    assert answer.status_code == 200
    assert shop.ask("GET", "/v1/profiles/user_id:u1").json()["event_count"] == len(calls)


def test_attack_125_an_address_without_a_key_has_a_budget(server: Callable[..., Running]) -> None:
    """Large bodies are refused for a second; a key in the header, and a small body with a key, are served."""
    running = server(ONEFOLD_UNKNOWN_KEY_KIB="100", ONEFOLD_WORKERS="1")
    large = {"event": "E", "userId": "u1", "properties": {"text": "x" * 20_000}}
    with httpx.Client(base_url=running.url, timeout=60) as client:
        shop = new_shop(client, {"Authorization": f"Bearer {running.admin_token}"})
        keyed = json.dumps({**large, "writeKey": shop.keys["write"]}).encode()
        assert client.post("/v1/track", content=keyed).status_code == 200
        codes: set[str] = set()
        while "rate_limited" not in codes:
            codes |= {_unkeyed(shop, gzip.compress(bytes(200_000)), **{"Content-Encoding": "gzip"}).json()["code"]}
            refusal = client.post("/v1/track", content=keyed)
            if refusal.status_code == 429:
                codes.add(refused(refusal, 429))
        small = call(writeKey=shop.keys["write"])
        headers = {"Authorization": f"Bearer {shop.keys['write']}"}
        assert client.post("/v1/track", content=small).status_code == 200
        assert client.post("/v1/track", content=keyed, headers=headers).status_code == 200


def _phones(count: int) -> dict[str, object]:
    return {"externalIds": [{"type": "phone", "id": "+" * 240 + str(at)} for at in range(count)]}


def test_attack_126_many_identifiers_of_a_public_key(shop: Shop) -> None:
    """A call of a public key has 20 at most, wherever they stand; its neighbours are kept."""
    calls = [
        {"type": "track", "event": "E", "userId": "u1", "context": _phones(99)},
        {"type": "track", "event": "E", "userId": "u2", "context": _phones(19)},
    ]
    assert shop.ask("POST", "/v1/batch", "write", json={"batch": calls}).status_code == 200

    listed = shop.ask("GET", "/v1/rejections").json()["rejections"]
    assert [each["reason"] for each in listed if each["reason"] == "too_many_identifiers"] == ["too_many_identifiers"]
    assert shop.ask("GET", "/v1/profiles/user_id:u1").status_code == 404
    assert shop.ask("GET", "/v1/profiles/user_id:u2").status_code == 200


def test_attack_126_many_identifiers_in_the_context_of_a_batch(shop: Shop) -> None:
    """A context beside the batch counts for each of its calls."""
    calls = [{"type": "track", "event": "E", "userId": f"u{at}"} for at in range(3)]
    answer = shop.ask("POST", "/v1/batch", "write", json={"batch": calls, "context": _phones(21)})

    assert answer.status_code == 200
    assert nobody(shop)
    large = {"batch": calls, "context": {"text": "x" * 32_750}}
    assert shop.ask("POST", "/v1/batch", "write", json=large).status_code == 200
    assert nobody(shop)
    reasons = [each["reason"] for each in shop.ask("GET", "/v1/rejections").json()["rejections"]]
    assert sorted(set(reasons)) == ["too_large", "too_many_identifiers"]


def test_attack_126_a_server_key_may_send_more(shop: Shop) -> None:
    """A server is known, and moves people with many ids."""
    many = {"externalIds": [{"type": "crm", "id": f"c{at}"} for at in range(50)]}
    (outcome,) = shop.send({"type": "identify", "userId": "u1", "context": many})

    assert outcome["status"] == "accepted"


def test_attack_127_a_profile_of_any_number_of_identifiers(shop: Shop) -> None:
    """By default a profile has 100 browsers and 20 values of each custom type; the rest stays outside it."""
    calls: list[dict[str, object]] = [
        {"type": "identify", "userId": "u1", "anonymousId": f"a{at}"} for at in range(130)
    ]
    more = [{"type": "crm", "id": f"c{at}"} for at in range(15)]
    calls += [{"type": "identify", "userId": "u1", "context": {"externalIds": more[at::3] * 2}} for at in range(3)]
    assert shop.ask("POST", "/v1/batch", "import", json={"batch": calls}).status_code == 200

    held = [each["type"] for each in shop.ask("GET", "/v1/profiles/user_id:u1").json()["identifiers"]]

    assert (held.count("anonymous_id"), held.count("crm")) == (100, 15)
    rules = shop.ask("GET", "/v1/rules").json()
    assert rules["max_identifiers"] == 1_000


def test_attack_131_guesses_in_many_lookups_at_once(server: Callable[..., Running]) -> None:
    """A known person in each of them keeps no lookup from being counted before it is done."""
    running = server(ONEFOLD_MISS_RATE="1", ONEFOLD_WORKERS="1")
    with httpx.Client(base_url=running.url, timeout=60) as client:
        shop = new_shop(client, {"Authorization": f"Bearer {running.admin_token}"})
        assert client.post("/v1/track", content=call(writeKey=shop.keys["write"])).status_code == 200

        def look_up(at: int) -> int:
            guesses = [f"user_id:guess-{at}-{nr}" for nr in range(9)]
            answer = shop.ask("POST", "/v1/profiles/lookup", "profiles", json={"identifiers": ["user_id:u1", *guesses]})
            return 9 if answer.status_code == 200 else 0

        started = time.monotonic()
        with ThreadPoolExecutor(20) as pool:
            guessed = sum(pool.map(look_up, range(20)))
        windows = time.monotonic() - started + 2

    assert guessed <= 10 * windows
