"""The classes of purposes that signals speak of, and how statements are put together.

A denial beats a grant wherever two statements meet, in whatever order they come.
"""

from collections.abc import Mapping
from typing import Final, Literal

Class = Literal["ads", "analytics", "personalisation", "functional", "sale_share", "sensitive", "necessary"]
Statements = Mapping[Class, bool]

OPT_OUT: Final[Statements] = {"sale_share": False, "ads": False}
"""What an opt-out of sale and sharing denies."""


def together(*told: Statements) -> dict[Class, bool]:
    """All statements as one: denied where any denies, granted where any grants and none denies."""
    stated: dict[Class, bool] = {}
    for each in told:
        for name, granted in each.items():
            stated[name] = stated.get(name, True) and granted
    return stated
