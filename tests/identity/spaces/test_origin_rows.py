"""An origin is the same after its way through the columns of its row."""

from hypothesis import given
from hypothesis import strategies as st

from identity.planning.resolution.planner_state import Counters, Profile, Window
from identity.spaces.origin_rows import to_profile, to_row
from identity.values.ids import BlindIndex, ProfileId
from identity.values.stamps import Stamp

CODES = {"user_id": 1, "email": 2, "crm": 64}
NAMES = {code: name for name, code in CODES.items()}
IDS = st.binary(min_size=16, max_size=16).map(ProfileId)
KEYS = IDS.map(BlindIndex)
NUMBERS = st.integers(0, 2**60)
STAMPS = NUMBERS.map(Stamp)


@st.composite
def own_counters(draw: st.DrawFn) -> Counters:
    """The counters of an origin alone."""
    live = draw(st.lists(KEYS, max_size=3, unique=True))
    types = {name: draw(st.integers(1, 9)) for name in draw(st.sets(st.sampled_from(["email", "crm"])))}
    return Counters(types=types | ({"user_id": len(live)} if live else {}), live=live)


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    """A root with folded counters, windows and cuts."""
    own, id_ = draw(own_counters()), draw(IDS)
    live = [*own.live, draw(KEYS)]
    folded = Counters(
        types={name: count + 1 for name, count in own.types.items()} | {"user_id": len(live)},
        live=live,
        origins=draw(st.integers(2, 50)),
        windows={"crm": Window(3, draw(st.dictionaries(KEYS, NUMBERS, min_size=1, max_size=3)))},
        cuts={draw(KEYS): (1, 2)},
    )
    return Profile(
        id=id_,
        created=draw(STAMPS),
        root=id_,
        canonical=draw(IDS),
        oldest_birth=draw(STAMPS),
        own=own,
        folded=folded,
        version=draw(st.integers(0, 2**31)),
        stamp=draw(STAMPS),
        events=draw(st.integers(0, 2**31)),
        joined_to=draw(st.none() | IDS),
        joined_at=draw(st.none() | STAMPS),
    )


@given(profiles())
def test_a_root_comes_back_as_the_value_it_was(profile: Profile) -> None:
    """Every field, the folded counters of a root included."""
    assert to_profile(to_row(profile, CODES), NAMES) == profile


@given(profiles())
def test_a_row_without_folded_counters_has_its_own(profile: Profile) -> None:
    """An origin that is no root, or a root alone, keeps one set of counters; the reader gets a copy of them."""
    profile.root = ProfileId(bytes([profile.id[0] ^ 1]) + profile.id[1:])
    row = to_row(profile, CODES)
    read = to_profile(row, NAMES)

    assert row.folded is None
    assert read.own == profile.own
    assert (read.folded.types, read.folded.live) == (profile.own.types, profile.own.live)


@given(profiles(), profiles())
def test_unchanged_counters_are_taken_from_the_row_before(profile: Profile, earlier: Profile) -> None:
    """With the row before, its packed counters are kept byte for byte, and every other column is the new one."""
    before = to_row(earlier, CODES)
    row = to_row(profile, CODES, before)

    assert (row.own, row.folded) == (before.own, before.folded)
    assert row.id == profile.id
