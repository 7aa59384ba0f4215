"""Attacks 66, 69 to 75, 86 and 87: erased people who return, races with erasures, and altered receipts."""

import hashlib
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.app.conftest import Shop
from tests.conftest import ROOT
from tests.support.privacy.opendsr_requests import ask as ask_dsr
from tests.support.privacy.opendsr_requests import identity, request

ROUNDS, MANY = 25, 10_000
Rows = psycopg.Connection[Any]


def erase(shop: Shop, *identifiers: str, **wanted: Any) -> list[dict[str, Any]]:
    """Erasures that were asked for, as they are followed."""
    body = {"identifiers": list(identifiers), **wanted}
    answer = shop.ask("POST", "/v1/erasures", "privacy", json=body)
    assert answer.status_code == 202, answer.text
    return [
        shop.ask("GET", f"/v1/erasures/{made['erasure_id']}", "privacy").json() for made in answer.json()["erasures"]
    ]


def there(shop: Shop, ref: str) -> dict[str, Any] | None:
    """A profile, or nothing."""
    answer = shop.ask("GET", f"/v1/profiles/{ref}")
    assert answer.status_code in (200, 404), answer.text
    found: dict[str, Any] | None = answer.json() if answer.status_code == 200 else None
    return found


def count(rows: Rows, shop: Shop, table: str) -> int:
    """The rows of a space in a table."""
    query = f"SELECT count(*) FROM {table} t JOIN space s ON s.id = t.space_id WHERE s.public_id = %s"
    (found,) = rows.execute(query.encode(), [shop.space_id.removeprefix("spc_")]).fetchone() or (0,)
    return int(found)


def together(shop: Shop, one: Any, other: Any) -> tuple[httpx.Response, httpx.Response]:
    """Two requests at once, each (method, path, key, body) on a connection of its own."""
    with ThreadPoolExecutor(2) as pool:
        sent = [pool.submit(shop.ask, method, path, key, json=body) for method, path, key, body in (one, other)]
        return sent[0].result(), sent[1].result()


def test_attack_66_the_same_person_twice(shop: Shop) -> None:
    """A second erasure is a request of its own that finds nobody, and changes nothing."""
    shop.send({"type": "identify", "userId": "ann"})
    (first,), (second,) = erase(shop, "user_id:ann"), erase(shop, "user_id:ann")
    assert first["erasure_id"] != second["erasure_id"]
    assert [each["internal"] for each in (first, second)] == ["finished", "finished"]
    assert [each["destroyed"]["keys"] for each in (first, second)] == [1, 0]
    assert shop.send({"type": "identify", "userId": "ann"})[0]["status"] == "suppressed"


@pytest.mark.parametrize("rounds", [ROUNDS, pytest.param(MANY, marks=[pytest.mark.soak, pytest.mark.timeout(7_200)])])
def test_attack_69_erased_while_calls_come_in(shop: Shop, rows: Rows, rounds: int) -> None:
    """Whichever request is first, an erased person and their keys are gone when both are answered."""
    for nr in range(rounds):
        ref = f"user_id:u{nr}"
        call = {"userId": f"u{nr}", "traits": {"n": nr}}
        sent, erased = together(
            shop,
            ("POST", "/v1/identify", "import", call),
            ("POST", "/v1/erasures", "privacy", {"identifiers": [ref]}),
        )
        assert (sent.status_code, erased.status_code) == (200, 202)
        assert there(shop, ref) is None
    assert [count(rows, shop, table) for table in ("profile", "subject_key", "evidence", "identifier")] == [0] * 4
    assert count(rows, shop, "suppression") == rounds


def test_attack_70_erased_while_they_merge(shop: Shop) -> None:
    """One who is erased just as a call merges them is gone; the other is whole without a trace of them, or gone too."""
    outcomes = set()
    for nr in range(ROUNDS):
        ann, bob = f"ann{nr}", f"bob{nr}"
        shop.send(
            {"type": "identify", "userId": ann, "traits": {"secret": "of-ann"}},
            {"type": "identify", "anonymousId": bob, "traits": {"plan": "of-bob"}},
        )
        sent, erased = together(
            shop,
            ("POST", "/v1/identify", "import", {"userId": ann, "anonymousId": bob}),
            ("POST", "/v1/erasures", "privacy", {"identifiers": [f"user_id:{ann}"]}),
        )
        assert (sent.status_code, erased.status_code) == (200, 202)
        assert there(shop, f"user_id:{ann}") is None
        left = there(shop, f"anonymous_id:{bob}")
        outcomes.add(left is None)
        if left is not None:
            assert (left["traits"], left["merged_from"]) == ({"plan": "of-bob"}, [])
            assert [each["value"] for each in left["identifiers"]] == [bob]
            history = shop.ask("GET", f"/v1/profiles/{left['profile_id']}/history")
            assert ann not in history.text
    assert outcomes


