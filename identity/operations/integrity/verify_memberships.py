"""Compares the rows of memberships with the documents of the origins, which are sealed and state the same.

Invariant: for each statement about a group in a document there is one row with the same member, time and stamp, and no
other row. An origin without a document has a finding of its own.
"""

from collections.abc import Sequence
from contextlib import suppress

from identity.planning.integrity.discrepancies import Discrepancies
from identity.planning.resolution.fold_documents import unpack
from identity.store.integrity import memberships
from identity.store.integrity.memberships import StatedMembership
from identity.store.postgres import space_lock
from identity.store.postgres.database import Connection
from identity.store.postgres.tenant import Tenant
from identity.values.errors import KeyUnavailable, SpaceNotFound
from identity.values.ids import ProfileId, public_profile
from identity.values.stamps import Micros, Stamp
from identity.vault.space_keys import Index, SpaceKeys


class MembershipCheck:
    """Compares in one snapshot. Without the index keys that the space lock names it compares nothing."""

    def __init__(self, connection: Connection, tenant: Tenant, findings: Discrepancies, indexes: list[Index]) -> None:
        self._connection = connection
        self._tenant = tenant
        self._findings = findings
        self._indexes = indexes
        self._found = 0

    async def take(self, documents: Sequence[tuple[ProfileId, bytes]]) -> None:
        """Compare the rows of origins with their opened documents."""
        stated = [
            StatedMembership(
                origin=origin,
                keys=[index.group(name) for index in self._indexes],
                member=bool(member),
                time=Micros(time),
                stamp=Stamp(stamp),
            )
            for origin, document in documents
            for name, (member, time, stamp) in unpack(document).groups.items()
        ]
        if not self._indexes or not stated:
            return
        found = await memberships.find_stated(self._connection, self._tenant, stated)
        self._found += len(found)
        for number, each in enumerate(stated, 1):
            if number not in found:
                self._findings.add("membership_differs", public_profile(each.origin))

    async def finish(self, *, opened_all: bool) -> None:
        """Add the rows that no document states, after all documents; of one that does not open nobody knows."""
        if not self._indexes or not opened_all:
            return
        more = await memberships.count(self._connection, self._tenant) - self._found
        if more > 0:
            self._findings.add("membership_differs", f"{more} rows that no document states")


async def membership_check(
    connection: Connection, tenant: Tenant, keys: SpaceKeys, findings: Discrepancies
) -> MembershipCheck:
    """A comparison under the index keys of the snapshot. Rows may be under each from the live version on."""
    indexes: list[Index] = []
    # A missing key or an edited row has a finding of its own.
    with suppress(KeyUnavailable, SpaceNotFound):
        versions = (await space_lock.read(connection, tenant.id)).versions
        indexes = [keys.index(version) for version in range(versions.live, versions.newest + 1)]
    return MembershipCheck(connection, tenant, findings, indexes)
