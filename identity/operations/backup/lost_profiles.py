"""Names the profiles that a restore loses though nobody erased them.

An unmerge after the backup is lost, so two people are one profile again in the restored database. The erasure of one of
them, repeated from the journal, takes the other one along; so does a key that the unmerge replaced. The ids of such
profiles name no person, and are all that is left of them.
"""

from collections.abc import Iterable
from typing import Final

from identity.values.ids import ProfileId, private, public_profile
from identity.values.json import JsonObject
from identity.values.ledger_actions import LedgerAction

MOST_SHOWN: Final = 100


class LostProfiles:
    """The profiles that are lost while the entries of one journal are repeated."""

    def __init__(self) -> None:
        self._lost: set[ProfileId] = set()
        self._erased: set[ProfileId] = set()
        self._unnamed: set[ProfileId] = set()
        self._parted: list[tuple[ProfileId, ProfileId | None]] = []

    def take(self, entry: JsonObject) -> None:
        """Take up the next entry of the journal, before it is repeated."""
        if entry["action"] == LedgerAction.UNMERGED:
            stayed = private("prf", entry["subject"] or "")
            if stayed is not None:
                self._parted.append((stayed, private("prf", entry.get("left", ""))))
        elif entry["action"] == LedgerAction.ERASED:
            erased = {ProfileId(bytes.fromhex(id_)) for id_ in entry["profiles"]}
            self._erased |= erased
            for stayed, left in self._parted:
                if stayed in erased:
                    # An entry of an earlier release does not name the other side.
                    (self._unnamed if left is None else self._lost).add(left or stayed)

    def add(self, profiles: Iterable[ProfileId]) -> None:
        """Take up profiles that were removed: by the erasure of others, or since no key opens them."""
        self._lost.update(profiles)

    def keep(self, profiles: Iterable[ProfileId]) -> None:
        """Take out profiles that are in the repaired database."""
        self._lost.difference_update(profiles)

    def ids(self) -> list[ProfileId]:
        """The profiles that were removed and never erased; of an old unmerge the profile that was erased."""
        return sorted((self._lost - self._erased) | self._unnamed)

    def shown(self) -> list[str]:
        """Their public ids, at most MOST_SHOWN."""
        return [public_profile(each) for each in self.ids()[:MOST_SHOWN]]
