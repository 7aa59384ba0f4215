"""A token states something only with a good signature of a key in force, for this space, in its time."""

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.values.calls import MICRO
from identity.values.identity_tokens.claims import TokenClaims, TokenFault
from identity.values.stamps import Micros
from identity.vault.identity_tokens.keys import ALGORITHMS
from identity.vault.identity_tokens.verification import LEEWAY, LONGEST_LIFE, LONGEST_TOKEN, TokenChecker, read_payload
from tests.support.keys.identity_tokens import NOW, PRIVATE, SECRET, SPACE, claims, key_of, pem_of, signed

AT = Micros(NOW * MICRO)
ANN = TokenClaims("ann", "ann@shop.example")


@pytest.fixture
def checker() -> TokenChecker:
    """A checker with a key of each algorithm."""
    return TokenChecker(map(key_of, ALGORITHMS), SPACE)


# A header that names a key, and that a parser without a bound would follow to its end.
DEEP = b'{"alg": "HS256", "kid": "HS256", "x": ' + b"[" * 1_400 + b"]" * 1_400 + b"}"


def encoded(part: Any) -> str:
    """A part of a token."""
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_of_each_algorithm_states_whom_it_names(checker: TokenChecker, algorithm: str) -> None:
    """Also when it comes again, from memory; other claims are ignored."""
    token = signed(claims(iss="shop", roles=["admin"], jti=7), algorithm)
    assert checker.check(token, AT) == checker.check(token, AT) == ANN
    assert checker.check(signed(claims(email=None, phone="+49 30 901820"), algorithm), AT) == TokenClaims(
        "ann", None, "+49 30 901820"
    )


@pytest.mark.parametrize(
    ("token", "fault"),
    [
        (7, TokenFault.NOT_TEXT),
        ({"a": "b"}, TokenFault.NOT_TEXT),
        ("", TokenFault.MALFORMED),
        ("a.b", TokenFault.MALFORMED),
        ("ä.b.c", TokenFault.MALFORMED),
        ("a.b.c", TokenFault.MALFORMED),
        ("." * 2, TokenFault.MALFORMED),
        ("x" * (LONGEST_TOKEN + 1), TokenFault.TOO_LONG),
        (f"{encoded(['HS256'])}.e30.", TokenFault.UNKNOWN_KEY),
        (f"{encoded({'alg': 'HS256', 'kid': 7})}.e30.", TokenFault.UNKNOWN_KEY),
        (f"{encoded(b'[' * 2_000)}.e30.", TokenFault.UNKNOWN_KEY),
        (f"{encoded(DEEP)}.e30.x", TokenFault.MALFORMED),
        (f"{encoded({'alg': 'none', 'kid': 'HS256'})}.{encoded(claims())}.", TokenFault.WRONG_ALGORITHM),
        (f"{encoded({'alg': 'HS256', 'kid': 'HS256'})}.{encoded(claims())}.", TokenFault.BAD_SIGNATURE),
        (signed(claims(), kid=None), TokenFault.UNKNOWN_KEY),
        (signed(claims(), kid="../../etc/passwd"), TokenFault.UNKNOWN_KEY),
        (signed(claims(), key="another secret of thirty-two bytes."), TokenFault.BAD_SIGNATURE),
        (signed(claims(), "HS384", kid="HS256", key=SECRET * 2), TokenFault.WRONG_ALGORITHM),
        (signed(claims(), "RS256", kid="HS256"), TokenFault.WRONG_ALGORITHM),
        (signed(claims(aud=None)), TokenFault.WRONG_AUDIENCE),
        (signed(claims(aud="spc_01")), TokenFault.WRONG_AUDIENCE),
        (signed(claims(aud=["spc_01"])), TokenFault.WRONG_AUDIENCE),
        (signed(claims(exp=None)), TokenFault.NO_EXPIRY),
        (signed(claims(exp="tomorrow")), TokenFault.BAD_CLAIM),
        (signed(claims(exp=True)), TokenFault.BAD_CLAIM),
        (signed(claims(exp=10**300)), TokenFault.BAD_CLAIM),
        (signed(claims(nbf="now")), TokenFault.BAD_CLAIM),
        (signed(claims(exp=NOW)), TokenFault.EXPIRED),
        (signed(claims(iat=NOW - 100_000, exp=NOW + 100)), TokenFault.LIVES_TOO_LONG),
        (signed(claims(iat=None, exp=NOW + 90_000)), TokenFault.LIVES_TOO_LONG),
        (signed(claims(nbf=NOW + 100)), TokenFault.NOT_YET_VALID),
        (signed(claims(iat=NOW + 100)), TokenFault.NOT_YET_VALID),
        (signed(claims(sub=None)), TokenFault.NO_SUBJECT),
        (signed(claims(sub="")), TokenFault.NO_SUBJECT),
        (signed(claims(email=7)), TokenFault.BAD_CLAIM),
        (signed(claims(phone=["+49 30 901820"])), TokenFault.BAD_CLAIM),
    ],
)
def test_a_bad_token_states_nothing_and_has_a_reason(checker: TokenChecker, token: object, fault: TokenFault) -> None:
    """The same at each use."""
    assert [checker.check(token, AT), checker.check(token, AT)] == [fault, fault]


