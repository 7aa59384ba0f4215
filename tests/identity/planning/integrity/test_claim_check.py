"""Claims that are gathered from evidence differ in nothing; any other row, and each one that is missing, is named."""

from collections.abc import Callable, Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.corrections.waiting_claims import WaitingClaim, gather_claims
from identity.planning.integrity.claim_check import ClaimCheck
from identity.planning.integrity.discrepancies import Discrepancies
from identity.planning.resolution.stored_calls import pack_demoted
from identity.values.enums import StoredKind
from identity.values.ids import BlindIndex, JoinId, ProfileId, public
from identity.values.stamps import Stamp

KEYS = [BlindIndex(bytes([nr]) * 32) for nr in range(3)]
ORIGINS = [ProfileId(bytes([nr]) * 16) for nr in range(2)]
Row = tuple[ProfileId, Stamp, int, bytes, bytes | None]
EDITS: dict[str, Callable[[WaitingClaim], WaitingClaim]] = {
    "revived": lambda row: row._replace(refused=None if row.refused else row.last),
    "counted": lambda row: row._replace(times=row.times + 1),
    "earlier": lambda row: row._replace(since=Stamp(row.since - 1)),
    "later": lambda row: row._replace(last=Stamp(row.last + 1)),
    "renamed": lambda row: row._replace(id=JoinId(bytes(16))),
    "of another": lambda row: row._replace(origin=ProfileId(b"\xff" * 16)),
}


def rows_of(drawn: Iterable[tuple[ProfileId, BlindIndex, bool]]) -> list[Row]:
    """Evidence: a call that claims an identifier, or a refusal."""
    return [
        (origin, Stamp(nr), StoredKind.REFUSE.value, key, None)
        if refuses
        else (origin, Stamp(nr), StoredKind.IDENTIFY.value, b"", pack_demoted([(key, "needs_proof")], {}))
        for nr, (origin, key, refuses) in enumerate(drawn, 1)
    ]


def named(evidence: Iterable[Row], claims: Iterable[WaitingClaim], forgotten: Mapping[BlindIndex, Stamp]) -> set[str]:
    """The joins that the check names."""
    findings, check = Discrepancies(), ClaimCheck(forgotten)
    for row in evidence:
        check.read_evidence(*row)
    for each in claims:
        check.read_claim(
            findings, each.key, each.origin, each.id, each.since, each.last, each.times, each.refused, each.key
        )
    check.check(findings)
    return {example for finding in findings for example in finding.examples}


evidence_of = st.lists(st.tuples(st.sampled_from(ORIGINS), st.sampled_from(KEYS), st.booleans()), max_size=12)


@given(evidence_of, st.integers(0, 12))
def test_gathered_claims_differ_in_nothing(drawn: list[tuple[ProfileId, BlindIndex, bool]], until: int) -> None:
    """Also where an erasure of an identifier took the claims on it along, and later calls made new ones."""
    evidence = rows_of(drawn)
    assert named(evidence, gather_claims(evidence), {}) == set()
    forgotten = {KEYS[0]: Stamp(until)}
    left = [row for row in evidence if row[1] > until or KEYS[0] not in (row[3], (row[4] or b"")[:32])]
    assert named(evidence, gather_claims(left), forgotten) == set()
    assert named(evidence, gather_claims(evidence), forgotten) == set()


@pytest.mark.parametrize("edit", EDITS)
@given(evidence_of.filter(bool), st.integers(0, 99))
def test_each_edited_or_deleted_claim_is_named(
    edit: str, drawn: list[tuple[ProfileId, BlindIndex, bool]], pick: int
) -> None:
    """By its id, whichever column differs."""
    evidence = rows_of(drawn)
    claims = gather_claims(evidence)
    chosen = claims.pop(pick % len(claims))
    assert named(evidence, claims, {}) == {public("jon", chosen.id)}
    assert named(evidence, [*claims, EDITS[edit](chosen)], {}) >= {public("jon", EDITS[edit](chosen).id)}
