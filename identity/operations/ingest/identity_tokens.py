"""Checks the identity tokens of one request.

A request is read again where the rules change before its commit: each token then states what it stated before.
"""

from typing import Final

from identity.spaces.space import Space
from identity.values.identity_tokens.claims import TokenClaims, TokenFault
from identity.values.stamps import Micros

MOST_TOKENS: Final = 20
"""Different tokens of one request: a browser has one person at a time, and a signature costs time."""


class RequestTokens:
    """What the tokens of a request state."""

    __slots__ = ("_received", "_stated")

    def __init__(self, received: Micros) -> None:
        self._received = received
        self._stated: dict[str, TokenClaims | TokenFault] = {}

    async def stated(self, space: Space, token: object) -> TokenClaims | TokenFault | None:
        """What a token states, or why it states nothing; None without a token. RolledBack, Unavailable."""
        if token is None:
            return None
        if not isinstance(token, str):
            return TokenFault.NOT_TEXT
        found = self._stated.get(token)
        if found is None:
            if len(self._stated) >= MOST_TOKENS:
                return TokenFault.TOO_MANY
            checker = await space.identity_keys.current()
            found = self._stated[token] = checker.check(token, self._received)
        return found