def test_a_public_key_is_no_secret(checker: TokenChecker) -> None:
    """The classic confusion: an HMAC under the text of the public key, which everybody has."""
    import hashlib
    import hmac

    head = f"{encoded({'alg': 'HS256', 'kid': 'RS256'})}.{encoded(claims())}"
    mac = hmac.new(pem_of(PRIVATE["RS256"]).encode(), head.encode(), hashlib.sha256).digest()
    assert checker.check(f"{head}.{encoded(mac)}", AT) == TokenFault.WRONG_ALGORITHM


def test_an_ended_key_signs_nothing_any_more() -> None:
    """A checker knows the keys in force alone."""
    assert TokenChecker([key_of("RS256")], SPACE).check(signed(claims()), AT) == TokenFault.UNKNOWN_KEY


def test_a_remembered_token_expires(checker: TokenChecker) -> None:
    """The time is compared at every use; the clock of the server may be a minute ahead, but not for the end."""
    token = signed(claims(iat=NOW + LEEWAY))
    assert checker.check(token, AT) == ANN
    assert checker.check(token, Micros((NOW + 3_599) * MICRO)) == ANN
    assert checker.check(token, Micros((NOW + 3_600) * MICRO)) == TokenFault.EXPIRED


def test_what_is_remembered_is_bounded(checker: TokenChecker, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is forgotten; no token is kept."""
    monkeypatch.setattr("identity.vault.identity_tokens.verification.REMEMBERED", 3)
    for nr in range(5):
        checker.check(signed(claims(sub=f"u{nr}")), AT)
    assert len(checker._remembered) == 3
    assert all(len(digest) == 16 for digest in checker._remembered)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text() | st.integers(), st.lists), st.binary())
def test_no_token_raises_an_error(value: object, raw: bytes) -> None:
    """Whatever a page sends there."""
    checker = TokenChecker([key_of("HS256")], SPACE)
    header = encoded({"alg": "HS256", "kid": "HS256"})
    for token in (value, f"{header}.{encoded(raw)}.{encoded(raw)}", f"{encoded(raw)}.e30.x"):
        assert isinstance(checker.check(token, AT), TokenFault)
    try:
        text = jwt_of(raw)
    except ValueError:
        return
    assert isinstance(checker.check(text, AT), TokenFault)


def jwt_of(raw: bytes) -> str:
    """A token with a good signature over any payload."""
    from jwt.api_jws import encode

    return encode(raw, SECRET, "HS256", headers={"kid": "HS256"})


SECONDS = st.integers(NOW - 200_000, NOW + 200_000)


@given(exp=SECONDS, iat=st.none() | SECONDS, nbf=st.none() | SECONDS)
def test_a_token_counts_in_its_time_alone(exp: int, iat: int | None, nbf: int | None) -> None:
    """Not before it begins, not at its end, and for at most a day."""
    read = read_payload(claims(exp=exp, iat=iat, nbf=nbf))
    assert not isinstance(read, TokenFault)
    counts = read.at(AT) == ANN
    begun = max(iat or 0, nbf or 0) <= NOW + LEEWAY
    short = exp - min(NOW, NOW if iat is None else iat) <= LONGEST_LIFE + LEEWAY
    assert counts == (exp > NOW and begun and short)
