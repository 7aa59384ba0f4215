"""Steps on one space for property tests: calls, unmerges, removals, changes of rules, and leaving a group."""

from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from app.schemas.profiles import profile_list
from identity.operations.corrections.put_rules import put_rules
from identity.operations.corrections.remove_identifier import remove_identifier
from identity.operations.corrections.unmerge_profile import unmerge_profile
from identity.operations.ingest.leave_group import leave_group
from identity.operations.profiles.read_profile import list_profiles
from identity.store.corrections import rules
from identity.values.calls import Source
from identity.values.errors import NotOneProfile, ProfileNotFound, Refused
from tests.support.planning import traffic
from tests.support.processes.writer_processes import Ingest

ADMIN = Source(9, server=True)
QUIET = settings(deadline=None, suppress_health_check=list(HealthCheck))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("send"), traffic.requests),
        st.tuples(st.just("send"), traffic.requests),
        st.tuples(st.just("unmerge"), st.integers(0, 9), st.integers(1, 2**10), st.booleans()),
        st.tuples(st.just("remove"), st.integers(0, 9), st.integers(0, 9), st.booleans()),
        st.tuples(st.just("leave"), st.integers(0, 9), st.integers(0, 9), st.sampled_from("gh")),
        st.tuples(st.just("rules"), traffic.rules),
    ),
    min_size=2,
    max_size=14,
)


async def profiles(ingest: Ingest) -> list[dict[str, Any]]:
    """Every profile of the space."""
    found: list[dict[str, Any]] = msgspec.to_builtins(
        profile_list(await list_profiles(ingest.space, 1000, None)).profiles
    )
    return sorted(found, key=lambda profile: profile["profile_id"])


def written(profile: dict[str, Any]) -> list[str]:
    """The identifiers of a profile."""
    return sorted(f"{each['type']}:{each['value']}" for each in profile["identifiers"])


async def take(ingest: Ingest, step: Any, changes: list[tuple[int, int]]) -> None:
    """One step, as far as it is allowed."""
    if step[0] == "send":
        await ingest.send(*step[1]["items"], server=step[1]["server"])
    elif step[0] == "rules":
        version = (await put_rules(ingest.space, step[1], "test")).version
        async with ingest.space.database.reading() as connection:
            listed = await rules.changes(connection, ingest.space.tenant.id)
        changes += [(change.stamp, version) for change in listed if change.version == version]
    else:
        found = await profiles(ingest)
        if not found:
            return
        held = written(found[step[1] % len(found)])
        try:
            if step[0] == "leave":
                await leave_group(ingest.space, ingest.queue, step[3], held[step[2] % len(held)], ADMIN)
            elif step[0] == "remove":
                await remove_identifier(ingest.space, held[step[2] % len(held)], block=step[3], source=ADMIN, actor="t")
            else:
                named = [text for at, text in enumerate(held) if step[2] >> at % 10 & 1]
                await unmerge_profile(ingest.space, named, block=step[3], source=ADMIN, actor="t")
        except (Refused, NotOneProfile, ProfileNotFound):
            pass
