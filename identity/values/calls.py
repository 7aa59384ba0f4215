"""The values that travel between reading in, planning, sealing and storing.

Nothing here does any work. Times are microseconds since 1970 (UTC), stamps are
`microseconds << 8 | writer slot` (`identity.values.stamps`), ids of profiles are the 16 raw bytes of a
UUID, keys of identifiers are their 32-byte blind index.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from msgspec import Struct

Kind = Literal["identify", "track", "page", "screen", "group", "alias", "leave", "unmerge", "remove", "consent"]
KINDS: tuple[Kind, ...] = ("identify", "track", "page", "screen", "group", "alias")
"""What may be sent; only these count as events."""
ACTS: tuple[Kind, ...] = ("unmerge", "remove")
"""What people do to a profile: evidence that tells nothing of its own."""
STORED_KINDS: tuple[Kind, ...] = (*KINDS, "leave", *ACTS, "consent")
"""What is stored, by number. Two are Onefold's own: a `leave` takes a profile out of a group, a `consent`
records decisions on somebody's behalf.
"""


class IndexVersions(NamedTuple):
    """Which versions of a space's index key there are rows under.

    Keys are made under the `newest`. Those of profiles and groups may still be of `live`, one before it,
    while a rotation is under way; message ids of `messages`, and what only a hash is kept of of `oldest`.
    """

    newest: int = 1
    live: int = 1
    messages: int = 1
    oldest: int = 1


MICRO = 1_000_000
DAY = 86_400 * MICRO


class Identifier(Struct, gc=False):
    """One identifier, normalised. `key` is its blind index, set once the call is indexed."""

    type: str
    value: str
    key: bytes = b""

    @property
    def text(self) -> str:
        """As it is written in the API: `type:value`."""
        return f"{self.type}:{self.value}"


class Skipped(Struct, gc=False):
    """An identifier of a call that was not linked, and why (`reason` as in the contract)."""

    identifier: Identifier
    reason: str


class Source(Struct, frozen=True, gc=False):
    """Who sent a call: the key's number, whether it is a server-side key (import or admin)."""

    key: int
    server: bool = False


class Alias(Struct, gc=False):
    """The previous id of an alias call, in the two readings it can have.

    `user` and `anonymous` are None where the value is not usable; `assumed` names the reading
    that holds when neither is known. `to` is the call's own user id, which the previous one is to
    be linked to.
    """

    user: Identifier | None
    anonymous: Identifier | None
    assumed: Literal["user_id", "anonymous_id"]
    force: bool = False
    to: Identifier | None = None


class Call(Struct):
    """One call as read in: what it claims, and its body as it arrived.

    `identifiers` are normalised, unblocked, without repeats, in document order; `skipped` are
    those refused before any lookup (`blocked`, `bad_type`). `traits` are those of an identify,
    `consent` are decisions by category, `signals` what it says of whole classes of purposes,
    `group_traits` those of a group call, `group` is what it joins or leaves. `unlinked` are the
    readings of a previous id that links nothing: no identifiers, but named in the body. `message`
    is the keyed hash of `message_id`. `history`: an import that says itself when it was received.
    """

    kind: Kind
    message_id: str
    time: int
    received: int
    source: Source
    body: dict[str, Any]
    identifiers: list[Identifier]
    skipped: list[Skipped]
    traits: Mapping[str, Any] | None = None
    consent: Mapping[str, bool] | None = None
    signals: Mapping[str, Any] = {}
    group: str | None = None
    group_traits: Mapping[str, Any] | None = None
    alias: Alias | None = None
    unlinked: list[Identifier] = []
    message: bytes = b""
    group_key: bytes = b""
    history: bool = False


class Outcome(Struct, omit_defaults=False):
    """What became of one call; the shape of `Prefer: return=representation`.

    `ignored_traits` are names that found no room in a full document (`trait_limit`).
    """

    message_id: str | None
    status: Literal["accepted", "duplicate", "rejected", "suppressed", "unresolved"]
    reason: str | None = None
    profile_id: str | None = None
    created: bool = False
    merged: list[str] = []
    demoted: list[dict[str, str]] = []
    ignored_traits: list[str] = []
