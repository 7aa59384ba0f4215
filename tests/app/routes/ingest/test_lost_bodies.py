"""A body that cannot be read is listed for its key, and a bad token loses no call beside it."""

import gzip
from typing import Any

import pytest

from tests.app.conftest import Shop

GOOD = b'{"type":"track","userId":"good","event":"E"}'


def send(shop: Shop, body: bytes, path: str = "/v1/batch", key: str | None = "import", **headers: str) -> Any:
    """Post a body as it stands."""
    headers = {"Prefer": "return=representation", **headers}
    if key is None:
        return shop.client.post(path, content=body, headers=headers)
    return shop.ask("POST", path, key, content=body, headers=headers)


def listed(shop: Shop) -> list[dict[str, Any]]:
    """The list of rejections, the newest first."""
    return list(shop.ask("GET", "/v1/rejections", "admin").json()["rejections"])


@pytest.mark.parametrize("token", [b"NaN", b"-Infinity", b"1e400", b'"caf\xe9"', b'"\\ud800"'])
def test_a_bad_token_loses_one_value_and_no_call(shop: Shop, token: bytes) -> None:
    """The outcome and the list count the lost value."""
    bad = b'{"type":"track","userId":"b","event":"E","messageId":"m","properties":{"x":' + token + b"}}"
    answer = send(shop, b'{"batch":[' + GOOD + b"," + bad + b"]}")

    assert answer.status_code == 200
    assert [(each["status"], each["mended_values"]) for each in answer.json()["outcomes"]] == [
        ("accepted", 0),
        ("accepted", 1),
    ]
    line = listed(shop)[0]
    assert (line["message_id"], line["status"], line["reason"], line["mended_values"]) == (
        "m",
        "accepted",
        "mended_value",
        1,
    )


def test_an_import_with_a_time_that_is_no_number_is_rejected(shop: Shop) -> None:
    """NaN as a time does not become the time of arrival."""
    call = b'{"type":"track","userId":"u","event":"E","timestamp":NaN}'
    outcome = send(shop, b'{"batch":[' + call + b"]}", "/v1/import").json()["outcomes"][0]
    assert (outcome["status"], outcome["reason"]) == ("rejected", "invalid_timestamp")


@pytest.mark.parametrize(
    ("body", "headers", "status", "reason"),
    [
        (b'{"batch":[' + GOOD, {}, 400, "invalid_json"),
        (b'{"batch":[' + GOOD + b",]}", {}, 400, "invalid_json"),
        (b"", {}, 400, "empty_body"),
        (b"[]", {}, 400, "not_an_object"),
        (b'{"batch":{}}', {}, 400, "batch_not_a_list"),
        (b'{"batch":[' + b",".join([b"{}"] * 2_501) + b"]}", {}, 400, "batch_too_long"),
        (b"x" * 512_001, {}, 400, "body_too_large"),
        (gzip.compress(b"{}", mtime=0)[:-4], {"Content-Encoding": "gzip"}, 400, "invalid_gzip"),
        (b"{}", {"Content-Encoding": "br"}, 400, "unsupported_encoding"),
    ],
    # The bodies make names of half a megabyte.
    ids=["cut off", "comma", "empty", "list", "batch", "long batch", "large", "gzip", "encoding"],
)
def test_a_body_that_is_lost_is_listed(
    shop: Shop, body: bytes, headers: dict[str, str], status: int, reason: str
) -> None:
    """With the reason that the answer gives, and without anything of the body."""
    answer = send(shop, body, **headers)

    assert (answer.status_code, answer.json()["code"]) == (status, reason)
    line = listed(shop)[0]
    assert (line["status"], line["reason"], line["message_id"], line["type"]) == ("rejected", reason, None, None)


def test_a_lost_body_is_listed_for_the_key_inside_it(shop: Shop) -> None:
    """Browsers and phones send the key in the body alone."""
    body = b'{"batch":[{}],"writeKey":"' + shop.keys["write"].encode() + b'","sentAt":'
    before = len(listed(shop))

    assert send(shop, body, key=None).status_code == 400
    assert send(shop, body.replace(b"of_", b"of__"), key=None).status_code == 401
    assert (len(listed(shop)), listed(shop)[0]["reason"]) == (before + 1, "invalid_json")


def test_what_denies_or_proves_beside_a_batch_is_listed_at_each_call(shop: Shop) -> None:
    """Decisions, answers among properties, and a token deny or prove nothing of a call in silence."""
    assert shop.ask("PUT", "/v1/purposes", json={"purposes": [{"id": "Ads", "class": "ads"}]}).status_code == 200
    granting = {"context": {"consent": {"categoryPreferences": {"Ads": True}}}}
    calls = [{"type": "track", "userId": user, "event": "E", **granting} for user in ("u", "v")]
    shop.send(*calls)
    denials: tuple[dict[str, Any], ...] = (
        {"decisions": {"Ads": False}},
        {"properties": {"consentGiven": False}},
        {"context": {"cookies": "CookieConsent=no"}},
    )
    for beside in denials:
        body = {"batch": [{"type": "page", "userId": user} for user in ("u", "v")], **beside}
        answer = shop.ask("POST", "/v1/batch", "import", json=body, headers={"Prefer": "return=representation"})
        for outcome in answer.json()["outcomes"]:
            assert "consent" in outcome["invalid_signals"], beside
            assert outcome["ignored_fields"], beside
        for user in ("u", "v"):
            consent = shop.ask("GET", f"/v1/consent/user_id:{user}", "privacy").json()
            assert consent["purposes"]["Ads"]["granted"] is False, beside
        shop.send(*calls)
    body = {
        "batch": [{"type": "page", "anonymousId": "a"}, {"type": "page", "anonymousId": "b"}],
        "identityToken": "x.y.z",
    }
    assert shop.ask("POST", "/v1/batch", "write", json=body).status_code == 200
    assert [line["ignored_fields"] for line in listed(shop)[:2]] == [
        [{"field": "identityToken", "reason": "misspelt_field"}]
    ] * 2
