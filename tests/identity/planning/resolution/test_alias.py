"""An alias links its previous id by name, and never gives the id of a known person away unasked."""

from typing import Any

import pytest

from identity.planning.resolution.alias import BOTH_KNOWN, NEEDS_SERVER_KEY, AliasDecision, decide_alias
from identity.planning.resolution.resolution_rules import DEFAULT_RULES
from identity.values.calls import Call, Source
from tests.support.planning.oracle import World
from tests.support.planning.read_calls import read

BROWSER = Source(key_number=2)
SERVER = Source(key_number=1, server=True)


def decided(known: list[dict[str, str]], source: Source, **more: Any) -> AliasDecision:
    """The decision about an alias of `old` to u2, after these identities were seen."""
    world = World()
    world.send({"type": "track", "event": "E", **each} for each in known)
    call = read({"type": "alias", "userId": "u2", "previousId": "old", **more}, DEFAULT_RULES, 0, source)
    assert isinstance(call, Call)
    user = next(each for each in call.identifiers if each.type == "user_id")
    return decide_alias(call, user, world.state, DEFAULT_RULES)


OLD_USER, OLD_DEVICE, NEW_USER = {"userId": "old"}, {"anonymousId": "old"}, {"userId": "u2"}


@pytest.mark.parametrize(
    ("known", "source", "more", "link", "reason"),
    [
        ([], SERVER, {}, True, ""),
        ([OLD_DEVICE], BROWSER, {}, True, ""),
        ([OLD_USER], SERVER, {}, True, ""),
        ([OLD_USER], BROWSER, {}, False, NEEDS_SERVER_KEY),
        ([OLD_USER, NEW_USER], SERVER, {}, False, BOTH_KNOWN),
        ([OLD_USER, NEW_USER], SERVER, {"force": True}, True, ""),
        ([OLD_USER, NEW_USER], BROWSER, {"force": True}, False, NEEDS_SERVER_KEY),
        ([{**OLD_DEVICE, "userId": "u1"}], SERVER, {"force": True}, False, BOTH_KNOWN),
        ([{**OLD_DEVICE, "userId": "u2"}], BROWSER, {}, False, ""),
    ],
)
def test_a_previous_id_is_linked_refused_or_left(
    known: list[dict[str, str]], source: Source, more: dict[str, Any], link: bool, reason: str  # noqa: FBT001
) -> None:  # fmt: skip
    """A key in a browser renames no user, and a device of a known person stays with that person."""
    decision = decided(known, source, **more)

    assert (decision.link is not None, decision.reason) == (link, reason)
    assert (decision.demoted is not None) == (reason != "")


def test_a_rename_of_one_known_person_to_another_is_marked() -> None:
    """So that it is written into the ledger."""
    assert decided([OLD_USER, NEW_USER], SERVER, force=True).forced
    assert not decided([OLD_USER], SERVER, force=True).forced


def test_a_decision_on_an_unknown_id_is_marked() -> None:
    """Another batch could link the other reading before this one commits."""
    assert decided([OLD_DEVICE], SERVER).assumes_unknown
    assert not decided([OLD_USER], SERVER).assumes_unknown
