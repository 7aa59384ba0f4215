"""What identity tokens state and prove, as values.

A server of the customer signs an identity token for the person who is signed in; her browser sends the token with its
calls. Invariant: no value here holds a token. What a token proves of a call is stored with the call, so that a replay
decides as the call did, long after the token has expired.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct

FIELD: Final = "context.identityToken"
_USER_ID: Final = "user_id"
PROVABLE: Final = (_USER_ID, "email", "phone")
"""The types that a token can name, by its claims `sub`, `email` and `phone`."""


class TokenFault(StrEnum):
    """Why a token proves nothing of a call. The call counts as one of its key alone."""

    NOT_TEXT = "identity_token:not_text"
    TOO_LONG = "identity_token:too_long"
    TOO_MANY = "identity_token:too_many"
    MALFORMED = "identity_token:malformed"
    UNKNOWN_KEY = "identity_token:unknown_key"
    WRONG_ALGORITHM = "identity_token:wrong_algorithm"
    BAD_SIGNATURE = "identity_token:bad_signature"
    WRONG_AUDIENCE = "identity_token:wrong_audience"
    NO_EXPIRY = "identity_token:no_expiry"
    LIVES_TOO_LONG = "identity_token:lives_too_long"
    EXPIRED = "identity_token:expired"
    NOT_YET_VALID = "identity_token:not_yet_valid"
    BAD_CLAIM = "identity_token:bad_claim"
    NO_SUBJECT = "identity_token:no_subject"
    OTHER_USER = "identity_token:other_user"


class TokenClaims(Struct, frozen=True):
    """The identifiers that a verified token names: those of the person of `user_id`."""

    user_id: str
    email: str | None = None
    phone: str | None = None

    def named(self) -> tuple[tuple[str, str | None], ...]:
        """The identifiers by type; None where the token names none of a type."""
        return tuple(zip(PROVABLE, (self.user_id, self.email, self.phone), strict=True))


class Proof(Struct, frozen=True, array_like=True):
    """What a token proves of one call: identifiers by type, normalised, and the traits that hold one of them."""

    identifiers: dict[str, str]
    traits: list[str] = []

    def claims(self) -> TokenClaims | None:
        """The claims that prove the same again; None without a user id."""
        user_id = self.identifiers.get(_USER_ID)
        return None if user_id is None else TokenClaims(user_id, *map(self.identifiers.get, PROVABLE[1:]))

    def without(self, gone: set[tuple[str, str]]) -> "Proof | None":
        """The proof without some identifiers (type, value); None without the user id, on which the others rest."""
        left = {type_: value for type_, value in self.identifiers.items() if (type_, value) not in gone}
        return Proof(left, [name for name in self.traits if name in left]) if _USER_ID in left else None
