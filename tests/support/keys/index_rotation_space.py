"""A space with every kind of row for tests of the index key rotation, and all answers of its reads."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from app.schemas.evidence import evidence_graph, explanation
from app.schemas.groups import group_answer
from app.schemas.profiles import canonical_profile, history_page
from app.schemas.segment.profile_api import ApiCursor, api_events, api_external_ids, api_links, api_profiles
from identity.operations.corrections.put_rules import put_rules
from identity.operations.corrections.remove_identifier import remove_identifier
from identity.operations.corrections.unmerge_profile import unmerge_profile
from identity.operations.keys import rotate_index_key
from identity.operations.privacy.manage_holds import place_hold
from identity.operations.privacy.request_erasure import request_erasure
from identity.operations.profiles import segment_accounts, segment_links, segment_users
from identity.operations.profiles.explain_link import explain
from identity.operations.profiles.read_graph import get_graph
from identity.operations.profiles.read_group import get_group
from identity.operations.profiles.read_history import get_history
from identity.operations.profiles.read_profile import get_profile, list_profiles, lookup
from identity.operations.profiles.segment_paging import ListParameters, Page
from identity.planning.privacy.privacy_requests import NewRequest
from identity.spaces.space import Space, Spaces
from identity.values.calls import Source
from identity.values.enums import Law, RequestInterface, RequestKind
from identity.values.errors import OnefoldError
from identity.values.ids import public_profile
from tests.support.integrity.space_audit import ignore_progress
from tests.support.processes.writer_processes import Ingest, Lab

WHO = Source(9, server=True)
RULES = {
    "limits": {"user_id": {"max": 1}, "device": {"max": 2, "days": 30}},
    "blocked": {"anonymous_id": ["kiosk.*"]},
}
# Each in several spellings of what is one identifier.
SPELLINGS = {
    "email:ann@example.org": ["email:Ann@Example.ORG", "email: ann@example.org "],
    "phone:+12025550123": ["phone:(202) 555-0123", "phone:202-555-0123"],
}


def calls() -> list[dict[str, Any]]:
    """People who meet, are refused, renamed, windowed, in groups, and of a type of their own."""
    made: list[dict[str, Any]] = []
    for number in range(4):
        made += [
            {"type": "track", "event": "E", "anonymousId": f"a{number}", "messageId": f"m{number}"},
            {"type": "identify", "userId": f"u{number}", "anonymousId": f"a{number}", "traits": {"n": number}},
            {
                "type": "track", "event": "F", "userId": f"u{number}", "messageId": f"d{number}",
                "context": {"externalIds": [_device(f"d{number}-{device}") for device in range(2)]},
            },
            {"type": "group", "userId": f"u{number}", "groupId": f"g{number % 2}", "traits": {"g": number}},
        ]  # fmt: skip
    return [
        *made,
        {"type": "identify", "userId": "ann", "anonymousId": "x1", "traits": {"email": "ann@example.org"}},
        {"type": "identify", "userId": "ann", "traits": {"phone": "+1 202 555 0123"}},
        {"type": "identify", "anonymousId": "x2", "traits": {"email": "ann@example.org", "plan": "pro"}},
        {"type": "identify", "userId": "bob", "anonymousId": "x2", "traits": {"email": "bob@example.org"}},
        {"type": "track", "event": "E", "userId": "bob", "anonymousId": "kiosk-1"},
        {"type": "alias", "userId": "ann-new", "previousId": "ann"},
        {"type": "identify", "userId": "tim", "anonymousId": "tab", "traits": {"plan": "a"}},
        {"type": "identify", "anonymousId": "tab", "traits": {"email": "tom@example.org", "theme": "dark"}},
        {"type": "identify", "userId": "eve", "anonymousId": "e1", "traits": {"email": "eve@example.org"}},
        {"type": "identify", "userId": "gone", "anonymousId": "e2", "traits": {"email": "gone@example.org"}},
        {"type": "track", "event": "G", "anonymousId": "tab", "userId": "gone"},
    ]


def _device(id_: str) -> dict[str, str]:
    return {"type": "device", "id": id_, "collection": "users", "encoding": "none"}


async def lived(ingest: Ingest) -> None:
    """All of it, and what people did to them."""
    space = ingest.space
    await put_rules(space, RULES, "test")
    for call in calls():
        await ingest.send(call)
    await unmerge_profile(space, ["email:tom@example.org"], block=True, source=WHO, actor="test")
    await remove_identifier(space, "anonymous_id:e1", block=True, source=WHO, actor="test")
    await request_erasure(
        space,
        NewRequest(
            front=RequestInterface.NATIVE,
            kind=RequestKind.SUPPRESS_WITH_DELETE,
            regulation=Law.NONE,
            identifiers=["user_id:gone"],
            actor="test",
        ),
    )
    await place_hold(space, ["user_id:u1", "email:later@example.org"], "a case", "test")


REFS = [
    *(f"{type_}{number}" for number in range(4) for type_ in ("user_id:u", "anonymous_id:a")),
    *(f"device:d{number}-{device}" for number in range(4) for device in range(2)),
    *("user_id:ann", "user_id:ann-new", "user_id:bob", "anonymous_id:x1", "anonymous_id:x2", "email:bob@example.org"),
    *("user_id:tim", "anonymous_id:tab", "email:tom@example.org", "user_id:eve", "email:eve@example.org"),
    *SPELLINGS,
]
NOBODY = ["anonymous_id:e1", "user_id:gone", "email:gone@example.org", "anonymous_id:kiosk-1"]


async def answers(space: Space) -> dict[str, Any]:
    """Every answer that a reader gets."""
    answers: dict[str, Any] = {}
    for ref in REFS:
        profile = msgspec.to_builtins(canonical_profile(await get_profile(space, ref, verbose=True)))
        profile["identifiers"].sort(key=lambda each: (each["type"], each["value"]))
        answers[ref] = profile
        for spelling in SPELLINGS.get(ref, ()):
            assert public_profile((await get_profile(space, spelling)).id) == profile["profile_id"]
        answers[f"history of {ref}"] = [
            {**line, "identifiers": sorted(line.get("identifiers", ()), key=str)}
            for line in msgspec.to_builtins(history_page(await get_history(space, ref, 200, None)).history)
        ]
    for ref in NOBODY:
        with pytest.raises(OnefoldError):
            await get_profile(space, ref)
    known = await lookup(space, [*REFS, *NOBODY])
    answers["lookup"] = {ref: found and public_profile(found.id) for ref, found in known.items()}
    listed = (await list_profiles(space, 100, None)).profiles
    answers["list"] = [public_profile(profile.id) for profile in listed]
    for ref in ("user_id:ann", "user_id:tim"):
        graph = msgspec.to_builtins(evidence_graph(await get_graph(space, ref)))
        answers[f"graph of {ref}"] = msgspec.json.decode(msgspec.json.encode(_sorted(graph)))
    explained = await explain(space, "user_id:ann-new", "anonymous_id:x1", "anonymous_id:x2")
    answers["explain"] = msgspec.to_builtins(explanation(explained).shortest)
    for group in ("g0", "g1"):
        answers[group] = msgspec.to_builtins(group_answer(await get_group(space, group)))
        wanted = ListParameters(limit=100)
        answers[f"users of {group}"] = _sorted(
            _rendered(api_links, await segment_links.users_of(space, f"group_id:{group}", wanted), wanted)
        )
        answers[f"events of {group}"] = _rendered(
            api_events, await segment_accounts.events(space, f"group_id:{group}", wanted), wanted
        )
    answers["groups"] = _rendered(
        lambda items, cursor, _: api_profiles(items, cursor),
        await segment_accounts.listed(space, ListParameters(limit=1)),
        ListParameters(limit=1),
    )
    answers["external"] = _sorted(
        _rendered(
            api_external_ids,
            await segment_users.external_ids(space, "user_id:ann", ListParameters(limit=100)),
            ListParameters(limit=100),
        )
    )
    return answers


def _rendered(
    render: Callable[[Any, ApiCursor, ListParameters], msgspec.Struct], page: Page[Any], wanted: ListParameters
) -> Any:
    cursor = ApiCursor("", page.next is not None, page.next or "", wanted.limit)
    return msgspec.to_builtins(render(page.items, cursor, wanted))


def _sorted(value: Any) -> Any:
    """The same with its lists, and the ends of its links, in an order that no key decides."""
    if isinstance(value, dict):
        ordered = {name: _sorted(each) for name, each in value.items()}
        for one, other in (("from", "to"), ("a", "b")):
            if isinstance(ordered.get(one), str) and isinstance(ordered.get(other), str):
                ordered[one], ordered[other] = sorted((ordered[one], ordered[other]))
        return ordered
    if isinstance(value, list | tuple):
        return sorted((_sorted(each) for each in value), key=str)
    return value


async def rotate(spaces: Spaces, space: Space, days: int = 8) -> rotate_index_key.IndexKeyState:
    """A rotation from its beginning to its end."""
    await rotate_index_key.begin(spaces, space)
    return await rotate_index_key.rotate(spaces, space, ignore_progress, days)


def keys_in(lab: Lab, key: bytes) -> list[str]:
    """The tables in which the bytes of a key stand, but for those that are never changed."""
    columns = {
        "identifier": "key", "profile_identifier": "key", "evidence": "kept || coalesce(demoted, '')",
        "history": "keys", "profile": "own || coalesce(folded, '')", "cut": "key", "blocked_key": "key",
        "forgotten": "key", "claim": "key", "held_key": "key", "renamed_key": "old",
    }  # fmt: skip
    return [
        table
        for table, column in columns.items()
        if lab.query(f"SELECT 1 FROM {table} WHERE position(%s::bytea IN {column}) > 0 LIMIT 1", key)
    ]


def replayed(lab: Lab, space: Space) -> list[str]:
    """How what is stored differs from a replay of all its calls; message ids are those of any version."""
    changes = lab.query("SELECT stamp, version FROM rules WHERE space_id = %s", space.tenant.id)
    return [line for line in lab.differences(space.tenant.id, changes) if not line.startswith("message ")]
