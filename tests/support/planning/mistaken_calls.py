"""Calls with mistakes: each field left out, misspelt, or of another type, at random.

A call comes with the number of identifiers that it states, counted while it is made and not by the code under test.
"""

import random
from typing import Any, NamedTuple

KINDS = ("identify", "track", "page", "screen", "group", "alias")
WRONG: tuple[Any, ...] = (
    "", " ", "null", "undefined", "a\u200db", "x" * 1025, True, 5, 2.0**60, ["u"], {"id": "u"}, "31.12.2025",
)  # fmt: skip


class MistakenCall(NamedTuple):
    """A call, and how many identifiers it states; no two of them are the same."""

    body: dict[str, Any]
    stated: int


def mistaken_call(chance: random.Random, number: int) -> MistakenCall:
    """A call with some mistakes."""
    stated = 0

    def value(good: Any) -> Any:
        """A good value, or a wrong one; either is stated once."""
        nonlocal stated
        stated += 1
        return good if chance.random() < 0.6 else chance.choice(WRONG)

    kind = chance.choice(KINDS)
    body: dict[str, Any] = {"type": kind, "messageId": f"m{number}", "event": "E", "groupId": "g"}
    context: dict[str, Any] = {}
    if chance.random() < 0.7:
        body["userId"] = value(f"u{number % 7}")
    if chance.random() < 0.5:
        body["anonymousId"] = value(f"a{number % 5}")
    if chance.random() < 0.3:
        context["traits"] = {"email": value(f"e{number}@x.org"), "phone": value(f"+1415555{2000 + number % 900}")}
    if chance.random() < 0.3:
        context["device"] = {"type": "ios", "id": value(f"d{number}"), "token": value(f"t{number}")}
    if chance.random() < 0.3:
        context["integrations"] = {"Google Analytics": {"clientId": value(f"ga{number}")}}
    if chance.random() < 0.4:
        context["externalIds"] = [_external(chance, value, number, at) for at in range(chance.randint(1, 3))]
    if context:
        body["context"] = context
    _spoil(chance, body)
    return MistakenCall(body, stated)


def _external(chance: random.Random, value: Any, number: int, at: int) -> dict[str, Any]:
    # Each entry has a type of its own, so that equal wrong values are different identifiers.
    entry = {"type": f"crm{at}", "id": value(f"c{number}.{at}"), "collection": "users", "encoding": "none"}
    wrong = chance.choice((None, None, "type", "collection", "encoding"))
    if wrong is not None:
        entry[wrong] = chance.choice((f"NO {at}", f"no-{at}"))
    return entry


def _spoil(chance: random.Random, body: dict[str, Any]) -> None:
    """Mistakes in fields that hold no identifier."""
    if chance.random() < 0.2:
        body[chance.choice(("event", "groupId", "type", "timestamp", "sentAt"))] = chance.choice(WRONG)
    if chance.random() < 0.1:
        del body[chance.choice(("event", "groupId", "type"))]
    if chance.random() < 0.1:
        body["traits"] = chance.choice(WRONG)
    if chance.random() < 0.1:
        body[chance.choice(("user_id", "anonymous_id", "usrId"))] = "u1"
