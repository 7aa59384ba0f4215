"""The previous id of an alias call, in both readings it can have (`merging.md` 4).

Reading does not know which ids exist, so it keeps both readings and says which one holds when
neither is known. A blocked or unusable id on either side links nothing.
"""

from typing import Any, Literal

from identity.identifiers import ANONYMOUS_ID, USER_ID, plain
from identity.model import Alias, Identifier, Source
from identity.planning.claims import Claims


def previous_id(
    body: dict[str, Any],
    claims: Claims,
    user: Identifier | None,
    anonymous: Identifier | None,
    source: Source,
) -> Alias | None:
    """What an alias links to `user`, or None for no link.

    `user` and `anonymous` are the identifiers of `userId` and `anonymousId`. The previous id is no
    identifier of the call, so `anonymous` leaves the claims where it is the previous one; without
    a link it stays what it is in any other call.
    """
    given = body.get("previousId")
    force = source.server and body.get("force") is True
    if given is None:
        if user is None or anonymous is None:
            return None
        claims.drop(anonymous)
        return Alias(None, anonymous, "anonymous_id", force)
    same = plain(given) == plain(body.get("anonymousId"))
    assumed: Literal["user_id", "anonymous_id"] = USER_ID
    other = ANONYMOUS_ID
    if same or body.get("previousIdType") == ANONYMOUS_ID:
        assumed, other = ANONYMOUS_ID, USER_ID
    previous = claims.read(assumed, given)
    if previous is None or user is None:
        return None
    if same and anonymous is not None:
        claims.drop(anonymous)
    reread = None if claims.rules.blocked(other, previous.value) else Identifier(other, previous.value)
    if assumed == USER_ID:
        return Alias(previous, reread, assumed, force)
    return Alias(reread, previous, assumed, force)
