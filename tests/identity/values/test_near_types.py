"""A name is like a built-in type by its letters; a name of its own is like none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.values.identifiers import BUILT_IN
from identity.values.near_types import near_type, type_hint, typed_value

TYPE_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_."


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("userid", "user_id"),
        ("user.id", "user_id"),
        ("users_id", "user_id"),
        ("uesr_id", "user_id"),
        ("usr_id", "user_id"),
        ("mail", "email"),
        ("e_mail", "email"),
        ("emails", "email"),
        ("emial", "email"),
        ("phones", "phone"),
        ("anonymousid", "anonymous_id"),
        ("anonymous", "anonymous_id"),
        ("anonimous_id", "anonymous_id"),
        ("android_id", "android.id"),
        ("ios_idfa", "ios.idfa"),
        ("group.id", "group_id"),
        ("user_id", None),
        ("group_id", None),
        ("email2", None),
        ("phone_2", None),
        ("work_email", None),
        ("phone_number", None),
        ("customer_id", None),
        ("crm", None),
        ("loyalty.card", None),
        ("uuid", None),
        ("id", None),
    ],
)
def test_a_slip_in_a_built_in_type_is_recognised(name: str, near: str | None) -> None:
    """More slips in a longer name; a number at the end makes another name."""
    assert near_type(name) == near


@given(st.sampled_from(BUILT_IN), st.integers(0, 60), st.sampled_from(TYPE_LETTERS[:26]))
def test_one_letter_too_much_is_a_slip(type_: str, at: int, letter: str) -> None:
    """Anywhere in a name."""
    written = type_[: at % (len(type_) + 1)] + letter + type_[at % (len(type_) + 1) :]
    assert written in BUILT_IN or near_type(written) is not None


@given(st.text(TYPE_LETTERS, min_size=1, max_size=48))
def test_a_near_type_is_a_known_one(name: str) -> None:
    """And never the name itself."""
    assert near_type(name) in {*BUILT_IN, "group_id", None} - {name}


@pytest.mark.parametrize(
    ("identifiers", "near"),
    [
        (["userid:ann"], "user_id:..."),
        (["crm:7", "UserID:ann"], "user_id:..."),
        (["uid:ann"], "user_id:..."),
        (["tel:7"], "phone:..."),
        (["mail"], "email:..."),
        (["user_id:ann", "crm:userid", "email:a@b.org"], None),
        ([], None),
    ],
)
def test_the_hint_names_the_built_in_type_and_no_value(identifiers: list[str], near: str | None) -> None:
    """Other words for a built-in type count as well."""
    hint = type_hint(identifiers)
    assert (hint is None) is (near is None)
    assert near is None or (hint is not None and near in hint and "ann" not in hint)


@pytest.mark.parametrize("text", ["group_id:acme", "GROUP_ID:acme"])
def test_the_hint_for_a_group_names_the_route_of_groups(text: str) -> None:
    """In a space where calls of earlier releases have made the type one of people."""
    hint = type_hint(["user_id:ann", text])
    assert hint is not None
    assert "DELETE /v1/groups/{group_id}" in hint
    assert "acme" not in hint


@pytest.mark.parametrize(
    ("value", "type_"),
    [("user_id:u1", "user_id"), ("USER_ID:u1", "user_id"), ("email:ann@x.org", "email"), ("group_id:g", "group_id"),
     ("u1", None), ("auth0:u1", None), (":u1", None), ("", None)],
)  # fmt: skip
def test_a_value_that_begins_with_a_type_is_recognised(value: str, type_: str | None) -> None:
    """The sentence says what to leave out, and never repeats the value."""
    expected = None if type_ is None else f"It begins with a type: write the value alone, without {type_}:."
    assert typed_value(value) == expected
    assert type_hint([f"user_id:{value}"]) == (expected and f"Nobody has this value of the type user_id. {expected}")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("user_id:ann@example.org", "email:...?"),
        ("anonymous_id:ann@mail.example.org", "email:...?"),
        ("user_id:+49 30 1234567", "phone:...?"),
        ("crm:prf_01a22d1d3aee7d6b961da03197b905bc", "the id of a profile"),
        ("user_id:ann%40example.org", "percent-encoded"),
        ("user_id:U1", "capitals count"),
        ("user_id:u1", None),
        ("user_id:u@1", None),
        ("email:Ann@example.org", None),
        ("phone:+4930123456", None),
    ],
)
def test_a_value_in_the_form_of_another_type_has_a_hint(text: str, hint: str | None) -> None:
    """Ids are compared as they are written; addresses and numbers are not."""
    found = type_hint([text])
    assert (found is None) if hint is None else hint in (found or "")
