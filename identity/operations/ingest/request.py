"""Reads the bodies of a request into calls with blind indexes: the first step of ingest.

Invariant: a request keeps its bodies as they arrived, so it can be read again if the rules change before its commit.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from identity.operations.ingest.admission import weight
from identity.operations.ingest.identity_tokens import RequestTokens
from identity.planning.consent.statements import unknown_categories
from identity.planning.corrections.rules_types import nameable_types, refusal_of_type
from identity.planning.resolution.big_integers import tame
from identity.planning.resolution.call_requirements import (
    LONGEST_MESSAGE_ID,
    is_batch,
    receipt_time,
    rejection,
    rejection_hint,
    require_alias_ids,
    require_event,
    require_few_entries,
    require_few_identifiers,
    require_no_batch,
    require_one_call,
    require_time,
)
from identity.planning.resolution.claimed_identifiers import Memo
from identity.planning.resolution.extract import extract
from identity.planning.resolution.resolution_rules import Rules
from identity.spaces.blind_indexes import OlderKeys, index_call, older_keys_of
from identity.spaces.space import Space
from identity.values.calls import Call, DemotedIdentifier, IndexVersions, Kind, Outcome, Source
from identity.values.errors import BadCall, BatchTooLong
from identity.values.fields.beside_batch import unread_beside_batch
from identity.values.fields.field_names import shared_statements
from identity.values.fields.identity_token import NAME, take_token
from identity.values.fields.ignored_fields import FIELD_OF_IMPORT, MISSPELT_FIELD
from identity.values.identity_tokens.claims import TokenClaims, TokenFault
from identity.values.ids import BlindIndex
from identity.values.json import JsonObject
from identity.values.stamps import Micros

MOST_ITEMS = 2_500
LARGEST_ITEM = 32 * 1024
UNREAD_GPC = "gpc"
"""The invalid signal of a call that came with an unreadable `Sec-GPC` header."""
_size = msgspec.json.encode


class IngestRequest:
    """The calls of one request. They are committed together, in one transaction or not at all.

    `bodies` are the parsed calls. `kind` is the one that the path names, or None if each body names its own.
    A `dry_run` leaves nothing behind. With `history` (an import) bodies may carry the time of their receipt. `gpc`:
    the browser sent the header of Global Privacy Control, and each body records that; None: the header cannot be read,
    and each call lists that.
    `mended` counts by position the values of a body that no JSON can hold, `mended_rest` those beside the bodies.
    `size` is that of the whole body in bytes, if known; `weight` is the share of the queue.
    `index` holds the versions of the index key that the calls were read
    under, `older` the older blind indexes of the names. `outcomes` has one entry for each body: a rejection at reading,
    else the outcome of the plan.
    """

    __slots__ = (
        "bodies",
        "calls",
        "dry_run",
        "envelope",
        "gpc",
        "history",
        "index",
        "keys",
        "kind",
        "mended",
        "mended_rest",
        "older",
        "outcomes",
        "received",
        "rules",
        "source",
        "tokens",
        "weight",
    )

    def __init__(
        self,
        bodies: list[Any],
        *,
        source: Source,
        received: Micros,
        kind: Kind | None = None,
        envelope: JsonObject | None = None,
        history: bool = False,
        size: int | None = None,
        tamed: bool = True,
        dry_run: bool = False,
        gpc: bool | None = False,
        mended: Mapping[int, int] | None = None,
        mended_rest: int = 0,
    ) -> None:
        if len(bodies) > MOST_ITEMS:
            raise BatchTooLong
        self.bodies = bodies if tamed else [tame(body) for body in bodies]
        self.source = source
        self.received = received
        self.kind = kind
        self.envelope = envelope or {}
        self.history = history
        self.dry_run = dry_run
        self.gpc = gpc
        self.mended = mended or {}
        self.mended_rest = mended_rest
        self.tokens = RequestTokens(received)
        self.rules = -1
        self.outcomes: list[Outcome | None] = [None] * len(bodies)
        shared = self.envelope.get("context")
        beside = len(_size(shared)) if shared else 0
        # Each call is stored with the context beside the batch.
        self.weight = weight(len(bodies), (size or 0) + beside * len(bodies))
        if size is None or size > LARGEST_ITEM:
            self._reject_large(LARGEST_ITEM - beside)
        self.calls: list[tuple[int, Call]] = []
        self.keys: set[BlindIndex] = set()
        self.index = IndexVersions()
        self.older: OlderKeys | None = None

    def _reject_large(self, most: int) -> None:
        for at, body in enumerate(self.bodies):
            if len(_size(body)) > most and not is_batch(body):
                self.outcomes[at] = Outcome(message_id=_message_id(body), status="rejected", reason="too_large")

    async def read(self, space: Space, rules: Rules) -> None:
        """Reads every body that was not rejected yet, under these rules."""
        self.rules = rules.version
        self.calls = []
        shared = self.envelope.get("context")
        strays = shared_statements(self.envelope)
        unread = unread_beside_batch(self.envelope)
        sent_at = self.envelope.get("sentAt")
        memo: Memo = {}
        for at, body in enumerate(self.bodies):
            outcome = self.outcomes[at]
            if outcome is not None and outcome.status == "rejected":
                continue
            try:
                require_one_call(body)
                whole = self._whole({**strays, **body} if strays and isinstance(body, dict) else body, shared)
                token, context = None, whole.get("context") if isinstance(whole, dict) else None
                if isinstance(context, dict) and NAME in context:
                    whole, found = take_token(whole, context)
                    token = await self.tokens.stated(space, found)
                call = self._extract(whole, sent_at, rules, memo, token)
            except BadCall as error:
                self.outcomes[at] = Outcome(
                    message_id=_message_id(body),
                    status="rejected",
                    reason=error.code,
                    hint=rejection_hint(error.code, body) if isinstance(body, dict) else None,
                    mended_values=self._lost(at),
                )
            else:
                call.mended = self._lost(at)
                if unread:
                    beside = {name: MISSPELT_FIELD for name in unread if name not in body}
                    call.ignored_fields = {**call.ignored_fields, **beside}
                if self.gpc is None:
                    call.invalid_signals = list(dict.fromkeys([*call.invalid_signals, UNREAD_GPC]))
                self.calls.append((at, call))
        await self._ensure_types(space, rules)
        await self._list_unknown_categories(space)
        keys: set[BlindIndex] = set()
        calls = [call for _, call in self.calls]
        for call in calls:
            index_call(space.keys, call, keys)
        self.index = space.keys.versions
        self.older = older_keys_of(space.keys, calls)
        if self.older is not None:
            keys.update(self.older.identifiers)
        self.keys = keys

    def _lost(self, index: int) -> int:
        return self.mended.get(index, 0) + self.mended_rest

    def _whole(self, body: Any, shared: Any) -> Any:
        """A body with what stands beside the batch, and with the opt-out of the browser."""
        if isinstance(body, dict):
            if shared is not None and shared != [] and not isinstance(shared, dict):
                raise rejection("context_not_object")
            if isinstance(shared, dict):
                own = body.get("context")
                if own is None or own == []:
                    body = {**body, "context": shared}
                elif isinstance(own, dict):
                    body = {**body, "context": {**shared, **own}}
            if self.gpc:
                body = _opted_out(body)
        return body

    def _extract(
        self, body: Any, sent_at: Any, rules: Rules, memo: Memo, token: TokenClaims | TokenFault | None
    ) -> Call:
        received, history = self.received, False
        if isinstance(body, dict):
            if self.history and body.get("receivedAt") is not None:
                received, sent_at, history = receipt_time(body["receivedAt"], received), None, True
            require_few_entries(body, self.source)
        call = extract(
            body,
            kind=self.kind,
            rules=rules,
            received=received,
            sent_at=sent_at,
            source=self.source,
            memo=memo,
            token=token,
        )
        require_few_identifiers(call)
        if not self.history and call.body.get("receivedAt") is not None:
            call.ignored_fields = {**call.ignored_fields, "receivedAt": FIELD_OF_IMPORT}
        require_no_batch(call)
        require_event(call)
        require_alias_ids(call)
        if self.history and not history:
            require_time(call)
        call.history = history
        return call

    async def _ensure_types(self, space: Space, rules: Rules) -> None:
        """Skips the identifiers of a type that the space lacks, where it has no room, or may not take the type."""
        codes = space.codes
        new = {i.type for _, call in self.calls for i in call.identifiers if i.type not in codes}
        if not new:
            return
        named = nameable_types(new, self.source, rules)
        if named != new:
            # Another process may have introduced the others.
            await space.read_types()
        if self.dry_run:
            possible = await space.possible_types(named)
            codes = {**codes, **dict.fromkeys(possible - codes.keys(), 0)}
        elif named:
            await space.ensure_types(named)
        for _, call in self.calls:
            beyond = [i for i in call.identifiers if i.type not in codes]
            if beyond:
                call.demoted = call.demoted + [DemotedIdentifier(i, refusal_of_type(i.type, named)) for i in beyond]
                call.identifiers = [i for i in call.identifiers if i.type in codes]

    async def _list_unknown_categories(self, space: Space) -> None:
        """Lists the categories of consent that name no purpose of the space, if the space has purposes."""
        stating = [call for _, call in self.calls if call.consent and call.kind != "consent"]
        known = await space.purpose_names() if stating else frozenset()
        for call in stating if known else ():
            unknown = unknown_categories(call.consent or {}, known)
            if unknown:
                call.invalid_signals = call.invalid_signals + unknown


def _opted_out(body: JsonObject) -> JsonObject:
    """The body with the decision recorded in it, so that every later reading finds the decision."""
    context = body.get("context")
    if context is None or context == []:
        return {**body, "context": {"gpc": True}}
    return {**body, "context": {**context, "gpc": True}} if isinstance(context, dict) else body


def _message_id(body: Any) -> str | None:
    value = body.get("messageId") if isinstance(body, dict) else None
    return value if isinstance(value, str) and len(value) <= LONGEST_MESSAGE_ID else None
