"""A group id that names no group is a placeholder, in any spelling; a name that a customer may choose is none."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.values.placeholders.placeholder_groups import is_placeholder_group

WORDS = (
    "default", "default group", "default company", "my company", "company name", "organization", "organisation id",
    "unassigned", "individual", "personal", "personal workspace", "your team", "untitled workspace", "self employed",
    "freelance", "freelancer", "not assigned", "private person", "example org", "test company", "new team", "account",
    "no group", "null", "non selected", "unspecified",
)  # fmt: skip
GENUINE = (
    "acme", "demo", "demo-1", "general", "other", "admin", "public", "students", "default-2", "Default Value Ltd",
    "My Company GmbH", "Mycom", "Personal Capital", "Individual Inc", "The Company", "Company 42", "group-7",
    "team blue", "Account Partners", "Organon", "company.com", "The Team", "customers", "mygroup.io", "Teamwork",
    "Unnamed Press", "new york", "Testco", "org_2Xk9", "Newco", "Empty Bottle",
)  # fmt: skip


@given(st.sampled_from(WORDS), st.sampled_from(["", " ", "-", "_", "."]), st.sampled_from([str, str.upper, str.title]))
def test_case_and_separators_hide_no_placeholder(words: str, joint: str, case: Callable[[str], str]) -> None:
    """Also in brackets and quotes, and in letters of full width."""
    group = case(joint.join(words.split()))
    wide = "".join(chr(ord(each) + 0xFEE0) if each.isalpha() else each for each in group)
    for dressed in (group, f"({group})", f"'{group}'", wide):
        assert is_placeholder_group(dressed)


@pytest.mark.parametrize("group", GENUINE)
def test_a_name_that_a_customer_may_choose_is_a_group(group: str) -> None:
    """A word more makes a name."""
    assert not is_placeholder_group(group)
