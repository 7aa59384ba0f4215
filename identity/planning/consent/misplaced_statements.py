"""Reads what a call states on consent under a misspelt name, or in another place than the one that is read.

Such a statement never grants. A statement of consent denies every category, as an unreadable one does, since it may
have been a withdrawal; Global Privacy Control opts out as under its right name.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from identity.planning.consent.signals import gpc
from identity.values.field_names import CONTEXT, MisspeltField

_CONSENT: Final = "context.consent"
_GPC: Final = "context.gpc"
_CONTEXT: Final = "context"


class Misplaced(NamedTuple):
    """The kinds of statement that a call makes under misspelt names."""

    categories: bool = False
    opt_out: bool = False

    @property
    def any(self) -> bool:
        """Whether there is a statement."""
        return self.categories or self.opt_out

    @property
    def names(self) -> list[str]:
        """The names under which a call lists the statements as invalid signals."""
        return ["consent"] * self.categories + ["gpc"] * self.opt_out


NO_MISPLACED: Final = Misplaced()


def misplaced_statements(fields: Iterable[MisspeltField]) -> Misplaced:
    """The statements in the misspelt members of a call; an empty value states nothing."""
    categories = opt_out = False
    for field in fields:
        for right, value in _parts(field):
            if right.startswith(_CONSENT):
                categories = categories or value not in (None, "", [], {})
            elif right == _GPC:
                opt_out = opt_out or gpc.read_field(value) is True
    return Misplaced(categories, opt_out)


def _parts(field: MisspeltField) -> Iterable[tuple[str, Any]]:
    """The paths that a member stands for, with their values: those in a misspelt context, or its own."""
    if field.right != _CONTEXT or not isinstance(field.value, Mapping):
        return [(field.right, field.value)]
    own = [(f"{_CONTEXT}.{name}", value) for name, value in field.value.items() if name in ("consent", "gpc")]
    return own + [(each.right, each.value) for each in CONTEXT.misspelt(field.value)]
