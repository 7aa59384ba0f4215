"""A new rules document may not name a type that is probably misspelt."""

from typing import Any

import pytest

from identity.planning.corrections.rules_types import require_types, types_of
from identity.planning.resolution.resolution_rules import compile_rules
from identity.values.errors import BadRules


@pytest.mark.parametrize(
    ("document", "field", "near"),
    [
        ({"limits": {"crm": {"max": 1}, "userid": {"max": 1}}}, "limits", "user_id"),
        ({"priority": ["user_id", "phones"]}, "priority", "phone"),
        ({"blocked": {"*": ["x"], "mail": ["x"]}}, "blocked", "email"),
        ({"limits": {"loyaltycard": {"max": 1}}}, "limits", "loyalty.card"),
    ],
)
def test_a_type_that_is_like_a_known_one_is_refused(document: dict[str, Any], field: str, near: str) -> None:
    """The message names the field, the type that is meant, and how to keep the other."""
    with pytest.raises(BadRules, match=rf"^{field} names .* Did you mean {near}\? To keep"):
        require_types(compile_rules(document, 0), {"crm", "loyalty.card"})


@pytest.mark.parametrize("type_", ["userid", "mail", "loyaltycard"])
def test_a_type_that_a_call_has_brought_is_taken(type_: str) -> None:
    """The customer has it."""
    rules = compile_rules({"limits": {type_: {"max": 1}}, "blocked": {type_: ["x"]}, "priority": [type_]}, 0)
    require_types(rules, {type_, "loyalty.card"})
    require_types(rules, types_of(rules))


def test_types_of_their_own_and_group_ids_are_taken() -> None:
    """Before any call; `*` is every type."""
    document = {"limits": {"crm": {"max": 1}, "email2": {"max": 1}}, "blocked": {"*": ["x"], "group_id": ["y"]}}
    require_types(compile_rules(document, 0), set())
