"""Exports and erasures of others are as without an attacker, whatever she sends with a public key, in any order.

Two sets of people have the same calls of themselves and of their server; one of them has calls of the attacker between.
What is documented may differ: her device at a user id that she names, the calls and the traits that she sent in the
name of others, denials, and claims that wait for proof.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from identity.operations.corrections.unmerge_profile import unmerge_profile
from identity.operations.ingest.request import IngestRequest
from identity.operations.privacy.access_exports.access_export_sections import read_sections
from identity.operations.privacy.request_erasure import request_erasure
from identity.planning.privacy.access_export import SECTIONS, ExportPosition
from identity.planning.privacy.privacy_requests import NewRequest
from identity.planning.privacy.public_joins import JoinPolicy
from identity.spaces.space import Space
from identity.store.profiles import profile_queries
from identity.values.calls import Source
from identity.values.enums import Law, RequestInterface, RequestKind
from identity.values.stamps import wall_time
from tests.support.planning.attackers import MAILS, NAMED, PEOPLE, call, of_attacker, of_others
from tests.support.processes.writer_processes import Examples, Ingest

Step = tuple[dict[str, Any], bool | None]
"""A call, and whether its key is a server-side one; None for a call of the attacker."""
# No keys of the space: the class of a call is the one that is stored with it.
SERVER, PUBLIC = Source(9_001, server=True), Source(9_002)
HERS = [("anonymous_id", "evil"), ("anonymous_id", "evil-too"), ("user_id", "mallory"), ("email", "mallory@x.org")]
BEGUN: list[Step] = [(call({"userId": who}, {"email": MAILS[who]}, {}), True) for who in PEOPLE]


@st.composite
def of_attacker_in_any_form(draw: Any) -> dict[str, Any]:
    """A call of the attacker of any kind that links, or that adds to somebody."""
    body: dict[str, Any] = draw(of_attacker())
    kind = draw(st.sampled_from(["identify", "identify", "track", "group", "alias"]))
    extra = {"track": {"event": "E"}, "group": {"groupId": "g"}, "alias": {"previousId": draw(st.sampled_from(PEOPLE))}}
    return {**body, "type": kind, **extra.get(kind, {})}


def of_world(body: dict[str, Any], world: str) -> dict[str, Any]:
    """A call about the people of a world: each of their ids begins with its name."""
    ids: dict[str, Any] = {
        name: f"{world}.{body[name]}" for name in ("userId", "anonymousId", "previousId", "groupId") if name in body
    }
    traits = {name: f"{world}.{value}" for name, value in body.get("traits", {}).items()}
    return {"timestamp": "2026-01-01T00:00:00Z", **body, **ids, "traits": traits}


async def send(ingest: Ingest, world: str, steps: list[tuple[str, Step]]) -> None:
    """Calls in their order, as the keys of a space send them; `messageId` names each."""
    for server, several in groupby(steps, key=lambda each: bool(each[1][1])):
        items = [{"messageId": f"{world}.{id_}", **of_world(body, world)} for id_, (body, _) in several]
        source = SERVER if server else PUBLIC
        await ingest.queue.submit(ingest.space, IngestRequest(items, source=source, received=wall_time()))


async def exported(space: Space, world: str, profiles: Sequence[str]) -> dict[str, set[Any]]:
    """What an export of profiles has of others: their identifiers, addresses and calls."""
    found: dict[str, set[Any]] = {"identifiers": set(), "addresses": set(), "calls": set()}
    for at, _ in enumerate(profiles):
        for section in ("profile", "identifiers", "calls"):
            begin = ExportPosition(at, list(SECTIONS).index(section))
            step = await anext(aiter(read_sections(space, profiles, begin)), None)
            for each in step.values if step is not None and step.section == section else ():
                value: Any = each
                if section == "profile":
                    found["addresses"].add(value.traits.get("email", world).removeprefix(world))
                elif section == "calls":
                    found["calls"].add(value.call.message_id.removeprefix(f"{world}."))
                else:
                    it = value.identifier
                    found["identifiers"].add(
                        (it.type, it.value.removeprefix(f"{world}."), it.retired, it.waits_for_proof)
                    )
    found["calls"] = {id_ for id_ in found["calls"] if not id_.startswith("attack")}
    found["identifiers"] = {each for each in found["identifiers"] if each[:2] in NAMED or each[1].startswith("w")}
    return found


async def erase(space: Space, world: str, asked: tuple[str, str], joins: JoinPolicy) -> bool | None:
    """Erase the person of an identifier; returns whether anybody had it."""

    async def cut(identifiers: Any) -> object:
        return await unmerge_profile(space, identifiers, block=True, source=SERVER, actor="key_test")

    request = NewRequest(
        front=RequestInterface.NATIVE,
        kind=RequestKind.SUPPRESS_WITH_DELETE,
        regulation=Law.NONE,
        identifiers=[f"{asked[0]}:{world}.{asked[1]}"],
        actor="key_test",
        public_joins=joins,
    )
    return (await request_erasure(space, request, cut)).erasures[0].found


async def present(space: Space, world: str) -> set[int]:
    """The identifiers of others that lead to somebody, by their places."""
    keys = [space.keys.identifiers(type_, f"{world}.{value}") for type_, value in NAMED]
    async with space.database.reading() as connection:
        found = await profile_queries.by_keys(connection, space.tenant, keys, 100, space.keys.versions.newest)
    return set(found.roots)


@given(
    st.lists(st.one_of(of_others(), of_attacker_in_any_form().map(lambda each: (each, None))), max_size=6),
    st.sampled_from(NAMED),
    st.sampled_from(HERS),
)
@example([(call({"userId": "ann", "anonymousId": "evil"}, {}, {}), None)], ("user_id", "ann"), HERS[0])
@example(
    [
        (call({"userId": "mallory", "anonymousId": "evil"}, {"email": MAILS["ann"]}, {}), None),
        (call({"userId": "bob", "anonymousId": "evil"}, {"email": MAILS["ann"]}, {}), None),
        (call({"userId": "ann", "anonymousId": "phone-of-ann"}, {}, {}), False),
    ],
    ("email", MAILS["ann"]),
    HERS[2],
)
def test_what_is_exported_and_erased_of_others_is_as_without_the_attacker(
    examples: Examples, drawn: list[Step], asked: tuple[str, str], hers: tuple[str, str]
) -> None:
    """Nor does an erasure of what is hers take anything of others, where it parts what public keys have joined."""
    steps = [(f"{'attack' if step[1] is None else 'other'}-{nr}", step) for nr, step in enumerate([*BEGUN, *drawn])]

    async def attacked_and_alone(ingest: Ingest) -> None:
        space = ingest.space
        await send(ingest, "wa", steps)
        await send(ingest, "wb", [each for each in steps if each[1][1] is not None])
        held = [await exported(space, world, [f"{asked[0]}:{world}.{asked[1]}"]) for world in ("wa", "wb")]
        assert held[0] == held[1]

        await erase(space, "wa", hers, "cut")
        assert await present(space, "wa") == await present(space, "wb")

        assert await erase(space, "wa", asked, "include") == await erase(space, "wb", asked, "include")
        assert await present(space, "wa") == await present(space, "wb")
        left = [await exported(space, world, [f"user_id:{world}.{who}" for who in PEOPLE]) for world in ("wa", "wb")]
        assert left[0] == left[1]

    examples.play(attacked_and_alone)
