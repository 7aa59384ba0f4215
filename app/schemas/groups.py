"""Groups and memberships."""

from typing import Literal

from msgspec import Struct

from identity.values.public_fields import PublicProfileId


class Left(Struct):
    """A profile that is no member of a group."""

    group_id: str
    profile_id: PublicProfileId
    member: Literal[False]
