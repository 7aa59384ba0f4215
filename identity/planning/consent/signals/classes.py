"""The classes of purposes, and how the statements about them are combined.

A denial beats a grant, in any order of the statements.
"""

from collections.abc import Mapping
from typing import Final, Literal

Class = Literal["ads", "analytics", "personalisation", "functional", "sale_share", "sensitive", "necessary"]
Statements = Mapping[Class, bool]

OPT_OUT: Final[Statements] = {"sale_share": False, "ads": False}
"""The classes denied by an opt-out of sale and sharing."""


def combine(*statements: Statements) -> dict[Class, bool]:
    """All statements as one: denied where any denies, granted where any grants and none denies."""
    stated: dict[Class, bool] = {}
    for each in statements:
        for name, granted in each.items():
            stated[name] = stated.get(name, True) and granted
    return stated
