"""Statements about classes: a denial beats a grant, in any order."""

from hypothesis import given
from hypothesis import strategies as st

from identity.planning.consent.signals.classes import Statements, combine

NAMES = st.sampled_from(["ads", "analytics", "personalisation", "functional", "sale_share", "sensitive", "necessary"])
STATEMENTS: st.SearchStrategy[Statements] = st.dictionaries(NAMES, st.booleans())  # type: ignore[arg-type]


@given(st.lists(STATEMENTS))
def test_combined_statements_do_not_depend_on_order(statements: list[Statements]) -> None:
    """A class is granted only if a statement grants it and none denies it."""
    stated = combine(*statements)

    assert stated == combine(*reversed(statements))
    for name, granted in stated.items():
        assert granted == (False not in [each[name] for each in statements if name in each])
