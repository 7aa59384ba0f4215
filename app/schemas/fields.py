"""The types of fields that the API shows as text, with their description in the OpenAPI document."""

from typing import Annotated, Literal

from msgspec import Meta

from identity.planning.resolution.event_time import format_time
from identity.values.stamps import Micros

Time = Annotated[str, Meta(description="RFC 3339, UTC.", examples=["2026-01-31T12:00:00.000Z"])]
TypeHint = Annotated[
    str | None, Meta(description="Where nobody was found: the built-in type that the type of the identifier is like.")
]
PublicProfileId = Annotated[str, Meta(examples=["prf_0197c1a2b3c47d5e8f90a1b2c3d4e5f6"])]

LinkClass = Annotated[
    Literal["server", "proven", "public"],
    Meta(
        description="The best class of the calls that show it: of a server-side key, of a public key with an identity"
        " token that names both ends, or of a public key alone."
    ),
]


def time_or_null(moment: Micros | None) -> Time | None:
    """A time (microseconds) as the API writes it."""
    return None if moment is None else format_time(moment)
