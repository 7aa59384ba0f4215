"""Changes of the rules: a patch leaves all other fields, and a document says which fields it sets back."""

import pytest

from identity.planning.corrections.rules_changes import patched, reset_fields
from identity.planning.resolution.resolution_rules import DEFAULT_RULES, compile_rules
from identity.values.errors import BadRules

CUSTOM = compile_rules({"max_merges": 7, "limits": {"email": {"max": 2}, "fish": {"max": 1}}}, 1)


def test_a_patch_changes_the_types_that_it_names() -> None:
    """And no other limit or field."""
    document = patched(CUSTOM, {"limits": {"fish": {"max": 3}}})

    assert (document["limits"]["fish"]["max"], document["limits"]["email"]["max"]) == (3, 2)
    assert document["max_merges"] == 7


def test_null_sets_a_type_or_a_field_back_to_its_default() -> None:
    """A type without a default is gone."""
    defaults = DEFAULT_RULES.document()
    document = patched(CUSTOM, {"limits": {"fish": None, "email": None}})

    assert "fish" not in document["limits"]
    assert document["limits"]["email"] == defaults["limits"]["email"]
    assert patched(CUSTOM, {"limits": None})["limits"] == defaults["limits"]


@pytest.mark.parametrize("patch", [None, [], "max_merges"])
def test_a_patch_is_an_object(patch: object) -> None:
    """Anything else is refused before it is merged."""
    with pytest.raises(BadRules):
        patched(CUSTOM, patch)


def test_a_document_reports_the_fields_that_it_sets_back() -> None:
    """Only those that change, each limit by its type."""
    given = {"limits": {"email": {"max": 2}}}
    after = compile_rules(given, 2)

    assert reset_fields(CUSTOM, given, after) == ["limits.fish", "max_merges"]
    assert reset_fields(CUSTOM, CUSTOM.document(), CUSTOM) == []
