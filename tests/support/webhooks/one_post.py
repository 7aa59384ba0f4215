"""One POST to a server that acts as a test decides, with what came of it."""

import asyncio
from typing import Any

from identity.values.errors import OnefoldError
from identity.webhooks.client import CallbackAnswer
from tests.support.webhooks.tls_server import (
    HOST,
    Act,
    Names,
    Server,
    client,
    serving,
)

BODY = b'{"erased": true}'


def called(
    act: Act, *names: list[str], server_host: str = HOST, **changed: Any
) -> tuple[CallbackAnswer | OnefoldError, Server]:
    """Post once to a server that acts so; what came of it, and the server."""

    async def run() -> tuple[CallbackAnswer | OnefoldError, Server]:
        async with (
            serving(act, server_host) as server,
            client(server, Names(*names or (["127.0.0.1"],)), **changed) as it,
        ):
            try:
                return await it.post(server.url("/hook?a=1"), BODY, {"webhook-id": "m1"}, bytes(16)), server
            except OnefoldError as error:
                return error, server

    return asyncio.run(run())
