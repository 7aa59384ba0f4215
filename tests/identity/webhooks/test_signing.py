"""Messages are signed so that any Standard Webhooks receiver believes them, and only signed ones are believed."""

from base64 import b64decode
from datetime import UTC, datetime
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from identity.values.calls import MICRO
from identity.values.errors import InvalidSignature, KeyUnavailable
from identity.webhooks.signing import ID, OURS, SIGNATURE, TIMESTAMP, TOLERANCE, sign, verify

OLD, NEW, OTHER = b"o" * 24, b"n" * 32, b"x" * 64
NOW = 1_790_000_000 * MICRO
BODY = '{"erased": true, "name": "é"}'.encode()


def test_the_published_example_is_signed_to_its_bytes() -> None:
    """The example of the specification is signed as it is published, and accepted."""
    secret = b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body, at = b'{"test": 2432232314}', 1_614_265_330 * MICRO
    headers = sign([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body)

    assert headers[SIGNATURE] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert verify([secret], headers, body, at) == "msg_p5jXN8AQM9LWM0D4loKWxJek"


@given(st.text().map(str.encode), st.from_regex(r"[A-Za-z0-9_-]{1,128}", fullmatch=True), st.integers(0, TOLERANCE))
def test_a_signed_message_is_verified(body: bytes, message: str, late: int) -> None:
    """What one side signs the other accepts, within five minutes either way, and knows by its id."""
    headers = sign([NEW], message, NOW, body)

    assert verify([NEW], headers, body, NOW + late) == message
    assert verify([NEW], headers, body, NOW - late) == message


@pytest.mark.parametrize(("signing", "verifying"), [([NEW, OLD], [OLD]), ([NEW, OLD], [NEW]), ([OLD], [NEW, OLD])])
def test_while_a_secret_is_replaced_either_one_is_accepted(signing: list[bytes], verifying: list[bytes]) -> None:
    """While a secret is changed both sign, and either is accepted; the library says the same."""
    headers = sign(signing, "m1", NOW, BODY)

    assert verify(verifying, headers, BODY, NOW) == "m1"
    with mock.patch("standardwebhooks.webhooks.datetime") as clock:
        clock.now.return_value = datetime.fromtimestamp(NOW // MICRO, UTC)
        clock.fromtimestamp = datetime.fromtimestamp
        for secret in set(signing) & set(verifying):
            Webhook(secret).verify(BODY, headers)


HEADERS = sign([NEW], "m1", NOW, BODY)
GOOD = HEADERS[SIGNATURE]


@pytest.mark.parametrize(
    "changed",
    [
        {SIGNATURE: None}, {SIGNATURE: ""}, {SIGNATURE: "v1,"}, {SIGNATURE: "v1"}, {SIGNATURE: GOOD[:-1]},
        {SIGNATURE: GOOD.replace("v1,", "v2,")}, {SIGNATURE: GOOD[3:]}, {SIGNATURE: "v1,é\ud800"},
        {SIGNATURE: " ".join(["v1,AAAA"] * 9 + [GOOD])}, {SIGNATURE: GOOD + ","}, {SIGNATURE: "v1," * 100_000},
        {ID: None}, {ID: "m2"}, {ID: ""}, {ID: "m1."}, {ID: "é"}, {ID: "m" * 129},
        {TIMESTAMP: None}, {TIMESTAMP: ""}, {TIMESTAMP: "nan"}, {TIMESTAMP: "-1"}, {TIMESTAMP: "1790000000.0"},
        {TIMESTAMP: "1790000001"}, {TIMESTAMP: "9" * 5000}, {TIMESTAMP: "١٧٩٠٠٠٠٠٠٠"},
    ],
    ids=lambda changed: str(changed)[:40],
)  # fmt: skip
def test_a_message_with_forged_headers_is_refused(changed: dict[str, str | None]) -> None:
    """A header that is missing, altered or odd is refused, with one error."""
    headers = {name: value for name, value in (HEADERS | changed).items() if value is not None}
    with pytest.raises(InvalidSignature):
        verify([NEW, OLD], headers, BODY, NOW)


def test_attack_173_a_message_of_onefold_that_comes_back_is_refused() -> None:
    """The signature is right, and the id is one of ours; another id needs another signature."""
    headers = sign([NEW], OURS + "m1", NOW, BODY)
    for id_ in (OURS + "m1", "m1"):
        with pytest.raises(InvalidSignature):
            verify([NEW], headers | {ID: id_}, BODY, NOW)


@given(st.integers(0, len(BODY) * 8 - 1))
def test_a_message_with_one_altered_bit_is_refused(bit: int) -> None:
    """One bit of the body changed, and it is refused; it may not even be text any more."""
    body = bytearray(BODY)
    body[bit // 8] ^= 1 << bit % 8
    with pytest.raises(InvalidSignature):
        verify([NEW], HEADERS, bytes(body), NOW)


@pytest.mark.parametrize("late", [TOLERANCE + MICRO, -TOLERANCE - MICRO, 3600 * MICRO, NOW])
def test_a_message_outside_the_tolerance_is_refused(late: int) -> None:
    """More than five minutes late or early is too much."""
    with pytest.raises(InvalidSignature):
        verify([NEW], HEADERS, BODY, NOW + late)


def test_a_message_signed_with_another_secret_is_refused() -> None:
    """A signature by any other secret is none."""
    with pytest.raises(InvalidSignature):
        verify([OTHER, OLD], HEADERS, BODY, NOW)


def test_one_valid_signature_among_others_is_enough() -> None:
    """One good signature among several is enough."""
    headers = HEADERS | {SIGNATURE: f"v1a,xyz v1,AAAA {GOOD}"}

    assert verify([OLD, NEW], headers, BODY, NOW) == "m1"


@pytest.mark.parametrize("secrets", [[], [b""], [NEW, b"short"]])
def test_without_a_secret_nothing_is_signed_or_verified(secrets: list[bytes]) -> None:
    """Without a secret, or with one too short, nothing is signed and nothing believed."""
    with pytest.raises(KeyUnavailable):
        sign(secrets, "m1", NOW, BODY)
    with pytest.raises(KeyUnavailable):
        verify(secrets, HEADERS, BODY, NOW)
