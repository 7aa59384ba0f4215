"""Checks identity tokens: JWTs that servers of the customer sign for the person who is signed in.

Invariant: the key that `kid` names decides the algorithm, and nothing in a token is believed before its signature is
checked. A token costs little before that: its length, its shape, its header and its key come first. Times are compared
at every use, so a remembered token expires as a new one does.
"""

from base64 import urlsafe_b64decode
from binascii import Error as NotBase64
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any, Final

import msgspec

from identity.values.calls import MICRO
from identity.values.identity_tokens.claims import TokenClaims, TokenFault
from identity.values.stamps import Micros
from identity.vault.identity_tokens.keys import IdentityKey, PublicKey, loaded

LONGEST_TOKEN: Final = 4_096
LONGEST_LIFE: Final = 24 * 3_600
"""Seconds between now and `exp`, and between `iat` and `exp`."""
LEEWAY: Final = 60
"""Seconds by which the clock of the signing server may be ahead."""
REMEMBERED: Final = 4_096


class VerifiedToken(msgspec.Struct, frozen=True):
    """A token with a good signature, for this space. Times are in seconds since 1970."""

    claims: TokenClaims
    expires: float
    issued: float | None
    begins: float

    def at(self, now: Micros) -> TokenClaims | TokenFault:
        """What the token states at a time, or why it states nothing."""
        seconds = now / MICRO
        if seconds >= self.expires:
            return TokenFault.EXPIRED
        if seconds + LEEWAY < self.begins:
            return TokenFault.NOT_YET_VALID
        began = seconds if self.issued is None else min(seconds, self.issued)
        if self.expires - began > LONGEST_LIFE + LEEWAY:
            return TokenFault.LIVES_TOO_LONG
        return self.claims


class _Header(msgspec.Struct):
    kid: str
    alg: str


_header = msgspec.json.Decoder(_Header).decode


class TokenChecker:
    """Checks the tokens of one space with the keys in force. What it found of a token is remembered, without the token.

    `audience` is the public id of the space.
    """

    def __init__(self, keys: Iterable[IdentityKey], audience: str) -> None:
        self._keys = {key.id: key for key in keys}
        self._loaded: dict[str, PublicKey | bytes] = {}
        self._audience = audience
        self._remembered: OrderedDict[bytes, VerifiedToken | TokenFault] = OrderedDict()

    def check(self, token: object, now: Micros) -> TokenClaims | TokenFault:
        """What a token states, or why it states nothing. Raises nothing, whatever the token is."""
        if not isinstance(token, str):
            return TokenFault.NOT_TEXT
        if len(token) > LONGEST_TOKEN:
            return TokenFault.TOO_LONG
        if not token.isascii() or token.count(".") != 2:  # noqa: PLR2004 (the parts of a JWT)
            return TokenFault.MALFORMED
        digest = blake2b(token.encode(), digest_size=16).digest()
        found = self._remembered.get(digest)
        if found is None:
            found = self._remembered[digest] = self._verify(token)
            while len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
        return found if isinstance(found, TokenFault) else found.at(now)

    def _key_of(self, token: str) -> IdentityKey | TokenFault:
        try:
            header = _header(_decoded(token.partition(".")[0]))
        except msgspec.ValidationError:
            return TokenFault.UNKNOWN_KEY
        except (ValueError, RecursionError):
            return TokenFault.MALFORMED
        key = self._keys.get(header.kid)
        if key is None:
            return TokenFault.UNKNOWN_KEY
        return key if header.alg == key.algorithm else TokenFault.WRONG_ALGORITHM

    def _verify(self, token: str) -> VerifiedToken | TokenFault:
        key = self._key_of(token)
        if isinstance(key, TokenFault):
            return key
        # Imported with the first token: most processes never see one.
        import jwt

        if key.id not in self._loaded:
            self._loaded[key.id] = loaded(key)
        options: Any = {
            **{f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "sub", "jti", "iss")},
            "require": ["aud"],
        }
        try:
            payload = jwt.decode(
                token, self._loaded[key.id], algorithms=[key.algorithm], audience=self._audience, options=options
            )
        except jwt.InvalidSignatureError:
            return TokenFault.BAD_SIGNATURE
        except (jwt.InvalidAudienceError, jwt.MissingRequiredClaimError):
            return TokenFault.WRONG_AUDIENCE
        except (jwt.PyJWTError, ValueError, RecursionError):
            return TokenFault.MALFORMED
        return read_payload(payload)


def read_payload(payload: Mapping[str, Any]) -> VerifiedToken | TokenFault:
    """The claims of a token with a good signature. Other claims are ignored."""
    times = {name: _seconds(payload.get(name)) for name in ("exp", "iat", "nbf")}
    if times["exp"] is None:
        return TokenFault.NO_EXPIRY if payload.get("exp") is None else TokenFault.BAD_CLAIM
    if any(times[name] is None and payload.get(name) is not None for name in ("iat", "nbf")):
        return TokenFault.BAD_CLAIM
    subject, email, phone = (payload.get(name) for name in ("sub", "email", "phone"))
    if subject is None or subject == "":
        return TokenFault.NO_SUBJECT
    if not isinstance(subject, str) or not all(each is None or isinstance(each, str) for each in (email, phone)):
        return TokenFault.BAD_CLAIM
    return VerifiedToken(
        claims=TokenClaims(subject, email, phone),
        expires=times["exp"],
        issued=times["iat"],
        begins=max(times["nbf"] or 0.0, times["iat"] or 0.0),
    )


def _seconds(value: object) -> float | None:
    """A NumericDate; None for anything else. A number beyond all times is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:  # noqa: PLR2004
        return None
    return float(value)


def _decoded(part: str) -> bytes:
    try:
        return urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except NotBase64 as error:
        raise ValueError from error
