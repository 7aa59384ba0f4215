"""The rules of a space."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType


class TypeLimit(Struct):
    """How many identifiers of a type a profile may have; with `days`, within so many days."""

    max: int
    days: int | UnsetType = UNSET


class RulesDocument(Struct):
    """The rules of a space. What is left out has its default."""

    limits: dict[str, TypeLimit] | UnsetType = UNSET
    default_limit: TypeLimit | UnsetType = UNSET
    priority: list[str] | UnsetType = UNSET
    blocked: Annotated[dict[str, list[str]], Meta(description="RE2 patterns by type.")] | UnsetType = UNSET
    max_identifiers: int | UnsetType = UNSET
    max_merges: int | UnsetType = UNSET
    region: Annotated[str, Meta(examples=["US"])] | UnsetType = UNSET
    promote_property_email: bool | UnsetType = UNSET
    alias_rename: Literal["server", "any"] | UnsetType = UNSET


class RulesInForce(RulesDocument, kw_only=True):
    """The rules in force, defaults filled in."""

    version: int


class RulesVersion(Struct):
    """The version under which every later call is planned."""

    version: int
