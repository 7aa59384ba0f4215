"""An id with a part that a program meant to fill is a placeholder; one that only looks like it is not."""

import pytest

from identity.values.placeholders.placeholder_values import is_placeholder


@pytest.mark.parametrize(
    "text",
    [
        *("${email}@acme.com", "{{email}}@acme.com", "%EMAIL%@acme.com", "{first}.{last}@acme.com", "%s@acme.com"),
        *("u-{{id}}", "u1-{{ id }}", "acct:%s", "acct/%d", "cust_{0}", "user-${id}", "user-#{id}", "crm1-%USER_ID%"),
        *("id-*|UNIQID|*", "a%%user_id%%b", "user{{1}}", "ann {{ user.id }}"),
    ],
)
def test_an_id_with_an_unfilled_part_is_a_placeholder(text: str) -> None:
    """Whatever stands around the part."""
    assert is_placeholder(text)


@pytest.mark.parametrize(
    "text",
    [
        *("{SSHA}nU4eI71bcnBGqeO0t9tXvY1u5oQ=", "{6f9619ff-8b86-d011-b42d-00c04fc964ff}", "abc{def}ghi", "a{b}"),
        *("%20abc%20", "%abcd%ef", "%c3%a4nne", "100%d", "50%@home", "caf%C3%A9", "ann%40example.org", "a%b%c"),
        *("christopher.null@acme.com", "ann_null", "annundefined", "jane-null", "null.ann@acme.com", "a*b*c", "x|y|z"),
    ],
)
def test_a_genuine_id_with_marks_or_words_of_templates_counts(text: str) -> None:
    """Percent-encoded ids, hashes with a scheme, GUIDs in braces, and people named Null."""
    assert not is_placeholder(text)
