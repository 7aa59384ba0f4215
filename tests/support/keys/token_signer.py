"""Signs identity tokens for a space as a server of its customer does, and forged ones as an attacker does."""

import time
from collections.abc import Callable
from typing import Any, Final

from identity.operations.spaces.manage_identity_keys import add_identity_key
from identity.spaces.space import Space
from identity.values.ids import public
from tests.support.keys.identity_tokens import signed

_OTHER: Final = "another secret " * 3
Sign = Callable[[dict[str, Any]], str]
"""The token of claims; the claim `forged` chooses another secret."""


async def token_signer(space: Space) -> Sign:
    """Put an identity key in force; returns what signs for the space with it."""
    made = await add_identity_key(space, "HS256", "web", None, "test")
    audience, key_id, secret = public("spc", space.public_id), made.key.id, made.secret

    def sign(claims: dict[str, Any]) -> str:
        now = int(time.time())
        payload = {"aud": audience, "iat": now, "exp": now + 3_600, **claims}
        return signed(payload, kid=key_id, key=_OTHER if payload.pop("forged", False) else secret)

    return sign
