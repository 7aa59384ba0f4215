"""The rules for the claims of public keys: which identifiers such a key may link, and who may name new types.

Invariant: a call of a public key reaches no profile by an identifier of a type that is `unclaimed`. The identifier
links where no profile has it, or to the profile that the other identifiers of the call lead to. Everybody can use a
public key, so an address in its call says who the caller claims to be.
"""

from collections.abc import Mapping
from typing import Final, Literal, cast, get_args

from msgspec import Struct

from identity.planning.resolution.rules import rules_fields as read
from identity.planning.resolution.rules.rules_fields import EVERY_TYPE
from identity.values.calls import Call, Identifier
from identity.values.errors import BadRules
from identity.values.identifiers import BUILT_IN, EMAIL, PHONE

Trust = Literal["source", "segment"]
"""`segment` takes the claims of public keys as Segment does: as those of a server."""
Claim = Literal["unclaimed", "any"]
"""`unclaimed`: linked where no other profile has the identifier. `any`: linked as from a server."""

# A stranger knows an address, a number or a customer number of somebody, but not the ids of a device.
_DEFAULTS: Final[dict[str, Claim]] = {EMAIL: "unclaimed", PHONE: "unclaimed", EVERY_TYPE: "unclaimed"}


class PublicClaims(Struct, frozen=True):
    """The claims of public keys by type; `*` stands for the custom types that are not named."""

    trust: Trust
    by_type: Mapping[str, Claim]

    @property
    def trusted(self) -> bool:
        """Whether a public key is as good as a server key."""
        return self.trust == "segment"

    def bars(self, call: Call, identifier: Identifier) -> bool:
        """Whether a call needs proof to reach a profile by one of its identifiers."""
        return self.claimed(identifier.type) and not call.vouches_for(identifier)

    def claimed(self, type_: str) -> bool:
        """Whether an identifier of a type that public keys alone have linked is a claim, which a server takes over."""
        if self.trusted:
            return False
        return (self.by_type.get(type_) or ("any" if type_ in BUILT_IN else self.by_type[EVERY_TYPE])) == "unclaimed"

    def claimable_first(self, call: Call, identifiers: list[Identifier]) -> list[Identifier]:
        """The identifiers of a call in their order, with those last by which it reaches no profile."""
        if call.source.server or self.trusted:
            return identifiers
        if call.proof is None:
            return sorted(identifiers, key=lambda identifier: self.claimed(identifier.type))
        return sorted(identifiers, key=lambda identifier: self.bars(call, identifier))


def public_claims(trust: object, by_type: object) -> PublicClaims:
    """The rules in two fields of a document; a type that is not named has its default. Raises BadRules."""
    if trust not in get_args(Trust):
        raise BadRules('`trust` must be "source" or "segment".')
    given = read.as_object(by_type, "`public`", '{"email": "unclaimed"}')
    read.type_names([type_ for type_ in given if type_ != EVERY_TYPE], "public")
    for type_, value in given.items():
        if value not in get_args(Claim):
            raise BadRules(f'{read.place("public", given, type_)} must be "unclaimed" or "any".')
    return PublicClaims(cast("Trust", trust), {**_DEFAULTS, **given})
