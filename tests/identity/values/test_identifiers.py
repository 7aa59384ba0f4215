"""Every spelling of one identifier becomes one value, and no two identifiers do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.values.calls import Identifier
from identity.values.errors import BadIdentifier
from identity.values.identifiers import BUILT_IN, EMAIL, PHONE, USER_ID, normalise, parse, usable_type
from identity.values.plain_text import UnusableValue

LETTERS = st.text(alphabet="aZ\u00e9\u0130\u0131\u00df\u212a\u03a3\u0301\u0430\uff41-", min_size=1, max_size=6)
ADDRESSES = st.builds("{}@{}.{}".format, st.text(min_size=1, max_size=8), LETTERS, LETTERS)
NUMBERS = st.text(alphabet="0123456789+-() ./#,", max_size=20)
VALUES = st.one_of(st.text(), ADDRESSES, NUMBERS, st.integers(), st.floats(), st.booleans(), st.none())


def normalised(type_: str, value: object) -> str | None:
    """The normalised value, or None for a refused one."""
    try:
        return normalise(type_, value, "US")
    except UnusableValue:
        return None


def test_the_stored_numbers_of_built_in_types_never_change() -> None:
    """Rows hold the position of a type in `BUILT_IN`."""
    numbered = " ".join(f"{code} {type_}" for code, type_ in enumerate(BUILT_IN, 1))
    assert numbered == (
        "1 user_id 2 email 3 phone 4 android.id 5 android.idfa 6 android.push_token 7 ios.id 8 ios.idfa"
        " 9 ios.push_token 10 ga_client_id 11 anonymous_id"
    )


@given(st.sampled_from([*BUILT_IN, "crm"]), VALUES)
def test_normalising_is_idempotent(type_: str, value: object) -> None:
    """For any value, so that a stored value finds itself."""
    once = normalised(type_, value)
    assert once is None or normalised(type_, once) == once


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("u1", "u1"),
        (" u1\n", "u1"),
        ("a b", "a b"),
        ("Bob", "Bob"),
        (42, "42"),
        (-1, "-1"),
        (42.0, "42"),
        (-0.0, "0"),
        (1e3, "1000"),
        (1.5, "1.5"),
        (1e-7, "0.0000001"),
        (2**64 + 1, "18446744073709551617"),
        (10**30, "1" + "0" * 30),
        (2.0**53 - 1, "9007199254740991"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("\u212b", "\u00c5"),
        ("\U0001f600", "\U0001f600"),
        ("x" * 1024, "x" * 1024),
        ("e\u0301" * 1024, "\u00e9" * 1024),
    ],
)
def test_text_is_trimmed_nfc_and_a_number_its_decimal_string(value: object, text: str) -> None:
    """Case and inner spaces stay."""
    assert normalise(USER_ID, value, "US") == text


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        {},
        {"id": 1},
        [],
        ["u1"],
        "",
        "  ",
        "u\x00x",
        "u\x1fx",
        "u\x7fx",
        "u\u0085x",
        "u\u200bx",
        "u\u202ex",
        "u\ufeffx",
        "u\u00adx",
        "\ud800",
        "x" * 1025,
        "\u00e9" * 1025,
        "\u0301" * 100_000,
        10**1024,
        pytest.param(10**5000, id="5001 digits"),
        2.0**53,
        -(2.0**60),
        float("nan"),
        float("inf"),
    ],
)
def test_a_doubtful_value_is_no_identifier(value: object) -> None:
    """A value is never cut to an identifier."""
    assert normalised(USER_ID, value) is None


@pytest.mark.parametrize(
    ("type_", "value", "reason", "shown"),
    [
        (USER_ID, " ", "empty", ""),
        (USER_ID, "u\x00x", "control_characters", "u?x"),
        (USER_ID, "\ud800", "control_characters", "?"),
        (USER_ID, "x" * 1025, "too_long", "x" * 79 + "…"),
        (USER_ID, 10**1024, "too_long", "(number)"),
        (USER_ID, ["u1"], "not_text", "(array)"),
        (USER_ID, {"a": "u1"}, "not_text", "(object)"),
        (USER_ID, True, "not_text", "(boolean)"),
        (USER_ID, 2.0**53, "inexact_number", "9007199254740992.0"),
        (EMAIL, "ann@localhost", "email_domain", "ann@localhost"),
        (EMAIL, "ann@x_y.com", "email_domain", "ann@x_y.com"),
        (EMAIL, "ann", "invalid_email", "ann"),
        (EMAIL, "@x.com", "invalid_email", "@x.com"),
        (EMAIL, "a@b@x.com", "invalid_email", "a@b@x.com"),
        (EMAIL, "Ann <ann@x.com>", "email_with_name", "Ann <ann@x.com>"),
        (EMAIL, "<ann@x.com>", "email_with_name", "<ann@x.com>"),
        (EMAIL, "mailto:ann@x.com", "email_with_name", "mailto:ann@x.com"),
        (EMAIL, "MailTo:ann@x.com", "email_with_name", "MailTo:ann@x.com"),
        (EMAIL, "<ann@x.com", "email_with_name", "<ann@x.com"),
        (EMAIL, "ann:b@x.com", "invalid_email", "ann:b@x.com"),
        (EMAIL, "bob;ann@x.com", "invalid_email", "bob;ann@x.com"),
        (EMAIL, "ann@x.com, bob@x.com", "several_emails", "ann@x.com, bob@x.com"),
        (EMAIL, "ann@x.com;bob@x.com", "several_emails", "ann@x.com;bob@x.com"),
        (EMAIL, "ann@x.com bob@x.com", "several_emails", "ann@x.com bob@x.com"),
        (PHONE, "911", "invalid_phone", "911"),
    ],
)
def test_a_refused_value_has_a_reason_and_a_short_printable_form(
    type_: str, value: object, reason: str, shown: str
) -> None:
    """The sender recognises the value and learns what is wrong with it."""
    with pytest.raises(UnusableValue) as refused:
        normalise(type_, value, "US")
    assert (refused.value.reason, refused.value.shown) == (reason, shown)


@pytest.mark.parametrize(
    ("given_", "email"),
    [
        (" Jane@X.com ", "jane@x.com"),
        ("jane.doe+news@gmail.com", "jane.doe+news@gmail.com"),
        ("a@b\u00fccher.de", "a@xn--bcher-kva.de"),
        ("a@B\u00dcCHER.DE", "a@xn--bcher-kva.de"),
        ("a@bu\u0308cher.de", "a@xn--bcher-kva.de"),
        ("a@XN--BCHER-KVA.de", "a@xn--bcher-kva.de"),
        ("a@fa\u00df.de", "a@xn--fa-hia.de"),
        ("a@\u4f8b\u3048\u3002jp", "a@xn--r8jz45g.jp"),
        ("a@\uff45xample.com", "a@example.com"),
        ("a@r3---sn.com", "a@r3---sn.com"),
        ("\u0130@x.com", "i\u0307@x.com"),
        ("\u0131@x.com", "\u0131@x.com"),
        ("I@x.com", "i@x.com"),
        ("\u212a@x.com", "k@x.com"),
        ("J\u030c@x.com", "\u01f0@x.com"),
        ("\u0391\u03a3@x.gr", "\u03b1\u03c2@x.gr"),
    ],
)
def test_an_email_is_small_letters_with_an_ascii_domain(given_: str, email: str) -> None:
    """Pinned for difficult letters."""
    assert normalise(EMAIL, given_, "US") == email


def test_a_homograph_domain_stays_a_different_domain() -> None:
    """A Cyrillic letter does not become the Latin letter of the same look."""
    assert normalise(EMAIL, "a@\u0430pple.com", "US") == "a@xn--pple-43d.com"


@pytest.mark.parametrize(
    "value",
    [
        "not-specified",
        "a@b",
        "@x.com",
        "a@",
        "a@@x.com",
        "a@b@x.com",
        "a b@x.com",
        "a@x .com",
        "a\u00a0b@x.com",
        "<a@x.com>",
        "'a@x.com'",
        "a@x..com",
        "a@.x.com",
        "a@x.com.",
        "a@-x.com",
        "a@x_y.com",
        "a@xn--a.com",
        "a@" + "x" * 64 + ".com",
        "a@" + ".".join(["x" * 60] * 5),
        "x" * 1020 + "@x.com",
        "a@\u2764.ws",
        42,
    ],
)
def test_a_value_that_is_no_email_is_refused(value: object) -> None:
    """An address has a local part, one @ and a real domain."""
    assert normalised(EMAIL, value) is None


@pytest.mark.parametrize(
    ("given_", "region", "phone"),
    [
        ("+1 (415) 555-2671", "US", "+14155552671"),
        ("0014155552671", "US", "+14155552671"),
        ("0014155552671", "GB", "+14155552671"),
        ("011 44 7911 123456", "US", "+447911123456"),
        ("415-555-2671", "US", "+14155552671"),
        (4155552671, "US", "+14155552671"),
        (14155552671.0, "US", "+14155552671"),
        ("07911 123456", "GB", "+447911123456"),
        ("+447911123456", "US", "+447911123456"),
        ("+39 02 1234567", "US", "+39021234567"),
        ("+1415\uff15\uff15\uff152671", "US", "+14155552671"),
    ],
)
def test_every_spelling_of_a_phone_number_becomes_e164(given_: object, region: str, phone: str) -> None:
    """With the region as the default country."""
    assert normalise(PHONE, given_, region) == phone


@pytest.mark.parametrize(
    "value",
    [
        "12",
        "911",
        "555-2671",
        "+1 111 111 1111",
        "+11111111111",
        "5555555555",
        "0000000000",
        "+0014155552671",
        "+14155552671 ext. 5",
        "+14155552671#5",
        "1-800-FLOWERS",
        "call 4155552671",
        "415-555-2671 / 415-555-2672",
        "+",
        "1" * 300,
        "+640016538007",
    ],
)
def test_a_doubtful_phone_number_is_refused(value: str) -> None:
    """Half a number, several numbers or a placeholder would join strangers."""
    assert normalised(PHONE, value) is None


@pytest.mark.parametrize("name", [*BUILT_IN, "a", "loyalty_id", "a" * 48, "crm2.id"])
def test_types_are_small_letters_digits_dots_and_underscores(name: str) -> None:
    """Built-in and custom types."""
    assert usable_type(name)


@pytest.mark.parametrize("name", ["", "A", "1a", "_a", ".a", "a-b", "a b", "a\n", "\u00e9", "a" * 49, "*", "a:b"])
def test_any_other_name_is_no_type(name: str) -> None:
    """Longer names, capitals, other characters."""
    assert not usable_type(name)


@pytest.mark.parametrize(
    ("text", "identifier"),
    [
        ("user_id:u1", Identifier("user_id", "u1")),
        ("user_id:a:b", Identifier("user_id", "a:b")),
        ("email: Ann@X.com", Identifier("email", "ann@x.com")),
        ("phone:415-555-2671", Identifier("phone", "+14155552671")),
        ("Loyalty_ID:L1", Identifier("loyalty_id", "L1")),
    ],
)
def test_a_written_identifier_is_normalised_as_at_ingest(text: str, identifier: Identifier) -> None:
    """The type becomes small letters."""
    assert parse(text, "US") == identifier


@pytest.mark.parametrize("text", ["", "user_id", ":u1", "user_id:", "user_id: ", "a-b:1", "email:ann", "user_id:\x00"])
def test_a_text_without_an_identifier_is_refused(text: str) -> None:
    """The error does not repeat the text."""
    with pytest.raises(BadIdentifier) as refused:
        parse(text, "US")
    assert str(refused.value) == BadIdentifier.__doc__
