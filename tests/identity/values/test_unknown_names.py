"""A name that nobody knows is answered with the nearest known name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.values.identifiers import BUILT_IN
from identity.values.unknown_names import hint, nearest, other_spelling, shown, type_help, unknown_purposes

PURPOSES = ["Marketing", "Product analytics", "Ads"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("userId", "user_id"), ("userid", "user_id"), ("USER-ID", "user_id"), ("user", "user_id"), ("uid", "user_id"),
        ("mail", "email"), ("e_mail", "email"), ("emial", "email"), ("Email", "email"), ("emails", "email"),
        ("phone_number", "phone"), ("tel", "phone"), ("mobile", "phone"), ("phon", "phone"),
        ("anonymousId", "anonymous_id"), ("anonymous", "anonymous_id"), ("annonymous_id", "anonymous_id"),
        ("ios_idfa", "ios.idfa"), ("idfa", "ios.idfa"), ("gaid", "android.idfa"), ("ga_client", "ga_client_id"),
        ("distinct_id", "user_id"), ("externalId", "user_id"), ("controller_customer_id", "user_id"),
        ("email_address", "email"), ("android_advertising_id", "android.idfa"), ("visitor_id", "anonymous_id"),
    ],
)  # fmt: skip
def test_a_misspelt_type_leads_to_the_type_that_was_meant(name: str, meant: str) -> None:
    """Capitals, punctuation, slips of the finger and the words of other vendors."""
    assert nearest(name, BUILT_IN) == meant
    assert hint(name, BUILT_IN) == f"Did you mean {meant}?"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("segment_id", "write it alone (prf_ and 32 hexadecimal digits)"),
        ("SEGMENT-ID", "write it alone (prf_ and 32 hexadecimal digits)"),
        ("profile_id", "write it alone (prf_ and 32 hexadecimal digits)"),
        ("group_id", "DELETE /v1/groups/{group_id} deletes a group"),
        ("sessionId", "It names no person"),
        ("distinct_id", "Did you mean user_id?"),
        ("xyz", "Known are "),
    ],
)
def test_the_name_of_something_else_is_answered_with_what_to_write(name: str, says: str) -> None:
    """A profile of another vendor, a group and a session are no types of identifiers here."""
    assert says in type_help(name, BUILT_IN, BUILT_IN)


@pytest.mark.parametrize("name", ["xyz", "", "loyalty_card", "123"])
def test_a_name_without_a_similar_one_is_answered_with_all_known_names(name: str) -> None:
    """No guess is made."""
    assert nearest(name, BUILT_IN) is None
    assert all(each in hint(name, BUILT_IN) for each in BUILT_IN)


def test_a_long_list_of_known_names_is_cut() -> None:
    """The message stays short and says how many more there are."""
    assert hint("xyz", [f"type_{number:02}" for number in range(50)]).endswith("type_19 and 30 more.")
    assert hint("xyz", []) == "None are known."


@pytest.mark.parametrize(
    ("name", "same"), [("userid", "user_id"), ("E_Mail", "email"), ("loyalty", None), ("mai", None)]
)
def test_another_spelling_has_the_same_letters(name: str, same: str | None) -> None:
    """Only then a type that no call has brought yet is certainly a typo."""
    assert other_spelling(name, BUILT_IN) == same


@given(st.text(max_size=80), st.lists(st.text(max_size=12), max_size=8))
def test_the_nearest_name_is_a_known_one_and_itself_where_known(name: str, known: list[str]) -> None:
    """Also for empty and odd names; the order of the known names changes nothing."""
    found = nearest(name, known)
    assert found is None or found in known
    assert found == nearest(name, known[::-1])
    assert all("".join(filter(str.isalnum, each)) == "" or nearest(each, [each]) == each for each in known)


@pytest.mark.parametrize("name", ["ann@example.org", "x" * 65, "z8Kf3mQ2pLs7Xv9Tn4Rw6Yb1", "a\nb", "<b>", 7, None, ""])
def test_an_unusual_name_is_not_repeated(name: object) -> None:
    """It may be a value that stands in the wrong place."""
    assert shown(name, "with an unusual name", BUILT_IN) == "with an unusual name"


@pytest.mark.parametrize("name", ["regluation", "until", "a b", "destinations_without_purposes"])
def test_a_short_name_or_a_typo_of_a_known_one_is_repeated(name: str) -> None:
    """So the message names the field."""
    assert shown(name, "with an unusual name", ["destinations_without_purpose"]) == f"`{name}`"


def test_an_unknown_purpose_is_named_with_the_nearest() -> None:
    """Each is named; without any purpose the message says how to define one."""
    assert unknown_purposes(["Marketing", "Ads"], PURPOSES, "purposes") is None
    message = str(unknown_purposes(["marketing", "Adds"], PURPOSES, "decisions"))
    assert message.startswith("decisions: ")
    assert "`marketing`, `Adds`" in message
    assert "Did you mean Marketing?" in message
    assert "PUT /v1/purposes" in str(unknown_purposes(["Marketing"], [], "purposes"))
