"""Attacks 25 to 42: placeholder identifiers, too many identifiers, and identifiers of other people.

What counts is the effect: nobody is linked who should not be, and the rest of the call stands.
"""

import uuid
from typing import Any
from urllib.parse import quote

import pytest

from tests.app.conftest import Shop, Suppress


def found(shop: Shop, ref: str) -> dict[str, Any] | None:
    """A profile by an identifier of any spelling; None where there is none or the ref can be none."""
    answer = shop.ask("GET", f"/v1/profiles/{quote(ref, safe=':')}", "profiles")
    assert answer.status_code in (200, 400, 404), answer.text
    return dict(answer.json()) if answer.status_code == 200 else None


def held(profile: dict[str, Any] | None) -> set[str]:
    """The identifiers of a profile."""
    assert profile is not None
    return {f"{each['type']}:{each['value']}" for each in profile["identifiers"]}


def one(shop: Shop, **call: Any) -> dict[str, Any]:
    """The outcome of one call."""
    return shop.send({"type": "track", "event": "e", **call})[0]


def reasons(outcome: dict[str, Any]) -> set[str]:
    """Why identifiers were not linked."""
    return {each["reason"] for each in outcome["demoted"]}


@pytest.mark.parametrize(
    "nobody",
    ["", "   ", "null", "undefined", "0", "[object Object]", "00000000-0000-0000-0000-000000000000", "-1", "NaN"],
)
def test_attack_25_a_placeholder_id_merges_nobody(shop: Shop, nobody: str) -> None:
    """Two strangers with the same placeholder id stay two profiles; their calls are stored."""
    outcomes = [one(shop, userId=nobody, anonymousId=f"device-{at}") for at in range(2)]

    assert [each["status"] for each in outcomes] == ["accepted"] * 2
    assert outcomes[0]["profile_id"] != outcomes[1]["profile_id"]
    assert held(found(shop, "anonymous_id:device-0")) == {"anonymous_id:device-0"}


def test_attack_26_a_too_long_id_is_no_identifier(shop: Shop) -> None:
    """An id beyond the limit is no identifier, and is not cut to equal another one."""
    outcomes = [one(shop, userId="x" * 1_025 + str(at), anonymousId=f"device-{at}") for at in range(2)]

    assert outcomes[0]["profile_id"] != outcomes[1]["profile_id"]
    assert held(found(shop, "anonymous_id:device-0")) == {"anonymous_id:device-0"}
    assert found(shop, "user_id:" + "x" * 1_024) is None


@pytest.mark.parametrize("sign", ["\u202e", "\u200b", "\u2066", "\ufeff", "\x07", "\x7f"])
def test_attack_27_signs_that_are_not_seen(shop: Shop, sign: str) -> None:
    """An id that looks like another's is nobody's."""
    one(shop, userId="ann")
    outcome = one(shop, userId=f"a{sign}nn", anonymousId="device")

    assert outcome["status"] == "accepted"
    assert held(found(shop, "anonymous_id:device")) == {"anonymous_id:device"}
    assert held(found(shop, "user_id:ann")) == {"user_id:ann"}


def test_attack_28_composed_and_decomposed(shop: Shop) -> None:
    """Two ways to write the same letter are one address."""
    ids = {
        shop.send({"type": "identify", "traits": {"email": email}})[0]["profile_id"]
        for email in ("ren\u00e9@example.org", "rene\u0301@example.org")
    }
    assert len(ids) == 1


def test_attack_29_a_dotless_i_is_another_letter(shop: Shop) -> None:
    """Case folding is the same in every locale; a dotless i never equals an i."""
    emails = ["i@example.org", "I@example.org", "\u0131@example.org", "\u0130@example.org"]
    ids = [shop.send({"type": "identify", "traits": {"email": email}})[0]["profile_id"] for email in emails]

    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_attack_30_look_alike_domains(shop: Shop) -> None:
    """A Cyrillic letter in a domain makes another domain."""
    emails = ["ann@apple.com", "ann@\u0430pple.com"]
    ids = {shop.send({"type": "identify", "traits": {"email": email}})[0]["profile_id"] for email in emails}

    assert len(ids) == 2


def test_attack_31_case_of_an_address(shop: Shop) -> None:
    """Case is folded in an address, and kept in a user id."""
    emails = {shop.send({"type": "identify", "traits": {"email": e}})[0]["profile_id"] for e in ("a@b.co", "A@B.CO")}
    users = {one(shop, userId=user)["profile_id"] for user in ("Ann", "ann")}

    assert (len(emails), len(users)) == (1, 2)


def test_attack_32_a_phone_without_country(shop: Shop) -> None:
    """What may be many numbers is none; the call stands."""
    for phone in ("12345", "call me", "++1", "0"):
        outcome = shop.send({"type": "identify", "userId": f"u-{phone}", "traits": {"phone": phone}})[0]
        assert outcome["status"] == "accepted"
        assert held(found(shop, f"user_id:u-{phone}")) == {f"user_id:u-{phone}"}


