"""Reads the previous id of an alias call both as a user id and as an anonymous id (docs/merging-rules.md §4).

A blocked or unusable id on either side links nothing. Which ids exist is unknown when a call is read, so the
call keeps both readings and names the one that holds where neither is known.
"""

from typing import Any, Literal

from identity.planning.resolution.claimed_identifiers import ClaimedIdentifiers
from identity.planning.resolution.placeholder_values import is_placeholder
from identity.planning.resolution.resolution_rules import Rules
from identity.values.calls import Alias, Identifier, Source
from identity.values.identifiers import ANONYMOUS_ID, USER_ID, normalise, plain


def previous_id(
    body: dict[str, Any],
    claims: ClaimedIdentifiers,
    user: Identifier | None,
    anonymous: Identifier | None,
    source: Source,
) -> Alias | None:
    """The readings of the id that an alias links to `user`, or None for no link.

    `user` and `anonymous` are the identifiers of `userId` and `anonymousId`. Without a `previousId` the
    anonymous id takes its place and leaves the claims. Where both fields hold the same value, the anonymous
    id stays a claim, since the previous id may be a known user id.
    """
    given = body.get("previousId")
    force = source.server and body.get("force") is True
    if given is None:
        if user is None or anonymous is None:
            return None
        claims.drop(anonymous)
        return Alias(None, anonymous, "anonymous_id", force, user)
    same = plain(given) == plain(body.get("anonymousId"))
    assumed: Literal["user_id", "anonymous_id"] = USER_ID
    other = ANONYMOUS_ID
    if same or body.get("previousIdType") == ANONYMOUS_ID:
        assumed, other = ANONYMOUS_ID, USER_ID
    previous, reread = claims.read(assumed, given), _reread(other, given, claims.rules)
    if user is None or (previous is None and reread is None):
        return None
    if assumed == USER_ID:
        return Alias(previous, reread, assumed, force, user)
    return Alias(reread, previous, assumed, force, user)


def _reread(type_: str, given: object, rules: Rules) -> Identifier | None:
    """The other reading, which counts only where the identifier is known."""
    value = normalise(type_, given, rules.region)
    if value is None or is_placeholder(value) or rules.blocked(type_, value):
        return None
    return Identifier(type_, value)


def readings(given: object, rules: Rules) -> list[Identifier]:
    """Every identifier that a previous id can name."""
    values = ((type_, normalise(type_, given, rules.region)) for type_ in (USER_ID, ANONYMOUS_ID))
    return [Identifier(type_, value) for type_, value in values if value is not None]
