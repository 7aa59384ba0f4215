"""A group id that names no group is a placeholder, in any spelling; a name that a customer may choose is none."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.values.placeholders.placeholder_groups import (
    PLACEHOLDER_GROUPS,
    TEMPLATES_OF_GROUPS,
    is_placeholder_group,
)

WORDS = (
    "default", "default group", "default company", "my company", "company name", "organization", "organisation id",
    "unassigned", "individual", "personal", "personal workspace", "your team", "untitled workspace", "self employed",
    "freelance", "freelancer", "not assigned", "private person", "example org", "test company", "new team", "account",
    "no group", "null", "non selected", "unspecified", "company null", "group undefined", "org null", "tenant default",
    "null company", "team name none", "organisation id undefined", "account unset", "no department", "project unknown",
    "company null null", "T B D", "tbc", "self", "myself", "just me", "to be determined", "keine", "keine Firma",
    "nicht angegeben", "aucun", "aucune entreprise", "non specifie", "sin empresa", "nessuna azienda", "sem empresa",
    "geen bedrijf", "company na", "org true",
)  # fmt: skip
GENUINE = (
    "acme", "demo", "demo-1", "general", "other", "admin", "public", "students", "default-2", "Default Value Ltd",
    "My Company GmbH", "Mycom", "Personal Capital", "Individual Inc", "The Company", "Company 42", "group-7",
    "team blue", "Account Partners", "Organon", "company.com", "The Team", "customers", "mygroup.io", "Teamwork",
    "Unnamed Press", "new york", "Testco", "org_2Xk9", "Newco", "Empty Bottle", "Mycompany GmbH", "Me.com", "NAN AG",
    "True Group", "NA team", "Null 7 Group", "self storage", "Selfridges", "Nil Ltd", "Unknown Worlds", "Sinclair",
    "Sans Serif Inc", "Keiner GmbH", "Kein & Co", "TBDigital", "Todoist", "free", "Standard", "Mein Verein", "no",
    "Firma M\u00fcller", "50% off", "a%20b%20c", "%abcd%20", "@acme", "acme@x.org", "K. A. Schmidt", "NDA", "meme",
    "{3f2504e0-4f89-11d3-9a0c-0305e82c3301}", "Group Null Island", "Enterprise", "School", "Projects", "A:B",
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


@pytest.mark.parametrize(
    "group",
    [
        *("N.A.", "n.a", "n/a", "N/A company", "N.A. org", "company: N/A", "k.A.", "n.v.t.", "me", "Me"),
        *("%GROUP%", "%company.name%", "{{group}}", "${group}", "#{group}", "<group>", "<Your Group>", "[[group]]"),
        *("<%= group %>", "<?php $g ?>", "{% group %}", "[% group %]", "*|GROUP|*", "$GROUP_KEY", ":groupKey", "@@g@@"),
        *(
            "company-${id}",
            "acme {{region}}",
            "org_%ORG%",
            "tenant=$TENANT",
            "non renseign\u00e9",
            "soci\u00e9t\u00e9 null",
        ),
    ],
)
def test_what_is_short_for_no_answer_and_a_template_that_nobody_filled_are_no_group(group: str) -> None:
    """Also where the template is a part of the id, or the words have accents."""
    assert is_placeholder_group(group)


@given(
    st.sampled_from((*PLACEHOLDER_GROUPS, *TEMPLATES_OF_GROUPS)).flatmap(
        lambda each: st.from_regex(each, fullmatch=True, alphabet=st.characters(max_codepoint=126))
    )
)
def test_every_text_of_a_pattern_is_a_placeholder(text: str) -> None:
    """The patterns that `GET /v1/rules` shows are those that hold; those of words count up to 40 characters."""
    assert is_placeholder_group(text) or (len(text) > 40 and text.isalnum())


@pytest.mark.parametrize(
    "text", ["null" * 128, "{{a" * 170, "[[a" * 170, "$a1" * 170, "orgs" * 128, "sinno" * 100, "%ab" * 170]
)
def test_a_long_group_id_is_no_template_without_its_end(text: str) -> None:
    """No text of the longest length is read for long, since no pattern repeats within another."""
    assert not is_placeholder_group(text)
