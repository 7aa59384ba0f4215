"""A request checks few tokens, each once, also where it is read again."""

from pathlib import Path

from identity.operations.ingest.identity_tokens import MOST_TOKENS, RequestTokens
from identity.operations.spaces.manage_identity_keys import add_identity_key, end_identity_key
from identity.values.calls import MICRO
from identity.values.identity_tokens.claims import TokenClaims, TokenFault
from identity.values.ids import public
from identity.values.stamps import Micros
from tests.support.keys.identity_tokens import NOW, claims, signed
from tests.support.processes.writer_processes import Lab, ingesting


async def test_a_token_states_at_the_second_reading_what_it_stated_at_the_first(database: str, tmp_path: Path) -> None:
    """Also where its key ended meanwhile; a new request meets the end."""
    async with ingesting(Lab(database, tmp_path)) as ingest:
        space = ingest.space
        made = await add_identity_key(space, "HS256", "web", None, "t")
        payload = claims(aud=public("spc", space.public_id), email=None)
        token = signed(payload, kid=made.key.id, key=made.secret)
        received = Micros(NOW * MICRO)
        first = RequestTokens(received)
        assert await first.stated(space, token) == TokenClaims("ann")
        await end_identity_key(space, made.key.id, "t")
        assert await first.stated(space, token) == TokenClaims("ann")
        assert await RequestTokens(received).stated(space, token) == TokenFault.UNKNOWN_KEY


async def test_a_request_checks_few_tokens(database: str, tmp_path: Path) -> None:
    """Those that were checked before still count; what is no text is not checked at all."""
    async with ingesting(Lab(database, tmp_path)) as ingest:
        tokens = RequestTokens(Micros(NOW * MICRO))
        assert await tokens.stated(ingest.space, None) is None
        assert await tokens.stated(ingest.space, ["a"]) == TokenFault.NOT_TEXT
        for nr in range(MOST_TOKENS):
            assert await tokens.stated(ingest.space, str(nr)) == TokenFault.MALFORMED
        assert await tokens.stated(ingest.space, "more") == TokenFault.TOO_MANY
        assert await tokens.stated(ingest.space, "0") == TokenFault.MALFORMED
