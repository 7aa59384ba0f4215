"""A name in `protected` or `survivorship` that can match nothing is refused, and what loses protection is named."""

from typing import Any

import pytest

from identity.planning.corrections.rules_traits import require_trait_names, unprotected
from identity.planning.resolution.resolution_rules import DEFAULT_RULES, compile_rules
from identity.values.errors import BadRules

LOOK_ALIKE = ["\uff45mail", "\uff25\uff4d\uff41\uff49\uff4c", "\u0435mail", "em\u0430il", "\u0415-mail", "e\u2011mail"]
"""In letters of full width and of Cyrillic, and with a hyphen of another kind."""
ODD = [" plan", "plan\n", "pl\u200ban", "\u3164", "traits.plan", "context.traits.plan"]


@pytest.mark.parametrize(
    ("document", "part"),
    [
        *(({"protected": ["plan", name]}, "Entry 2 of `protected`") for name in ("*", *ODD)),
        *(({"survivorship": {name: "min"}}, "Entry 1 of `survivorship`") for name in ("*", *ODD)),
        *(
            ({"protected": [name, "phone"]}, "Did you mean email?")
            for name in ("Email", "EMAIL", "e-mail", "e_mail", *LOOK_ALIKE)
        ),
        ({"protected": ["email", "Phone"]}, "Did you mean phone?"),
        ({"protected": ["plan", "email", "plan"]}, "Entry 1 of `protected` stands there more than once"),
    ],
)
def test_a_name_that_matches_nothing_is_refused(document: dict[str, Any], part: str) -> None:
    """The message names the entry by its place; a document in force can be sent back."""
    with pytest.raises(BadRules) as refused:
        require_trait_names(document, DEFAULT_RULES)
    assert part in str(refused.value)
    if "more than once" not in part:
        require_trait_names(document, compile_rules(document, 1))


@pytest.mark.parametrize(
    "document",
    [
        {}, {"protected": []}, {"protected": None, "survivorship": None}, {"protected": ["plan"]},
        {"protected": ["email", "Email", "phone"]}, {"protected": ["full name", "caf\u00e9", "emails", "a*"]},
        {"survivorship": {"Email": "oldest"}},
    ],
)  # fmt: skip
def test_any_other_name_is_taken(document: dict[str, Any]) -> None:
    """Also one like a default one beside it."""
    require_trait_names(document, DEFAULT_RULES)


def test_the_traits_that_lose_protection_are_named() -> None:
    """By a list without them, and by trust in public keys."""
    less, trusting = compile_rules({"protected": ["plan", "phone"]}, 1), compile_rules({"trust": "segment"}, 1)
    assert unprotected(DEFAULT_RULES, less) == ["email"]
    assert unprotected(less, DEFAULT_RULES) == ["plan"]
    assert unprotected(DEFAULT_RULES, trusting) == ["email", "phone"]
    assert unprotected(trusting, less) == unprotected(less, less) == []