def test_attacks_71_and_72_calls_from_before_an_erasure_stay_out(shop: Shop) -> None:
    """A call from before an erasure stays out, however late it comes; a later call makes a new profile."""
    shop.send({"type": "identify", "userId": "ann", "traits": {"plan": "pro"}})
    old = there(shop, "user_id:ann")
    assert old
    erase(shop, "user_id:ann", suppress=False)
    late = {"type": "track", "event": "E", "userId": "ann", "timestamp": "2026-01-02T03:04:05Z"}
    now = datetime.now(UTC).isoformat()
    assert [outcome["status"] for outcome in shop.send(late, {**late, "sentAt": now})] == ["suppressed", "suppressed"]
    assert there(shop, "user_id:ann") is None
    shop.send({"type": "identify", "userId": "ann", "traits": {"theme": "dark"}})
    new = there(shop, "user_id:ann")
    assert new
    assert new["profile_id"] != old["profile_id"]
    assert (new["traits"], new["event_count"], new["merged_from"]) == ({"theme": "dark"}, 1, [])
    history = shop.ask("GET", "/v1/profiles/user_id:ann/history").json()["history"]
    assert {line["profile_id"] for line in history} == {new["profile_id"]}
    assert shop.ask("GET", f"/v1/profiles/{old['profile_id']}").status_code == 404


def test_attacks_73_and_74_a_suppressed_person_is_not_stored(shop: Shop, rows: Rows) -> None:
    """A browser gets the usual answer and nothing is stored; after the lift a new profile begins."""
    shop.send({"type": "identify", "userId": "ann", "traits": {"plan": "pro"}})
    erase(shop, "user_id:ann")
    sent = shop.ask("POST", "/v1/identify", "write", json={"userId": "ann", "traits": {"plan": "again"}})
    assert (sent.status_code, sent.json()) == (200, {"success": True})
    assert [count(rows, shop, table) for table in ("profile", "subject_key", "evidence", "event")] == [0] * 4
    regulation = {"regulationType": "UNSUPPRESS", "subjectType": "USER_ID", "subjectIds": ["ann"]}
    assert shop.ask("POST", "/v1/regulations", "privacy", json=regulation).status_code == 200
    assert there(shop, "user_id:ann") is None
    shop.send({"type": "identify", "userId": "ann", "traits": {"theme": "dark"}})
    assert (there(shop, "user_id:ann") or {})["traits"] == {"theme": "dark"}


def test_attack_75_too_late_to_cancel(shop: Shop) -> None:
    """No API cancels an erasure that has begun to destroy; its status stays as before."""
    regulation = {"regulationType": "SUPPRESS_WITH_DELETE", "subjectType": "USER_ID", "subjectIds": ["ann"]}
    made = shop.ask("POST", "/v1/regulations", "privacy", json=regulation).json()["data"]["regulateId"]
    wanted = request(subject_identities=[identity("email", "bob@example.org")])
    assert ask_dsr(shop, wanted).status_code == 201
    for path in (f"/v1/regulations/{made}", f"/opendsr/v1/opendsr_requests/{wanted['subject_request_id']}"):
        before = shop.ask("GET", path, "privacy").json()
        assert shop.ask("DELETE", path, "privacy").status_code == 409
        assert shop.ask("GET", path, "privacy").json() == before


def test_attack_86_a_receipt_that_was_altered(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever byte of it is another one, the published script says no."""
    shop.send({"type": "identify", "userId": "ann"})
    (erased,) = erase(shop, "user_id:ann", regulation="gdpr")
    proof = shop.ask("GET", f"/v1/erasures/{erased['erasure_id']}/receipt", "privacy").content
    receipt, keys = tmp_path / "receipt.json", tmp_path / "keys.json"
    keys.write_bytes(shop.client.get("/.well-known/onefold-keys.json").content)
    monkeypatch.setattr(sys, "argv", ["verify", str(receipt), str(keys)])

    script = compile((ROOT / "docs" / "verify_receipt.py").read_text(), "verify_receipt.py", "exec")

    def valid(text: bytes) -> bool:
        receipt.write_bytes(text)
        try:
            exec(script, {})
        except SystemExit as verdict:
            return not str(verdict).startswith("NOT VALID")
        return True

    assert valid(proof)
    for at in range(len(proof)):
        altered = bytearray(proof)
        altered[at] ^= 1 << at % 3
        assert not valid(bytes(altered)), proof[at - 10 : at + 10]


def test_attack_87_a_key_twice(shop: Shop, rows: Rows) -> None:
    """What Postgres says of a key that is there already holds no identifier, and no hash that anybody could try."""
    shop.send({"type": "identify", "userId": "ann-87", "traits": {"email": "ann-87@example.org"}})
    twice = (
        "INSERT INTO identifier SELECT i.* FROM identifier i JOIN space s ON s.id = i.space_id WHERE s.public_id = %s"
    )
    with pytest.raises(psycopg.errors.UniqueViolation) as refused:
        rows.execute(twice, [shop.space_id.removeprefix("spc_")])
    message = f"{refused.value} {refused.value.diag.message_detail}"
    assert "duplicate key value" in message
    for value in ("ann-87", "ann-87@example.org"):
        digests = [hashlib.new(kind, value.encode()).hexdigest() for kind in ("md5", "sha1", "sha256")]
        assert [each for each in (value, *digests) if each in message] == []
