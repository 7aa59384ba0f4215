"""The wire shapes of the rules of a space, and how values become them."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from identity.planning.resolution.resolution_rules import Rules


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


def rules_in_force(value: Rules) -> RulesInForce:
    """The rules in force as the API answers them."""
    return msgspec.convert({**value.document(), "version": value.version}, RulesInForce)
