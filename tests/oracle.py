"""The planner on a neighbourhood that holds everything: what any store has to be equal to.

There is no store here and none is imitated: the planner changes the neighbourhood it is given,
so a world is one neighbourhood that is planned on for ever.
"""

import hashlib
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from identity.errors import BadCall
from identity.identifiers import PHONE
from identity.model import Call, Identifier, Outcome, Source
from identity.planning import consent, traits
from identity.planning.extract import extract
from identity.planning.merge import plan
from identity.planning.plan import Gained, Plan
from identity.planning.rules import DEFAULT_RULES, Rules
from identity.planning.state import Neighbourhood, Profile
from identity.planning.timing import parse_time

SERVER = Source(key=1, server=True)
LARGEST = 32 * 1024


def key_of(type_: str, value: str) -> bytes:
    """A blind index without a secret, good enough for a test in memory."""
    return hashlib.sha256(f"{type_}|{value}".encode()).digest()


def index(call: Call, key: Callable[[str, str], bytes] = key_of) -> Call:
    """Sets the keys of everything a call names."""
    named: list[Identifier | None] = [*call.identifiers, *call.unlinked, *(s.identifier for s in call.skipped)]
    if call.alias is not None:
        named += [call.alias.user, call.alias.anonymous]
    for identifier in named:
        if identifier is not None:
            identifier.key = key(identifier.type, identifier.value)
    call.message = key("message", call.message_id)[:16]
    if call.group is not None:
        call.group_key = key("group", call.group)
    return call


def read(body: dict[str, Any], rules: Rules, received: int, source: Source = SERVER) -> Call | Outcome:
    """One item of an import, as the server reads it."""
    if len(msgspec.json.encode(body)) > LARGEST:
        return Outcome(None, "rejected", "too_large")
    try:
        own = parse_time(body.get("receivedAt"))
        call = extract(
            body, kind=None, rules=rules, received=received if own is None else own, sent_at=None, source=source
        )
    except BadCall as error:
        return Outcome(None, "rejected", error.code)
    return index(call)


class World:
    """All profiles of a space, made by planning every call in order."""

    def __init__(self, rules: Rules = DEFAULT_RULES) -> None:
        self.rules = rules
        self.around = Neighbourhood()
        self.outcomes: list[Outcome] = []
        self.gained: dict[bytes, Gained] = {}
        self.plans: list[Plan] = []
        self._ids = itertools.count(1)
        self._stamp = 1_000

    def send(self, bodies: Iterable[dict[str, Any]], *, received: int = 0) -> list[Outcome]:
        """Reads and plans these items one after the other, one plan each."""
        outcomes = []
        for body in bodies:
            item = read(body, self.rules, received)
            outcomes += [item] if isinstance(item, Outcome) else self.plan([item]).outcomes
        self.outcomes += outcomes
        return outcomes

    def plan(self, calls: Sequence[Call], stamps: Callable[[int], int] | None = None) -> Plan:
        """Plans calls that were read and indexed."""
        made = plan(self.around, calls, self.rules, stamps or self._next, self._id, bytes.hex)
        for gained in made.gained:
            self.gained[gained.identifier.key] = gained
        for _, key in made.retired:
            self.gained[key].retired = True
        for (_, key), seen in made.seen.items():
            self.gained[key].last_seen = max(self.gained[key].last_seen, seen)
        self.plans.append(made)
        return made

    def _next(self, after: int) -> int:
        self._stamp = max(self._stamp, after) + 256
        return self._stamp

    def _id(self) -> bytes:
        return next(self._ids).to_bytes(16, "big")

    def origins(self, head: Profile) -> list[Profile]:
        """The origins that point to a head."""
        return [p for p in self.around.profiles.values() if p.head == head.id]

    def view(self, key: bytes) -> dict[str, Any]:
        """What a reader sees of the profile that holds an identifier."""
        head = self.around.head_of(key)
        assert head is not None
        origins = self.origins(head)
        ids = {origin.id for origin in origins}
        documents = {id_: self.around.documents[id_] for id_ in ids if id_ in self.around.documents}
        meetings = [
            consent.Meeting(o.joined_at, o.id, o.joined_to) for o in origins if o.joined_to and o.joined_at is not None
        ]
        return {
            "profile_id": head.canonical,
            "identifiers": sorted(g.identifier.text for g in self.gained.values() if g.origin in ids),
            "traits": traits.present(traits.fold(d.traits for d in documents.values())),
            "consent": consent.fold({id_: d.consent for id_, d in documents.items()}, meetings),
            "groups": traits.members(traits.fold(d.groups for d in documents.values())),
            "events": sum(origin.events for origin in origins),
            "version": head.version,
        }

    def profiles(self) -> list[dict[str, Any]]:
        """Every canonical profile once."""
        heads = {}
        for key in self.gained:
            head = self.around.head_of(key)
            assert head is not None
            heads[head.id] = key
        return [self.view(key) for key in heads.values()]


__all__ = ["PHONE", "SERVER", "World", "index", "key_of", "read"]
