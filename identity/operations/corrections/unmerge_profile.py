"""Unmerge: moves identifiers out of a profile into one of their own, with everything that came with them."""

from collections.abc import Collection, Sequence
from typing import Final

from msgspec import Struct

from identity.operations.corrections.require_no_hold import require_no_hold
from identity.operations.corrections.seal_profiles import act_record, seal_unmerge
from identity.operations.corrections.unseal_profiles import unseal_for_unmerge, unseal_profiles
from identity.planning.corrections.unmerge import plan_unmerge
from identity.spaces.exclusive_transaction import ExclusiveSpace, SpaceChange, run_exclusive
from identity.spaces.index_versions import retry_on_key_rotation
from identity.spaces.named_identifiers import read_identifiers
from identity.spaces.space import Space
from identity.store.ledger.ledger import entry
from identity.store.privacy.erase import profiles_on_hold
from identity.values.calls import Source
from identity.values.errors import NotOneProfile, TooManyCuts
from identity.values.ids import ProfileId, new_profile_id, public_profile
from identity.values.ledger_actions import LedgerAction
from identity.values.stamps import stamp_time

MOST_CUTS = 64
_NAMED: Final = 3
_ALL: Final = "These are all identifiers of the profile; leave out at least one, which stays. Nothing was changed."


class UnmergedProfiles(Struct, frozen=True):
    """The profile that the identifiers have now, and the profile they left."""

    profile_id: ProfileId
    remaining_profile_id: ProfileId


@retry_on_key_rotation
async def unmerge_profile(
    space: Space, identifiers: Sequence[str], *, block: bool, source: Source, actor: str
) -> UnmergedProfiles:
    """Splits identifiers, written `type:value`, off their profile; `block` keeps the two sides apart.

    BadIdentifier; NotOneProfile unless all of them are known and of one profile, and others of it stay;
    UnderHold; TooManyCuts.
    """
    parsed = await read_identifiers(space, identifiers)

    async def decide(exclusive: ExclusiveSpace) -> SpaceChange[UnmergedProfiles]:
        keys = [space.keys.identifier(each.type, each.value) for each in parsed]
        named = set(keys)
        # Nobody reads a profile on hold, so its identifiers count as unknown; a hold in force is named as the reason.
        origins = sorted(set(exclusive.owners.values()))
        on_hold = await profiles_on_hold(exclusive.connection, space.tenant, origins)
        if on_hold:
            await require_no_hold(exclusive, await unseal_profiles(exclusive, *sorted(on_hold)))
        known = {key for key, origin in exclusive.owners.items() if origin not in on_hold}
        if not named or not named <= known:
            raise NotOneProfile(_places(keys, known, "not on any profile; name known identifiers"))
        opened = await unseal_for_unmerge(exclusive, exclusive.owners[keys[0]], named)
        snapshot = opened.snapshot
        if not named <= snapshot.links.keys():
            other = "not on the profile of identifiers[0]; unmerge one profile at a time"
            raise NotOneProfile(_places(keys, snapshot.links.keys(), other))
        if named == snapshot.links.keys():
            raise NotOneProfile(_ALL)
        await require_no_hold(exclusive, opened)
        if block and len({cut for pairs in snapshot.cuts.values() for cut, _ in pairs}) >= MOST_CUTS:
            raise TooManyCuts
        plan = plan_unmerge(snapshot, named, exclusive.rules, exclusive.stamps, new_profile_id, block=block)
        await opened.unlock(plan.staying.id)
        body = {
            "cut": None if plan.cut is None else plan.cut.hex(),
            "twins": [[split.origin.hex(), split.twin.hex(), split.created] for split in plan.splits],
        }
        record = act_record("unmerge", source, stamp_time(plan.stamp), body)
        writes = seal_unmerge(opened, plan, await exclusive.new_subject_keys(), record, exclusive.lane)
        staying = plan.staying.canonical
        left = {"left": public_profile(plan.leaving.canonical)}
        writes.ledger = [entry(actor, LedgerAction.UNMERGED, public_profile(staying), stamp_time(plan.stamp), left)]
        unmerged = UnmergedProfiles(ProfileId(plan.leaving.canonical), ProfileId(staying))
        return SpaceChange(unmerged, writes, (plan.staying.id, plan.stamp))

    return await run_exclusive(space, parsed, decide)


def _places(keys: Sequence[bytes], good: Collection[bytes], fault: str) -> str:
    """The message that names the entries of the request whose keys are not among the good ones."""
    wrong = [f"identifiers[{at}]" for at, key in enumerate(keys) if key not in good]
    more = f" and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
    verb = "is" if len(wrong) == 1 else "are"
    return f"{', '.join(wrong[:_NAMED])}{more} {verb} {fault}. Nothing was changed."
