"""Claims are gathered from evidence: one for each identifier that waits at an origin, whatever the batches."""

from hypothesis import given
from hypothesis import strategies as st

from identity.planning.corrections.waiting_claims import claimed_keys, gather_claims, join_state
from identity.planning.resolution.stored_calls import pack_demoted
from identity.values.enums import StoredKind
from identity.values.ids import BlindIndex, ProfileId
from identity.values.stamps import Stamp

KEYS = [BlindIndex(bytes([nr]) * 32) for nr in range(3)]
ORIGINS = [ProfileId(bytes([nr]) * 16) for nr in range(2)]
REASONS = ("needs_proof", "limit:email", "blocked", "separated")

demotions = st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(REASONS)), max_size=4)
calls = st.lists(st.tuples(st.sampled_from(ORIGINS), demotions, st.booleans()), max_size=12)


@given(calls)
def test_a_claim_counts_the_calls_that_wait_and_remembers_the_refusal(
    drawn: list[tuple[ProfileId, list[tuple[BlindIndex, str]], bool]],
) -> None:
    """Of each pair of origin and identifier, from its first call to its last."""
    rows: list[tuple[ProfileId, Stamp, int, bytes, bytes | None]] = []
    expected: dict[tuple[BlindIndex, ProfileId], list[tuple[int, bool]]] = {}
    for nr, (origin, demoted, refuses) in enumerate(drawn, 1):
        stamp = Stamp(nr)
        if refuses:
            rows.append((origin, stamp, StoredKind.REFUSE.value, KEYS[0], None))
            expected.setdefault((KEYS[0], origin), []).append((nr, True))
            continue
        packed = pack_demoted(demoted, {"email": 2}) if demoted else None
        rows.append((origin, stamp, StoredKind.IDENTIFY.value, b"", packed))
        for key, reason in demoted:
            if reason == "needs_proof":
                expected.setdefault((key, origin), []).append((nr, False))
        assert claimed_keys(packed) == [key for key, reason in demoted if reason == "needs_proof"]

    found = gather_claims(rows)
    assert [(each.key, each.origin) for each in found] == sorted(expected)
    for each in found:
        seen = expected[each.key, each.origin]
        assert (each.since, each.last) == (min(seen)[0], max(seen)[0])
        assert each.times == sum(not refused for _, refused in seen)
        assert each.refused == max((nr for nr, refused in seen if refused), default=None)
    assert len({each.id for each in found}) == len(found)


def test_a_join_is_made_refused_or_waits() -> None:
    """A later proof makes a refused join; a claim without a call is none."""
    assert join_state(0, refused=True, together=True) is None
    assert join_state(1, refused=False, together=False) == "waiting"
    assert join_state(1, refused=True, together=False) == "refused"
    assert join_state(1, refused=True, together=True) == "made"
