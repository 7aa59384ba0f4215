"""Every packed form has its blind indexes replaced one to one."""

from hypothesis import given
from hypothesis import strategies as st

from identity.planning.corrections import rekey_rows
from identity.planning.resolution import counters
from identity.planning.resolution.planner_state import Counters, Window
from identity.planning.resolution.stored_calls import pack_demoted, split_keys
from identity.planning.resolution.working_set import set_key
from identity.values.enums import HistoryKind
from identity.values.ids import BlindIndex

KEYS = [BlindIndex(bytes((number,)) * 32) for number in range(1, 7)]
NAMES = {key: BlindIndex(bytes((key[0] + 100,)) * 32) for key in KEYS[:4]}
BACK = {new: old for old, new in NAMES.items()}
CODES = {"user_id": 1, "device": 64}
TYPES = {code: name for name, code in CODES.items()}
keys = st.lists(st.sampled_from(KEYS), unique=True, max_size=6)
reasons = st.sampled_from(["blocked", "limit:device", "separated"])


@given(keys, st.lists(st.tuples(st.sampled_from(KEYS), reasons), max_size=4))
def test_replacing_back_restores_every_row(kept: list[BlindIndex], refused: list[tuple[BlindIndex, str]]) -> None:
    """A blind index without a new one stays unchanged."""
    packed, demoted = b"".join(kept), pack_demoted(refused, CODES)
    assert split_keys(rekey_rows.rekey_keys(packed, NAMES)) == [NAMES.get(key, key) for key in kept]
    assert rekey_rows.rekey_keys(rekey_rows.rekey_keys(packed, NAMES), BACK) == packed
    assert rekey_rows.demoted(rekey_rows.demoted(demoted, NAMES), BACK) == demoted
    assert rekey_rows.rekey_history_keys(HistoryKind.IDENTIFIERS_GAINED, packed, NAMES) == rekey_rows.rekey_keys(
        packed, NAMES
    )
    assert rekey_rows.rekey_history_keys(HistoryKind.IDENTIFIERS_DEMOTED, demoted, NAMES) == rekey_rows.demoted(
        demoted, NAMES
    )
    assert rekey_rows.keys_of_history(HistoryKind.IDENTIFIERS_DEMOTED, demoted) == [key for key, _ in refused]
    assert rekey_rows.keys_of_history(HistoryKind.IDENTIFIERS_GAINED, packed) == kept


@given(keys, st.dictionaries(st.sampled_from(KEYS), st.integers(0, 3), max_size=6))
def test_counters_keep_counts_cuts_and_sizes_of_windows(live: list[BlindIndex], seen: dict[BlindIndex, int]) -> None:
    """A window from the live identifiers equals the window of a full scan."""
    window = counters.newest_window(seen, 3)
    before = Counters(
        types={"user_id": 2, "device": 4},
        live=live,
        unproven=dict.fromkeys(live, "device"),
        origins=2,
        windows={"device": window},
        cuts={b"c" * 16: (1, 2)},
    )
    packed = counters.pack(before, CODES.__getitem__)
    there = counters.unpack(rekey_rows.counters(packed, NAMES), TYPES)
    assert there.live == [*there.unproven] == [NAMES.get(key, key) for key in live]
    assert (there.types, there.origins, there.cuts) == (before.types, before.origins, before.cuts)
    assert counters.unpack(rekey_rows.counters(rekey_rows.counters(packed, NAMES), BACK), TYPES) == counters.unpack(
        packed, TYPES
    )
    renamed = {NAMES.get(key, key): at for key, at in seen.items()}
    anew = counters.unpack(rekey_rows.counters(packed, NAMES, {64: renamed}), TYPES)
    assert anew.windows == ({"device": counters.newest_window(renamed, 3)} if seen else {})
    assert all(isinstance(each, Window) for each in anew.windows.values())


@given(keys, keys)
def test_equal_sets_stay_equal_and_different_sets_stay_different(
    kept: list[BlindIndex], other: list[BlindIndex]
) -> None:
    """Set keys under the new blind indexes are equal exactly where the old ones are."""
    found = rekey_rows.rekey_observations([(b"".join(kept), None), (b"".join(other), None)], NAMES, TYPES.__getitem__)
    assert found[set_key(kept)] == set_key([NAMES.get(key, key) for key in kept])
    assert len(set(found.values())) == len({frozenset(kept), frozenset(other)})
