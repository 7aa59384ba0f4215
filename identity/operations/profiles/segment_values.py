"""The values of the lists of Segment's Profile API, of users (profiles) and accounts (groups) alike."""

from typing import Any, Final, Literal, TypeAlias

from msgspec import Struct

from identity.planning.resolution.stored_calls import StoredCall
from identity.values.calls import Identifier, Kind
from identity.values.ids import ProfileId
from identity.values.stamps import Micros

Collection: TypeAlias = Literal["users", "accounts"]
USERS: Final = "users"
ACCOUNTS: Final = "accounts"


class SourcedTrait(Struct, frozen=True):
    """A trait; `source` is the public id of the key that set it, where that was looked up and is known."""

    value: Any
    source: str | None
    updated_at: Micros


class SourcedIdentifier(Struct, frozen=True):
    """An identifier with the call that linked it, and the public id of the key that sent the call."""

    collection: Collection
    type: str
    value: str
    created_at: Micros
    call: StoredCall | None
    source: str | None


class SourcedCall(Struct, frozen=True):
    """A call of a list as the kind that it is listed as, with its profile and the identifiers to show."""

    collection: Collection
    kind: Kind
    call: StoredCall
    source: str | None
    profile_id: ProfileId
    identifiers: list[Identifier]


class CollectionTimes(Struct, frozen=True):
    """The times of a profile or group, with its first and last calls and the keys that sent them."""

    created_at: Micros
    updated_at: Micros
    first: StoredCall | None
    first_source: str | None
    last: StoredCall | None
    last_source: str | None


class CollectionLink(Struct, frozen=True):
    """A profile or group of the other collection, by its identifiers."""

    collection: Collection
    identifiers: list[SourcedIdentifier]


class ListedUser(Struct, frozen=True):
    """A profile in the list of all."""

    id: ProfileId
    created_at: Micros
    updated_at: Micros


class ListedAccount(Struct, frozen=True):
    """A group in the list of all."""

    name: str
    created_at: Micros
