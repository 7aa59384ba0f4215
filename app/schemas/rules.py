"""The rules of a space."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType


class TypeLimitDocument(Struct):
    """The number of identifiers of a type that a profile may have; with `days`, within so many days."""

    max: int
    days: int | UnsetType = UNSET


class RulesDocument(Struct):
    """The rules of a space. An absent field has its default."""

    limits: dict[str, TypeLimitDocument] | UnsetType = UNSET
    default_limit: TypeLimitDocument | UnsetType = UNSET
    shared_limit: TypeLimitDocument | UnsetType = UNSET
    priority: list[str] | UnsetType = UNSET
    blocked: Annotated[dict[str, list[str]], Meta(description="RE2 patterns by type.")] | UnsetType = UNSET
    max_identifiers: int | UnsetType = UNSET
    max_merges: int | UnsetType = UNSET
    region: Annotated[str, Meta(examples=["US"])] | UnsetType = UNSET
    promote_property_email: bool | UnsetType = UNSET
    alias_rename: Literal["server", "any"] | UnsetType = UNSET


class RulesInForce(RulesDocument, kw_only=True):
    """The rules in force, with defaults."""

    version: int


class RulesVersion(Struct):
    """The version of the rules that every later call follows."""

    version: int
