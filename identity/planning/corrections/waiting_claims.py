"""Gathers from evidence what public keys claim: the identifiers that wait for proof at an origin, and the refusals.

A claim is a pair of an origin and an identifier that a public key named there without being linked, since only a server
key, an identity token or a person can prove the link (docs/merging-rules.md §2.7). The rows of claims are an index of
the evidence. A transaction that writes evidence writes its claims, so no correction has to carry claims along.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final, NamedTuple

from identity.planning.resolution.stored_calls import DEMOTED_BYTES, KEY_BYTES, REASONS, split_keys
from identity.values.enums import JoinState, StoredKind, UnlinkedReason
from identity.values.errors import NotFound, Refused
from identity.values.ids import BlindIndex, JoinId, ProfileId
from identity.values.stamps import Stamp

NEEDS_PROOF: Final = REASONS[UnlinkedReason.NEEDS_PROOF]


class JoinNotFound(NotFound):
    """There is no such join, or the data of one side was erased; GET /v1/joins lists the joins."""


class JoinNotWaiting(Refused):
    """The join waits no more: it is made or refused; GET /v1/joins/{id} shows its state. Nothing was changed."""


class JoinDoesNotFit(Refused):
    """The rules keep the two sides apart, so the join cannot be made; nothing was changed."""

    def __init__(self, reason: str = "") -> None:
        because = f" ({reason})" if reason else ""
        super().__init__(
            f"The rules keep the two sides apart{because}, so the join cannot be made; nothing was changed. Refuse the"
            " join, or change the rules that GET /v1/rules shows."
        )


class WaitingClaim(NamedTuple):
    """The claim of an origin on an identifier: from its first call to its last, and when a person refused it."""

    key: BlindIndex
    origin: ProfileId
    id: JoinId
    since: Stamp
    last: Stamp
    times: int
    refused: Stamp | None


def claim_id(origin: ProfileId, key: BlindIndex) -> JoinId:
    """The id of a claim, the same each time the claim is gathered."""
    return JoinId(blake2b(origin + key, digest_size=16).digest())


def claimed_keys(demoted: bytes | None) -> list[BlindIndex]:
    """The identifiers of a stored call that wait for proof."""
    packed = demoted or b""
    return [
        BlindIndex(packed[at : at + KEY_BYTES])
        for at in range(0, len(packed), DEMOTED_BYTES)
        if packed[at + KEY_BYTES] == NEEDS_PROOF
    ]


def gather_claims(evidence: Iterable[tuple[ProfileId, Stamp, int, bytes, bytes | None]]) -> list[WaitingClaim]:
    """The claims in new evidence, given as (origin, stamp, kind, kept identifiers, demoted identifiers)."""
    found: dict[tuple[BlindIndex, ProfileId], WaitingClaim] = {}
    for origin, stamp, kind, kept, demoted in evidence:
        refuses = kind == StoredKind.REFUSE
        if not refuses and demoted is None:
            continue
        for key in split_keys(kept) if refuses else claimed_keys(demoted):
            one = WaitingClaim(
                key=key,
                origin=origin,
                id=claim_id(origin, key),
                since=stamp,
                last=stamp,
                times=0 if refuses else 1,
                refused=stamp if refuses else None,
            )
            before = found.get((key, origin))
            found[key, origin] = one if before is None else _together(before, one)
    return sorted(found.values())


def _together(one: WaitingClaim, other: WaitingClaim) -> WaitingClaim:
    return one._replace(
        since=min(one.since, other.since),
        last=max(one.last, other.last),
        times=one.times + other.times,
        refused=max((each for each in (one.refused, other.refused) if each is not None), default=None),
    )


def join_state(times: int, *, refused: bool, together: bool) -> JoinState | None:
    """The state of a claim; None where no stored call claims any more.

    `together`: the profile of the claim has the identifier by now. A later proof makes a refused join.
    """
    if not times:
        return None
    if together:
        return JoinState.MADE
    return JoinState.REFUSED if refused else JoinState.WAITING
