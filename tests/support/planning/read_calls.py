"""Reads calls as the server does, and gives everything they name a key without a secret."""

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from identity.planning.resolution.call_requirements import receipt_time, require_event
from identity.planning.resolution.extract import extract
from identity.planning.resolution.resolution_rules import Rules
from identity.planning.resolution.stored_calls import StoredCall
from identity.planning.resolution.stored_calls import source as source_of
from identity.spaces.blind_indexes import named_message
from identity.values.calls import STORED_KINDS, Call, Identifier, Outcome, Source, demoted_identifiers
from identity.values.errors import BadCall
from identity.values.identity_tokens.claims import TokenClaims, TokenFault
from identity.values.ids import BlindIndex
from identity.values.stamps import Micros
from identity.values.timestamps import LATEST

SERVER = Source(key_number=1, server=True)
PUBLIC = Source(key_number=2)
LARGEST = 32 * 1024


def key_of(type_: str, value: str) -> BlindIndex:
    """A blind index without a secret, good enough for a test in memory."""
    return BlindIndex(hashlib.sha256(f"{type_}|{value}".encode()).digest())


def index(call: Call, key: Callable[[str, str], bytes] = key_of) -> Call:
    """Sets the keys of everything a call names."""
    named: list[Identifier | None] = [*call.identifiers, *call.unlinked, *demoted_identifiers(call)]
    if call.alias is not None:
        named += [call.alias.user, call.alias.anonymous]
    for identifier in named:
        if identifier is not None:
            identifier.key = BlindIndex(key(identifier.type, identifier.value))
    call.message_key = key("message", named_message(call))[:16]
    if call.group is not None:
        call.group_key = key("group", call.group)
    return call


def read(
    body: dict[str, Any],
    rules: Rules,
    received: int,
    source: Source = SERVER,
    token: TokenClaims | TokenFault | None = None,
) -> Call | Outcome:
    """One item of an import, as the server reads it."""
    if len(msgspec.json.encode(body)) > LARGEST:
        return Outcome(message_id=None, status="rejected", reason="too_large")
    try:
        own = None if body.get("receivedAt") is None else receipt_time(body["receivedAt"], LATEST)
        call = extract(
            body, kind=None, rules=rules, received=Micros(received if own is None else own), sent_at=None,
            source=source, token=token,
        )  # fmt: skip
        require_event(call)
    except BadCall as error:
        return Outcome(message_id=None, status="rejected", reason=error.code)
    return index(call)


def read_stored(stored: StoredCall, rules: Rules) -> Call:
    """A stored call, as it was read on arrival."""
    kind, sender = STORED_KINDS[stored.kind], source_of(stored)
    return extract(
        stored.body, kind=kind, rules=rules, received=stored.received, sent_at=None, source=sender, token=stored.token
    )
