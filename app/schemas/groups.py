"""Groups and memberships."""

from typing import Literal

from msgspec import Struct

from identity.values.public_fields import PublicProfileId


class Left(Struct):
    """The profile that was removed from the group."""

    group_id: str
    profile_id: PublicProfileId
    member: Literal[False]
