"""Reads what a call states on consent under a misspelt name, or in another place than the one that is read.

Such a statement never grants. A statement of consent denies every category, as an unreadable one does, since it may
have been a withdrawal. A `gpc` in another place or under another name (`doNotSell`) opts out by every value that is not
clearly a no. Among properties and traits `gpc` may be a word of the customer's own (a category of products), so a value
that cannot be read is listed alone there. An answer that no framework defines (`consentGiven`, the record of a consent
manager) denies every category unless the answer is a clear yes.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from identity.planning.consent.plain_answers import has_denial, is_empty, is_yes, may_deny
from identity.planning.consent.signals import gpc
from identity.values.calls import KINDS, Kind
from identity.values.fields import consent_names
from identity.values.fields.consent_managers import ANSWERS, RECORDS, WITHDRAWALS
from identity.values.fields.consent_words import BY_WORDS, GRANTS, OPT_OUTS, REFUSALS
from identity.values.fields.field_names import CONSENT, CONTEXT, held_statements
from identity.values.fields.names import MisspeltField, bare

_CONSENT: Final = consent_names.CONSENT
_CONTEXT: Final = "context"
_CATEGORIES: Final = (_CONSENT, consent_names.CATEGORIES, consent_names.MANAGED)
_GPC: Final = "gpc"
_STRINGS: Final = consent_names.STRINGS
_ANSWERED: Final = BY_WORDS | {ANSWERS, RECORDS, WITHDRAWALS}
_TYPE: Final = f"{consent_names.CONSENT_MODE}."
_OWN: Final = ("properties.", "traits.", "context.traits.")
_DEPTH: Final = 3
_NOTHING: Final[tuple[object, ...]] = (None, "", [], {})
_NO: Final[tuple[object, ...]] = (False,)
"""Also a zero, which is equal."""
_NAMES: Final = {"googleConsentMode": "gcm", "usPrivacy": "us_privacy"}


class Misplaced(NamedTuple):
    """The kinds of statement that a call makes under misspelt names."""

    categories: bool = False
    opt_out: bool = False
    signals: tuple[tuple[str, Any], ...] = ()
    """The other members of `context.consent`, by their right names."""
    unread: bool = False
    """Whether the value of a `gpc` cannot be read."""

    @property
    def any(self) -> bool:
        """Whether there is a statement."""
        return self.categories or self.opt_out or self.unread or bool(self.signals)

    @property
    def names(self) -> list[str]:
        """The names under which a call lists the statements as invalid signals."""
        others = [_NAMES.get(name, name) for name, _ in self.signals]
        return ["consent"] * self.categories + [_GPC] * (self.opt_out or self.unread) + others


NO_MISPLACED: Final = Misplaced()


def misplaced_statements(fields: Iterable[MisspeltField], *, depth: int = _DEPTH) -> Misplaced:
    """The statements in the misspelt members of a call; an empty value states nothing."""
    categories = opt_out = unread = False
    signals: list[tuple[str, Any]] = []
    for field in fields:
        for path, right, value in _parts(field):
            if right in _ANSWERED:
                categories = categories or denies_all(path, right, value)
            elif right == consent_names.GPC:
                stated = _opts_out(path, value)
                opt_out, unread = opt_out or stated is True, unread or stated is None
            elif right in _CATEGORIES:
                categories = categories or value not in _NOTHING
                if right == _CONSENT and isinstance(value, Mapping) and depth:
                    inner = misplaced_members(value, read=True, depth=depth - 1)
                    opt_out, unread = opt_out or inner.opt_out, unread or inner.unread
                    signals += inner.signals
            elif right.startswith(_TYPE) and value not in _NOTHING:
                signals.append(("googleConsentMode", {right.removeprefix(_TYPE): value}))
            elif right.startswith(_CONSENT) and not is_empty(value) and (right in _STRINGS or value not in _NO):
                # A TC string is the only one whose place may hold the answer itself (`gdprConsent`, `user.consent`).
                # Under a name with `consent` (`sp_consent`) another string may be an answer, too.
                answers = right == consent_names.TCF or (right in _STRINGS and "consent" in _last(path))
                categories = categories or (answers and has_denial(value))
                name = right.removeprefix(f"{_CONSENT}.")
                signals.append((name, value))
                signals += _texts_within(name, value)
    return Misplaced(categories, opt_out, tuple(signals), unread)


def misplaced_in_call(fields: Iterable[MisspeltField], body: Mapping[str, Any], kind: Kind) -> Misplaced:
    """The statements in the misspelt members of a call, and in `decisions`, which only `POST /v1/consent` reads."""
    found = misplaced_statements(fields) if fields else NO_MISPLACED
    denied = "decisions" in body and kind in KINDS and has_denial(body["decisions"])
    return found._replace(categories=True) if denied else found


def misplaced_members(consent: Mapping[str, Any], *, read: bool = False, depth: int = _DEPTH) -> Misplaced:
    """The signals under misspelt names in a consent object, and in an object such as `headers` or `consent` within it.

    With `read` also those under their right names.
    """
    found = [each for each in CONSENT.misspelt(consent) if each.right == _CONSENT or each.right not in _CATEGORIES]
    found += held_statements(consent, "")
    names = ("tcf", "gpp", "googleConsentMode", "usPrivacy", "minor")
    found += [
        MisspeltField(name, f"{_CONSENT}.{name}", consent[name])
        for name in names
        if name in consent and (read or isinstance(consent[name], Mapping))
    ]
    return misplaced_statements(found, depth=depth)._replace(categories=False)


def _texts_within(name: str, value: object) -> list[tuple[str, Any]]:
    """The signals in an object in the place of a text, as the interfaces of the IAB answer (`uspString`)."""
    if f"{_CONSENT}.{name}" not in _STRINGS or not isinstance(value, Mapping):
        return []
    within = consent_names.statements_elsewhere(value, "", depth=0)
    return [(each.right.removeprefix(f"{_CONSENT}."), each.value) for each in within if each.right in _STRINGS]


def denies_all(path: str, right: str, value: object) -> bool:
    """Whether an answer under a name of `consent_managers` denies every category.

    Among properties and traits a general answer may be a value of the customer's own, so there a clear no denies alone.
    """
    if right in (WITHDRAWALS, REFUSALS):
        return gpc.read_words(value)
    if right in (GRANTS, OPT_OUTS):
        return has_denial(value) if right == GRANTS else is_yes(value)
    return has_denial(value) if right == ANSWERS and path.startswith(_OWN) else may_deny(value)


def _last(path: str) -> str:
    return bare(path.rpartition(".")[2])


def _opts_out(path: str, value: object) -> bool | None:
    """Whether a member opts out; None for a `gpc` that cannot be read and is no opt-out."""
    if _last(path) != _GPC:
        return gpc.read_words(value)
    stated = gpc.read_field(value)
    return True if stated is None and not path.startswith(_OWN) and gpc.read_words(value) else stated


def _parts(field: MisspeltField) -> Iterable[MisspeltField]:
    """The members that a member stands for: those in a misspelt context, or itself."""
    if field.right != _CONTEXT or not isinstance(field.value, Mapping):
        return [field]
    own = [
        MisspeltField(name, f"{_CONTEXT}.{name}", value)
        for name, value in field.value.items()
        if name in ("consent", _GPC)
    ]
    return own + CONTEXT.misspelt(field.value)
