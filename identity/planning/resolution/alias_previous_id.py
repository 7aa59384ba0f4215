"""Reads the previous id of an alias call both as a user id and as an anonymous id (docs/merging-rules.md §4).

A blocked or unusable id on either side links nothing. Which ids exist is unknown when a call is read, so the
call keeps both readings and names the one that holds where neither is known. `previousIdType` names one under the name
of a type or of the field of a call (`anonymousId`); ingest rejects any other value, which would make a user id of it.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

from identity.planning.resolution.claimed_identifiers import ClaimedIdentifiers, named, read
from identity.planning.resolution.resolution_rules import Rules
from identity.values.calls import Alias, DemotedIdentifier, Identifier, Source
from identity.values.fields.names import bare
from identity.values.identifiers import ANONYMOUS_ID, USER_ID

_TYPES: Final[Mapping[str, Literal["user_id", "anonymous_id"]]] = {"userid": USER_ID, "anonymousid": ANONYMOUS_ID}
_PREVIOUS: Final = frozenset({"previousid", "previoususerid", "previous", "oldid", "from", "fromid"})


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
        return Alias(user=None, anonymous=anonymous, assumed="anonymous_id", force=force, to=user)
    found = {type_: read(type_, given, claims.rules) for type_ in (USER_ID, ANONYMOUS_ID)}
    assumed: Literal["user_id", "anonymous_id"] = USER_ID
    if found[ANONYMOUS_ID] == anonymous or previous_id_type(body) == ANONYMOUS_ID:
        assumed = ANONYMOUS_ID
    previous = found[assumed]
    if isinstance(previous, DemotedIdentifier):
        claims.demote(previous)
    by_user, by_anonymous = (each if isinstance(each, Identifier) else None for each in found.values())
    if user is None or (by_user is None and by_anonymous is None):
        return None
    return Alias(user=by_user, anonymous=by_anonymous, assumed=assumed, force=force, to=user)


def previous_id_type(body: Mapping[str, Any]) -> Literal["user_id", "anonymous_id"] | None:
    """The type that an alias states for its previous id; None where it states none, or none that can be read."""
    stated = body.get("previousIdType")
    return _TYPES.get(bare(stated.strip())) if isinstance(stated, str) else None


def states_other_type(body: Mapping[str, Any]) -> bool:
    """Whether an alias states a type of its previous id that cannot be read; blank text states none."""
    stated = body.get("previousIdType")
    blank = stated is None or (isinstance(stated, str) and not stated.strip())
    return not blank and previous_id_type(body) is None


def misspelt_previous_id(body: Mapping[str, Any]) -> str | None:
    """The field of an alias that stands in the place of `previousId`, by another spelling or name; None without."""
    if body.get("previousId") is not None:
        return None
    return next((name for name in body if name.replace("_", "").replace("-", "").lower() in _PREVIOUS), None)


def readings(given: object, rules: Rules) -> list[Identifier]:
    """Every identifier that a previous id can name, a blocked one too."""
    found = (named(read(type_, given, rules)) for type_ in (USER_ID, ANONYMOUS_ID))
    return [identifier for identifier in found if identifier is not None]
