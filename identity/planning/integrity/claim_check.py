"""Checks that the rows of claimed joins are what the evidence states: no join is revived, and none is left out.

A claim is an index of the evidence (`waiting_claims`): the calls that name an identifier in want of proof, and the
refusals of people. Where an identifier was erased or removed, the row may count the earlier calls or not, since an
erasure takes the claims on the identifiers of its person along and leaves the calls of others.
"""

from collections.abc import Mapping
from typing import NamedTuple

from identity.planning.corrections.waiting_claims import claim_id, gather_claims
from identity.planning.integrity.discrepancies import Discrepancies
from identity.values.ids import BlindIndex, JoinId, ProfileId, public
from identity.values.stamps import Stamp


class _Claimed(NamedTuple):
    """What evidence states of a claim: its calls and the first of them, the first and last row, and its refusal."""

    times: int = 0
    first_call: Stamp | None = None
    first: Stamp | None = None
    last: Stamp | None = None
    refused: Stamp | None = None


_Key = tuple[ProfileId, BlindIndex]
_NOTHING = _Claimed()


class ClaimCheck:
    """Compares claims with evidence; `forgotten` maps an identifier to its last removal or erasure."""

    def __init__(self, forgotten: Mapping[BlindIndex, Stamp]) -> None:
        self._forgotten = forgotten
        self._all: dict[_Key, _Claimed] = {}
        self._later: dict[_Key, _Claimed] = {}
        self._stored: set[_Key] = set()

    def read_evidence(self, origin: ProfileId, stamp: Stamp, kind: int, kept: bytes, demoted: bytes | None) -> None:
        """Read a row of evidence that may claim or refuse a join."""
        for claim in gather_claims([(origin, stamp, kind, kept, demoted)]):
            at = (origin, claim.key)
            self._all[at] = _more(self._all.get(at, _NOTHING), stamp, claim.times)
            if stamp > self._forgotten.get(claim.key, 0):
                self._later[at] = _more(self._later.get(at, _NOTHING), stamp, claim.times)

    def read_claim(
        self,
        findings: Discrepancies,
        key: BlindIndex,
        origin: ProfileId,
        id_: JoinId,
        since: Stamp,
        last: Stamp,
        times: int,
        refused: Stamp | None,
        named_as: BlindIndex,
    ) -> None:
        """Compare a row, after all evidence; `named_as` is the blind index in the row, `key` the newest one."""
        at = (origin, key)
        self._stored.add(at)
        most, least = self._all.get(at, _NOTHING), self._later.get(at, _NOTHING)
        right = (
            id_ == claim_id(origin, named_as)
            and least.times <= times <= most.times
            and (refused in (most.refused, least.refused))
            and last in (most.last, least.last)
            and (since in (most.first_call, most.first) or key in self._forgotten)
        )
        if not right:
            findings.add("join_differs", public("jon", id_))

    def check(self, findings: Discrepancies) -> None:
        """Add the claims without a row, after all rows."""
        for origin, key in sorted(self._later.keys() - self._stored):
            findings.add("join_differs", public("jon", claim_id(origin, key)))


def _more(before: _Claimed, stamp: Stamp, times: int) -> _Claimed:
    first_call, refused = before.first_call, before.refused
    if times:
        first_call = stamp if first_call is None else min(first_call, stamp)
    else:
        refused = stamp if refused is None else max(refused, stamp)
    first = stamp if before.first is None else min(before.first, stamp)
    last = stamp if before.last is None else max(before.last, stamp)
    return _Claimed(times=before.times + times, first_call=first_call, first=first, last=last, refused=refused)
