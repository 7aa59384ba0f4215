"""Simulates other rules over all that is stored; nothing is written.

The stored result names identifiers by blind index. A reader gets their values from the profiles that hold them
at that moment, so a person who was erased meanwhile is not named.
"""

import msgspec
from msgspec import Struct, structs

from identity.operations.corrections.load_connected_profiles import Progress, load_connected_profiles
from identity.operations.corrections.replay_calls import replay
from identity.planning.corrections.rules_diff import RulesDiff, compare
from identity.planning.resolution.resolution_rules import Rules, compile_rules
from identity.spaces.exclusive_transaction import SpaceReader
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.origin_rows import unwrap_key
from identity.spaces.rekey_space import finish_rotation
from identity.spaces.space import Space
from identity.store.corrections import connected_profiles
from identity.store.postgres import space_lock
from identity.store.postgres.snapshot import begin_long_snapshot
from identity.values.ids import BlindIndex, ProfileId, public_profile
from identity.values.json import JsonObject
from identity.values.stamps import Stamp
from identity.vault.seal import IDENTIFIER

MOST_EXAMPLES = 20


class SimulationExample(Struct, frozen=True):
    """A profile that would be split, or profiles that would be joined, with some identifiers of each part.

    An identifier is the hex of its blind index in the stored result, and `type:value` in the one that is shown.
    """

    change: str
    profile_id: str
    parts: list[list[str]]


class SimulationResult(Struct, frozen=True):
    """Counts and examples of the changes, in the form that the job stores and the API shows."""

    profiles_before: int
    profiles_after: int
    profiles_split: int
    profiles_joined: int
    identifiers_lost: int
    identifiers_gained: int
    identifiers_demoted: int
    demotions_lifted: int
    calls_unresolved: int
    reasons: dict[str, int]
    examples: list[SimulationExample]


async def simulate_rules(space: Space, document: object, progress: Progress) -> SimulationResult:
    """The changes that a candidate document would make. BadRules."""
    rules = compile_rules(document, (await space.rules()).version + 1)
    whole = None
    while whole is None:
        await finish_rotation(space)
        whole = await _compare_all(space, rules, progress)
    counts = structs.asdict(whole)
    counts["examples"] = [
        SimulationExample(
            each.change, public_profile(each.profile), [[key.hex() for key in part] for part in each.parts]
        )
        for each in whole.examples
    ]
    return SimulationResult(**counts)


async def _compare_all(space: Space, rules: Rules, progress: Progress) -> RulesDiff | None:
    """One walk through the space; None if its index key was rotated meanwhile."""
    versions = space.keys.versions
    found = await load_connected_profiles(space, rules, progress)
    done, total = 0, found.profiles
    whole = RulesDiff()
    for batch in found.batches():
        more = await _compare(space, rules, batch.roots, found.since)
        if more is None or space.keys.versions.newest != versions.newest:
            return None
        whole += more
        del whole.examples[MOST_EXAMPLES:]
        done += len(batch.roots)
        await progress(done, total)
    return whole


@retry_on_key_rotation
async def _compare(space: Space, rules: Rules, roots: list[ProfileId], since: Stamp) -> RulesDiff | None:
    async with space.database.transaction() as connection:
        await begin_long_snapshot(connection)
        lock_row = await space_lock.read(connection, space.tenant.id)
        if lock_row.versions != space.keys.versions or lock_row.live < lock_row.newest:
            space.keys.set_versions(lock_row.versions)
            return None
        replayed = await replay(SpaceReader(space, connection, lock_row, rules), roots, since)
    return compare(replayed.stored, replayed.rebuilt)


@retry_on_key_rotation
async def name_examples(space: Space, stored: JsonObject) -> SimulationResult:
    """The stored result of a simulation with the values of the identifiers that profiles still hold."""
    result = msgspec.convert(stored, SimulationResult)
    keys = {BlindIndex(bytes.fromhex(key)) for each in result.examples for part in each.parts for key in part}
    names = await space.read_types()
    async with space.database.reading() as connection:
        found = await connected_profiles.identifier_values(connection, space.tenant, sorted(keys))
    values = {}
    for row, key in found:
        value = unwrap_key(space, key).open(IDENTIFIER, row.key[:16], 0, row.value).decode()
        values[row.key.hex()] = f"{names[row.type]}:{value}"
    examples = [
        structs.replace(each, parts=[[values[key] for key in part if key in values] for part in each.parts])
        for each in result.examples
    ]
    return structs.replace(result, examples=examples)
