"""The shapes of Segment's regulations."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from identity.values.public_fields import Time


class Regulation(Struct, rename="camel"):
    """A regulation to be carried out: its type, what the subjects are named by, and 1 to 5,000 of them."""

    regulation_type: str
    subject_type: Annotated[str, Meta(min_length=1, max_length=48)]
    subject_ids: list[str]


class RegulationError(Struct, rename={"type_": "type"}):
    """What was wrong."""

    type_: str
    message: str


class RegulationErrors(Struct):
    """Errors, as Segment's public API tells them."""

    errors: list[RegulationError]


class Regulated(Struct, rename="camel"):
    """Which regulation it is from now on."""

    regulate_id: str


class RegulationMade(Struct):
    """A regulation that was carried out here."""

    data: Regulated


class RegulationShown(Struct, rename="camel"):
    """A regulation and how far it is."""

    id: str
    workspace_id: str
    overall_status: str
    created_at: Time
    stream_status: list[dict[str, Any]]


class OneRegulation(Struct):
    """A regulation, wrapped once more."""

    regulation: RegulationShown


class RegulationFound(Struct):
    """One regulation."""

    data: OneRegulation


class RegulationsFound(Struct):
    """A page of regulations; their subjects are never told, as they are gone."""

    data: dict[str, Any]
