"""Signs messages to callbacks, and verifies messages from them: Standard Webhooks.

While a secret is replaced, both sign and either is accepted. Comparisons take constant time. A message is valid
for five minutes before and after its time, so a receiver has to remember ids for ten minutes.

Both directions use one secret. Onefold gives its own messages ids that begin with OURS, and `verify` takes no such id:
the id is signed, so a message of Onefold that somebody sends back counts for nothing.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hmac import compare_digest
from typing import Final

from standardwebhooks import Webhook

from identity.values.calls import MICRO
from identity.values.errors import InvalidSignature, KeyUnavailable

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE: Final = 300 * MICRO
SHORTEST_SECRET: Final = 24
MOST_SIGNATURES: Final = 8
OURS: Final = "onefold_"
"""How the ids of the messages of Onefold begin."""
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_SECONDS: Final = re.compile(r"[0-9]{1,11}")


def sign(secrets: Sequence[bytes], message: str, at: int, body: bytes) -> dict[str, str]:
    """The headers that sign a JSON body as `message`, an id without dots, at a time (microseconds).

    `secrets` are one or two, of at least SHORTEST_SECRET bytes. KeyUnavailable if there is none.
    """
    assert _ID.fullmatch(message)
    seconds = at // MICRO
    signatures = _signatures(secrets, message, seconds, body.decode())
    return {ID: message, TIMESTAMP: str(seconds), SIGNATURE: " ".join(signatures)}


def verify(secrets: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: int) -> str:
    """The id of a message that one of the secrets signed within TOLERANCE of `now` (microseconds).

    `headers` have names in lower case, `body` is as received. InvalidSignature. The caller checks whether the id is
    new and belongs to the message that it answers.
    """
    message, seconds, signed = (headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    signatures = signed.split(" ")
    if (
        not _ID.fullmatch(message)
        or message.startswith(OURS)
        or not _SECONDS.fullmatch(seconds)
        or len(signatures) > MOST_SIGNATURES
    ):
        raise InvalidSignature
    if abs(int(seconds) * MICRO - now) > TOLERANCE:
        raise InvalidSignature
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise InvalidSignature from None
    good = False
    for expected in _signatures(secrets, message, int(seconds), text):
        for each in signatures:
            good |= compare_digest(expected.encode(), each.encode("utf-8", "replace"))
    if not good:
        raise InvalidSignature
    return message


def _signatures(secrets: Sequence[bytes], message: str, seconds: int, body: str) -> list[str]:
    if not secrets or any(len(secret) < SHORTEST_SECRET for secret in secrets):
        raise KeyUnavailable
    at = datetime.fromtimestamp(seconds, UTC)
    return [Webhook(secret).sign(message, at, body) for secret in secrets]