def test_attack_33_a_number_for_an_id(shop: Shop) -> None:
    """123 and "123" are one id; a float that rounds is none."""
    ids = {one(shop, userId=user)["profile_id"] for user in (123, "123", 123.0)}
    outcome = one(shop, userId=1e300, anonymousId="device")

    assert len(ids) == 1
    assert held(found(shop, "anonymous_id:device")) == {"anonymous_id:device"}
    assert outcome["status"] == "accepted"


@pytest.mark.parametrize("value", [{}, [], ["ann"], {"$ne": None}, True, False])
def test_attack_34_an_object_for_an_id(shop: Shop, value: object) -> None:
    """What is neither text nor number names nobody."""
    outcome = one(shop, userId=value, anonymousId="device")

    assert outcome["status"] == "accepted"
    assert held(found(shop, "anonymous_id:device")) == {"anonymous_id:device"}


def test_attack_35_a_thousand_identifiers(shop: Shop) -> None:
    """A call with so many is rejected, its neighbour kept, and nothing of it linked."""
    many = [{"id": at, "type": "crm"} for at in range(1_000)]
    outcomes = shop.send(
        {"type": "track", "event": "E", "userId": "u1", "context": {"externalIds": many}},
        {"type": "track", "event": "E", "userId": "u2"},
    )

    assert [(each["status"], each["reason"]) for each in outcomes] == [
        ("rejected", "too_many_identifiers"),
        ("accepted", None),
    ]
    assert found(shop, "crm:0") is None


def test_attack_36_a_shared_inbox(shop: Shop) -> None:
    """Hundreds of users with one address stay hundreds of people."""
    users = [f"user-{at}" for at in range(300)]
    calls = [{"type": "identify", "userId": user, "traits": {"email": "office@example.org"}} for user in users]
    outcomes = shop.send(*calls)

    assert len({each["profile_id"] for each in outcomes}) == len(users)
    assert held(found(shop, "email:office@example.org")) == {"user_id:user-0", "email:office@example.org"}
    assert reasons(outcomes[1]) == {"limit:user_id"}


def test_attack_37_alias_to_itself(shop: Shop) -> None:
    """It changes nothing."""
    one(shop, userId="a")
    outcome = shop.send({"type": "alias", "userId": "a", "previousId": "a"})[0]

    assert outcome["status"] == "accepted"
    assert held(found(shop, "user_id:a")) == {"user_id:a"}


def test_attack_38_a_ring_of_aliases(shop: Shop) -> None:
    """It ends, in one person."""
    for to, previous in (("b", "a"), ("c", "b"), ("a", "c")):
        assert shop.send({"type": "alias", "userId": to, "previousId": previous})[0]["status"] == "accepted"

    assert held(found(shop, "user_id:a")) >= {"user_id:a", "user_id:b"}


def test_attack_39_alias_to_somebody_erased(shop: Shop, suppress: Suppress) -> None:
    """It brings nobody back, and leaves no trace of the id."""
    suppress(shop, "user_id", "gone")
    outcome = shop.send({"type": "alias", "userId": "ann", "previousId": "gone"})[0]

    assert found(shop, "user_id:gone") is None
    assert held(found(shop, "user_id:ann")) == {"user_id:ann"}
    assert "gone" not in shop.ask("GET", "/v1/profiles/user_id:ann/history").text
    assert outcome["status"] == "accepted"


def test_attack_40_a_public_key_reads_nothing(shop: Shop) -> None:
    """The key that every browser knows opens no profile, and its answers hold no outcomes."""
    shop.send({"type": "identify", "userId": "ann", "traits": {"email": "ann@example.org"}})
    for path in ("/v1/profiles/email:ann@example.org", "/v1/profiles", "/v1/groups/g", "/v1/rejections"):
        assert shop.ask("GET", path, "write").status_code == 403
    lookup = {"identifiers": ["email:ann@example.org"]}
    assert shop.ask("POST", "/v1/profiles/lookup", "write", json=lookup).status_code == 403
    prefer = {"Prefer": "return=representation"}
    call = {"userId": "ann", "event": "e"}
    assert shop.ask("POST", "/v1/track", "write", json=call, headers=prefer).json() == {"success": True}


def test_attack_41_known_or_not_answers_alike(shop: Shop, suppress: Suppress) -> None:
    """Who is not there, who never was and who must not be there again answer alike, to the last byte."""
    suppress(shop, "user_id", "gone")
    shop.send({"type": "track", "event": "E", "userId": "gone"})
    answers = [
        shop.ask("GET", f"/v1/profiles/{ref}", "profiles")
        for ref in (
            "user_id:nobody",
            "user_id:gone",
            f"user_id:{uuid.uuid4()}",
            "email:no@example.org",
            f"prf_{'0' * 32}",
        )
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert len({tuple(sorted(set(answer.headers) - {"date"})) for answer in answers}) == 1
