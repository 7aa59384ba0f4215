"""The wire shapes of the rules of a space, and how values become them."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from identity.operations.corrections.put_rules import ChangedRules
from identity.planning.resolution.resolution_rules import Rules
from identity.planning.resolution.rules.trait_rules import Survivorship
from identity.values.placeholders.placeholder_groups import shown_placeholders


class TypeLimitDocument(Struct, forbid_unknown_fields=True):
    """The number of identifiers of a type that a profile may have; with `days`, within so many days."""

    max: int
    days: int | UnsetType = UNSET


class PlaceholderValues(Struct):
    """The values that are blocked in every space and for every type; case and quotes around them do not matter."""

    values: list[str]
    patterns: list[str]
    emails: list[str]
    groups: Annotated[
        list[str], Meta(description="Patterns for the letters and digits of a `groupId`, in small letters.")
    ]


_AS_ANSWERED = Meta(description="As GET answers it, so that an answer can be sent back; another value is refused.")


class RulesDocument(Struct, forbid_unknown_fields=True):
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
    trust: Literal["source", "segment"] | UnsetType = UNSET
    public: dict[str, Literal["unclaimed", "any"]] | UnsetType = UNSET
    protected: list[str] | UnsetType = UNSET
    survivorship: dict[str, Survivorship] | UnsetType = UNSET
    placeholders: Annotated[PlaceholderValues, _AS_ANSWERED] | UnsetType = UNSET
    version: Annotated[int, _AS_ANSWERED] | UnsetType = UNSET


class RulesInForce(RulesDocument, kw_only=True):
    """The rules in force, with defaults, and the blocked placeholders, which no rules change."""

    placeholders: PlaceholderValues
    version: int


class RulesPatch(Struct, forbid_unknown_fields=True):
    """The fields to change; `limits`, `blocked` and `public` by type, `survivorship` by trait. Null is a default."""

    limits: dict[str, TypeLimitDocument | None] | UnsetType | None = UNSET
    default_limit: TypeLimitDocument | UnsetType | None = UNSET
    shared_limit: TypeLimitDocument | UnsetType | None = UNSET
    priority: list[str] | UnsetType | None = UNSET
    blocked: dict[str, list[str] | None] | UnsetType | None = UNSET
    max_identifiers: int | UnsetType | None = UNSET
    max_merges: int | UnsetType | None = UNSET
    region: str | UnsetType | None = UNSET
    promote_property_email: bool | UnsetType | None = UNSET
    alias_rename: Literal["server", "any"] | UnsetType | None = UNSET
    trust: Literal["source", "segment"] | UnsetType | None = UNSET
    public: dict[str, Literal["unclaimed", "any"] | None] | UnsetType | None = UNSET
    protected: list[str] | UnsetType | None = UNSET
    survivorship: dict[str, Survivorship | None] | UnsetType | None = UNSET
    placeholders: Annotated[PlaceholderValues, _AS_ANSWERED] | UnsetType | None = UNSET
    version: Annotated[int, _AS_ANSWERED] | UnsetType | None = UNSET


class RulesVersion(Struct):
    """The version of the rules that every later call follows.

    `reset` names the fields, as `field` or `field.type`, that the document left out and that have their defaults now.
    `unprotected` names the traits that this change stops protecting from public keys; absent without any.
    """

    version: int
    reset: list[str]
    unprotected: list[str] | UnsetType = UNSET


def rules_in_force(value: Rules) -> RulesInForce:
    """The rules in force as the API answers them."""
    return msgspec.convert(
        {**value.document(), "placeholders": shown_placeholders(), "version": value.version}, RulesInForce
    )


def rules_version(value: ChangedRules) -> RulesVersion:
    """A change of the rules as the API answers it."""
    return RulesVersion(value.version, value.reset, value.unprotected or UNSET)
