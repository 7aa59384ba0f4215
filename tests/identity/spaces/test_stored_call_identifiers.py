"""The identifiers that a stored call named, read from its body as on arrival."""

from typing import Any

from identity.planning.resolution.resolution_rules import DEFAULT_RULES
from identity.planning.resolution.stored_calls import StoredCall
from identity.spaces.stored_call_identifiers import alias_keys, identifiers_by_key, identifiers_of, plain_call_keys
from identity.values.calls import STORED_KINDS
from identity.values.stamps import Micros
from tests.support.database.known_people import visiting
from tests.support.processes.writer_processes import Lab

NOON = Micros(1_800_000_000_000_000)


def stored(kind: str, **body: Any) -> StoredCall:
    """A stored call of a device."""
    return StoredCall(STORED_KINDS.index(kind), "m", NOON, NOON, 1, server=True, body={"type": kind, **body})


def test_blocked_and_previous_identifiers_are_named_too() -> None:
    """Whatever the rules made of them."""
    rules = DEFAULT_RULES
    known = stored("identify", userId="u", anonymousId="null", traits={"email": "U@Example.org"})
    renamed = stored("alias", userId="new", previousId="old")

    assert {(each.type, each.value) for each in identifiers_of(known, rules)} == {
        ("user_id", "u"), ("anonymous_id", "null"), ("email", "u@example.org"),
    }  # fmt: skip
    assert {(each.type, each.value) for each in identifiers_of(renamed, rules)} == {
        ("user_id", "new"), ("user_id", "old"), ("anonymous_id", "old"),
    }  # fmt: skip


async def test_each_is_found_by_its_key(people: Lab) -> None:
    """Those of a plain call come in the order of their priority; there are none where nothing is usable."""
    async with visiting(people) as space:
        both = stored("track", event="Seen", anonymousId="a", userId="u")
        user, device = (space.keys.identifier(*each) for each in (("user_id", "u"), ("anonymous_id", "a")))

        assert identifiers_by_key(space, both, DEFAULT_RULES) == {user: ("user_id", "u"), device: ("anonymous_id", "a")}
        assert plain_call_keys(space, both, DEFAULT_RULES) == [user, device]
        assert plain_call_keys(space, stored("track", event="Seen", anonymousId="a"), DEFAULT_RULES) == [device]
        assert plain_call_keys(space, stored("track", event=1, userId=["u"]), DEFAULT_RULES) == []


async def test_an_alias_names_its_previous_id_in_both_readings(people: Lab) -> None:
    """Another call names none."""
    async with visiting(people) as space:
        new, old_user, old_device = (
            space.keys.identifier(*each) for each in (("user_id", "new"), ("user_id", "old"), ("anonymous_id", "old"))
        )

        assert alias_keys(space, stored("alias", userId="new", previousId="old"), DEFAULT_RULES) == (
            [old_user, old_device], new,
        )  # fmt: skip
        assert alias_keys(space, stored("track", event="Seen", userId="new"), DEFAULT_RULES) == ([], None)
