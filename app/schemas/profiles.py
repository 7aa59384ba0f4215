"""Lookups of profiles."""

from typing import Annotated

from msgspec import Meta, Struct

from identity.operations.profiles.answers import CanonicalProfile

MOST_LOOKED_UP = 1_000


class Lookup(Struct):
    """Identifiers to look up, each as `type:value`."""

    identifiers: Annotated[list[str], Meta(max_length=MOST_LOOKED_UP)]


class FoundProfiles(Struct):
    """The profile of each identifier of the request; null where there is none."""

    profiles: dict[str, CanonicalProfile | None]
