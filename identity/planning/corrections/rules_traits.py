"""Refuses the name of a trait in a new rules document that can match nothing that anybody means.

A list `protected` takes the place of the default one, so a slip in it (`Email`, `*`) would let go of the address and
the number of everybody. Only names that are not in force are checked: stored rules stay in force.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from identity.planning.consent.alike_purposes import in_latin
from identity.planning.resolution.resolution_rules import Rules
from identity.planning.resolution.rules.trait_rules import DEFAULT_PROTECTED
from identity.values.errors import BadRules
from identity.values.plain_text import is_visible

_PREFIXES: Final = ("traits.", "context.traits.")


def require_trait_names(document: object, before: Rules) -> None:
    """Raise BadRules for the first name of a trait in a valid document that can match nothing, or is repeated."""
    if not isinstance(document, Mapping):
        return
    protected, survivorship = document.get("protected") or [], document.get("survivorship") or {}
    _require_names("protected", protected, before.traits.protected)
    _require_names("survivorship", survivorship, before.traits.by_name)
    counts = Counter(protected)
    for nr, name in enumerate(protected, 1):
        if counts[name] > 1:
            raise BadRules(f"Entry {nr} of `protected` stands there more than once; name each trait once.")
        meant = _default_like(name)
        if meant is not None and meant not in counts and name not in before.traits.protected:
            raise BadRules(
                f"Entry {nr} of `protected` is like {meant} and not equal to it, so {meant} would not be protected. Did"
                f" you mean {meant}? To protect a trait of your own with this name, name {meant} too."
            )


def unprotected(before: Rules, after: Rules) -> list[str]:
    """The traits that a change of the rules stops protecting."""
    return [name for name in before.traits.guarded if name not in after.traits.guarded]


def _require_names(field: str, names: Iterable[str], in_force: Iterable[str]) -> None:
    for nr, name in enumerate(names, 1):
        if name in in_force:
            continue
        where = f"Entry {nr} of `{field}`"
        if name == "*":
            raise BadRules(f"{where} is *, which is no wildcard here: name each trait, such as email.")
        if name != name.strip() or not name.isprintable() or not is_visible(name):
            raise BadRules(
                f"{where} has blanks at its ends or characters that show nothing; write the name as calls send it."
            )
        if name.startswith(_PREFIXES):
            raise BadRules(f"{where} is a path; write the name of the trait alone, without traits. before it.")


def _default_like(name: str) -> str | None:
    """The default protected trait with the letters of a name, or with letters that look alike, that is another text."""
    letters = "".join(filter(str.isalnum, in_latin(name))).casefold()
    return letters if letters in DEFAULT_PROTECTED and letters != name else None
