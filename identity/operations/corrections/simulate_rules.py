"""What other rules would change over all that is kept; nothing is written.

Its examples name identifiers by blind index: whoever reads them gets the values from the profiles
that hold them then, so nobody who was erased meanwhile is named.
"""

from typing import Any

import msgspec

from identity.operations.corrections.load_connected_profiles import Progress, load_connected_profiles
from identity.operations.corrections.replay_calls import replay
from identity.planning.corrections.rules_diff import Difference, compare
from identity.planning.resolution.resolution_rules import Rules, compile_rules
from identity.spaces.exclusive_transaction import SpaceReader
from identity.spaces.profile_rows import unwrap_key
from identity.spaces.rekey_space import finish_rotation
from identity.spaces.space import Space, retry_on_key_rotation
from identity.store.corrections import connected_profiles
from identity.values.ids import public_profile
from identity.vault.seal import IDENTIFIER

MOST_EXAMPLES = 20


async def simulate_rules(space: Space, document: object, progress: Progress) -> dict[str, Any]:
    """Counts and examples of what a candidate document would change. BadRules."""
    rules = compile_rules(document, (await space.rules()).version + 1)
    whole = None
    while whole is None:
        await finish_rotation(space)
        whole = await _compare_all(space, rules, progress)
    told: dict[str, Any] = msgspec.to_builtins(whole)
    told["examples"] = [
        {
            "change": each.change,
            "profile_id": public_profile(each.profile),
            "parts": [[key.hex() for key in part] for part in each.parts],
        }
        for each in whole.examples
    ]
    return told


async def _compare_all(space: Space, rules: Rules, progress: Progress) -> Difference | None:
    """One walk through the space; None where its index key was rotated meanwhile."""
    versions = space.keys.versions
    found = await load_connected_profiles(space, rules, progress)
    done, total = 0, found.profiles
    whole = Difference()
    for batch in found.batches():
        more = await _compare(space, rules, batch, found.since)
        if more is None or space.keys.versions.newest != versions.newest:
            return None
        whole += more
        del whole.examples[MOST_EXAMPLES:]
        done += len(batch)
        await progress(done, total)
    return whole


@retry_on_key_rotation
async def _compare(space: Space, rules: Rules, heads: list[bytes], since: int) -> Difference | None:
    async with space.database.transaction() as connection:
        await connected_profiles.freeze(connection)
        gate = await connected_profiles.gate(connection, space.tenant.id)
        if gate.versions != space.keys.versions or gate.live < gate.newest:
            space.keys.set_versions(gate.versions)
            return None
        replayed = await replay(SpaceReader(space, connection, gate, rules), heads, since)
    return compare(replayed.stored, replayed.rebuilt)


@retry_on_key_rotation
async def tell(space: Space, result: dict[str, Any]) -> dict[str, Any]:
    """The result of a simulation with the identifiers of its examples as they are written."""
    keys = {bytes.fromhex(key) for each in result["examples"] for part in each["parts"] for key in part}
    names = await space.read_types()
    async with space.database.reading() as connection:
        found = await connected_profiles.identifier_values(connection, space.tenant, sorted(keys))
    values = {}
    for row, key in found:
        value = unwrap_key(space, key).open(IDENTIFIER, row.key[:16], 0, row.value).decode()
        values[row.key.hex()] = f"{names[row.type]}:{value}"
    examples = [
        {**each, "parts": [[values[key] for key in part if key in values] for part in each["parts"]]}
        for each in result["examples"]
    ]
    return {**result, "examples": examples}
