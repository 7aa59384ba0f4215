"""Compares the rows of a space and of its lock with the key store, the journal and the tables that marks announce.

Every call and every read relies on these rows, so an edit of one refuses them all, or skips a list of the space.
"""

from collections.abc import Collection

from msgspec import Struct

from identity.values.calls import DAY, IndexVersions
from identity.values.enums import SpaceMark
from identity.values.stamps import Micros, Stamp, stamp_time


class SpaceLockFacts(Struct, frozen=True):
    """The columns of both rows. `bucket` is what the id of the space asks for.

    `rules_at` is the stamp of the newest rules, `needed` are the marks of the tables with rows.
    """

    versions: IndexVersions
    epoch: int
    stamp: Stamp
    marks: SpaceMark
    needed: SpaceMark
    rules_at: Stamp
    base: int
    bucket: int
    spread: int


class HeldKeys(Struct, frozen=True):
    """The versions of the index key and the epochs in the key store, and the newest of each in the journal."""

    indexes: Collection[int]
    epochs: Collection[int]
    newest_index: int = 0
    newest_epoch: int = 0


def space_lock_differences(facts: SpaceLockFacts, keys: HeldKeys, now: Micros) -> list[str]:
    """What differs, a label each; empty where nothing does."""
    versions = facts.versions
    named = {"index_version": versions.newest, "index_live": versions.live, "index_messages": versions.messages}
    named["index_oldest"] = versions.oldest
    found = [
        f"{column} {version}, and the key store holds {_listed(keys.indexes)}"
        for column, version in named.items()
        if version not in keys.indexes
    ]
    if not found and not versions.in_order:
        found.append(f"versions of the index key {', '.join(map(str, versions))} in no order")
    if versions.newest < keys.newest_index:
        found.append(f"index_version {versions.newest}, and the journal has {keys.newest_index}")
    if facts.epoch not in keys.epochs:
        found.append(f"epoch {facts.epoch}, and the key store holds {_listed(keys.epochs)}")
    if facts.epoch < keys.newest_epoch:
        found.append(f"epoch {facts.epoch}, and the journal has {keys.newest_epoch}")
    if facts.stamp < facts.rules_at:
        found.append(f"stamp {facts.stamp}, and the rules have {facts.rules_at}")
    if stamp_time(facts.stamp) > now + DAY:
        found.append(f"stamp {facts.stamp}, which is to come")
    found += [f"marks lack {mark.name}, and there are rows" for mark in SpaceMark if mark & facts.needed & ~facts.marks]
    if (facts.base, facts.spread) != (facts.bucket, 1):
        found.append(f"bucket_base {facts.base} and spread {facts.spread}, and the id asks for {facts.bucket} and 1")
    return found


def _listed(numbers: Collection[int]) -> str:
    return ", ".join(str(each) for each in sorted(numbers)) or "none"
