"""No device speaks for another one, unless the space trusts public keys."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.consent.devices import MOST_DEVICES, NO_DEVICE, OTHERS, as_one, by_side, device_of, device_tag
from identity.planning.consent.fold import Meeting, fold
from identity.planning.consent.permission import Permission
from identity.planning.consent.purposes import Purpose, Purposes
from identity.planning.consent.statements import OUT, REGION
from identity.planning.resolution.fold_documents import merge_decisions, merge_signals, pack, unpack
from identity.values.calls import DAY
from identity.values.documents import MINOR, SERVER, STATED, Document, TimedSignal
from identity.values.ids import ProfileId
from identity.values.stamps import Micros, Stamp

NOW = Micros(10 * DAY)
ORIGINS = USER, PHONE = ProfileId(b"user"), ProfileId(b"phone")
MET = [Meeting(Stamp(3), PHONE, USER)]
HOMES = {"laptop": USER, "phone": PHONE}
EVIL = ("evil", NO_DEVICE, *(f"evil{nr}" for nr in range(MOST_DEVICES + 2)))
DEVICES = ("laptop", "phone", "guest")
PURPOSES = {"P": Purpose("P", "ads", Micros(8 * DAY)), "Q": Purpose("Q", "functional")}
LASTING = Purposes(purposes={"P": Purpose("P", "ads"), "Q": PURPOSES["Q"]})
policies = st.builds(
    Purposes,
    purposes=st.just(PURPOSES),
    unset=st.booleans(),
    regions=st.dictionaries(
        st.sampled_from(["DE", "US"]), st.dictionaries(st.sampled_from(["ads", "functional"]), st.booleans())
    ),
    override=st.booleans(),
)


@st.composite
def a_call(draw: Any, devices: tuple[str, ...], *, server: bool = True) -> tuple[Any, ...]:
    """A call at an origin: its device (None for a server), what it states, and when."""
    device = draw(st.sampled_from((*devices, None) if server else devices))
    suffix, time = SERVER if device is None else "", Micros(draw(st.integers(0, 4)) * DAY)
    decisions = draw(st.dictionaries(st.sampled_from("PQ"), st.booleans(), max_size=2))
    signals: dict[str, Any] = {}
    for name, values in (
        ("ads" + suffix, st.booleans()),
        ("gcm:ad_storage" + suffix, st.booleans()),
        (STATED + suffix, st.lists(st.sampled_from("PQ"), unique=True).map(sorted)),
        (OUT + "ads", st.just(False)),
        (MINOR, st.booleans() if device is None else st.just(True)),
        (REGION + suffix, st.sampled_from(["DE", "US"])),
    ):
        if draw(st.integers(0, 3)) == 0:
            signals[name] = TimedSignal(draw(values), time)
    return draw(st.sampled_from(ORIGINS)), device, decisions, signals, time


def folded(calls: list[tuple[int, tuple[Any, ...]]], *, apart: bool = True) -> dict[ProfileId, Document]:
    """The documents after calls with stamps; without `apart` as before devices were kept."""
    documents: dict[ProfileId, Document] = {}
    for stamp, (origin, device, decisions, signals, time) in calls:
        document = documents.setdefault(origin, Document())
        tag = device if apart else None
        merge_decisions(document, decisions, time, Stamp(stamp), server=device is None, device=tag)
        merge_signals(document, signals, Stamp(stamp), device=tag)
    return {origin: unpack(pack(document)) for origin, document in documents.items()}


def verdicts(documents: dict[ProfileId, Document], policy: Purposes) -> dict[tuple[str, ProfileId], bool]:
    """Whether each purpose is granted at each origin."""
    sides = by_side(documents, MET, HOMES)
    permission = Permission(sides.documents, sides.meetings, policy, NOW, sides.homes)
    return {(name, origin): permission.one(name, origin).granted for name in PURPOSES for origin in ORIGINS}


@given(st.lists(a_call(DEVICES), max_size=5), st.lists(a_call(EVIL, server=False), max_size=25), policies, st.randoms())
def test_calls_of_an_attacker_open_nothing_of_others(
    theirs: list[Any], attack: list[Any], policy: Purposes, random: Any
) -> None:
    """Whatever she sends, with whatever ids of theirs, before, between and after their calls."""
    # A device that created the origins of the person is there from the beginning.
    theirs = [(USER, "laptop", {}, {MINOR: TimedSignal(value=False, time=Micros(0))}, Micros(0)), *theirs]
    order = [("theirs", each) for each in theirs] + [("attack", each) for each in attack]
    random.shuffle(order)
    stamped = [(stamp, who, each) for stamp, (who, each) in enumerate(order, 1)]
    without = verdicts(folded([(stamp, each) for stamp, who, each in stamped if who == "theirs"]), policy)
    with_her = verdicts(folded([(stamp, each) for stamp, _, each in stamped]), policy)

    assert [at for at, granted in with_her.items() if granted and not without[at]] == []


@given(st.lists(a_call(DEVICES), max_size=6), policies)
def test_a_space_that_trusts_public_keys_decides_as_before(calls: list[Any], policy: Purposes) -> None:
    """The devices of an origin count as one."""
    stamped = list(enumerate(calls, 1))
    before, now = folded(stamped, apart=False), as_one(folded(stamped))
    assert fold(now, MET) == fold(before, MET)
    for name in PURPOSES:
        for origin in ORIGINS:
            assert Permission(now, MET, policy, NOW).one(name, origin) == Permission(before, MET, policy, NOW).one(
                name, origin
            )


@given(st.lists(a_call(DEVICES), max_size=6), policies, st.randoms())
def test_the_order_of_arrival_changes_nothing(calls: list[Any], policy: Purposes, random: Any) -> None:
    """The fold is one of each side."""
    stamped = list(enumerate(calls, 1))
    first = verdicts(folded(stamped), policy)
    random.shuffle(stamped)
    assert verdicts(folded(stamped), policy) == first


def decide(*calls: tuple[ProfileId, str | None, bool]) -> dict[ProfileId, bool]:
    """Whether P is granted at each origin after decisions about it."""
    made: list[tuple[Any, ...]] = [
        (each[0], each[1], {"P": each[2]}, {}, Micros(nr)) for nr, each in enumerate(calls, 1)
    ]
    found = verdicts(folded(list(enumerate(made, 4))), LASTING)
    return {origin: found["P", origin] for origin in ORIGINS}


@pytest.mark.parametrize(
    ("calls", "user", "phone"),
    [
        # A grant counts at the origin that its device created, wherever the call is stored.
        ([(USER, "laptop", True)], True, False),
        ([(USER, "phone", True)], False, True),
        ([(USER, "guest", True)], False, False),
        # A denial counts for the person; its device lifts it, and no other one.
        ([(USER, "laptop", True), (USER, "phone", True), (USER, "guest", False)], False, False),
        ([(USER, "laptop", True), (USER, "phone", False), (USER, "laptop", True)], False, False),
        ([(USER, "laptop", True), (USER, "phone", False), (USER, "phone", True)], True, True),
        # Wherever the calls of the device are stored: with a user id, at the origin of the user.
        ([(USER, None, True), (PHONE, "phone", False), (USER, "phone", True)], True, True),
        ([(USER, None, True), (PHONE, "phone", False), (USER, "guest", True)], False, False),
        # A server speaks for the person.
        ([(USER, None, True)], True, True),
        ([(USER, "phone", False), (USER, None, True)], True, True),
        ([(USER, None, False), (USER, "laptop", True)], False, False),
    ],
)
def test_each_side_counts_as_far_as_it_speaks(
    calls: list[tuple[ProfileId, str | None, bool]],
    user: bool,  # noqa: FBT001
    phone: bool,  # noqa: FBT001
) -> None:
    """Of a person with two devices, and one that somebody else attached."""
    assert decide(*calls) == {USER: user, PHONE: phone}


@pytest.mark.parametrize("later", [True, False])
def test_a_call_without_a_device_grants_and_lifts_nothing(later: bool) -> None:  # noqa: FBT001
    """Anybody may have made the call; where all devices count as one, the newest counts."""
    lone = ProfileId(b"lone")
    first: Any = (1, (lone, NO_DEVICE, {"P": True, "Q": False}, {}, Micros(1)))
    last: Any = (2, (lone, NO_DEVICE, {"P": True, "Q": later}, {}, Micros(2)))
    documents = folded([first, last])
    sides = by_side(documents, [], {})
    permission = Permission(sides.documents, sides.meetings, LASTING, NOW, sides.homes)
    assert [permission.one(name, lone).granted for name in "PQ"] == [False, False]
    together = Permission(as_one(documents), [], LASTING, NOW)
    assert [together.one(name, lone).granted for name in "PQ"] == [True, later]


def test_a_full_document_keeps_the_strictest_of_all_further_devices() -> None:
    """So a denial finds room whatever an attacker sent before, and no grant lifts it."""
    document = Document()
    for nr in range(MOST_DEVICES + 5):
        merge_decisions(document, {"P": True}, Micros(nr), Stamp(nr), device=f"d{nr}")
    merge_decisions(document, {"P": False}, Micros(50), Stamp(50), device="hers")
    merge_decisions(document, {"P": True}, Micros(60), Stamp(60), device="evil")
    assert len(document.devices) == MOST_DEVICES + 1
    assert document.devices[OTHERS].consent["P"][0] is False


@pytest.mark.parametrize(
    ("body", "tag"),
    [
        ({"anonymousId": " a1 "}, device_tag("a1")),
        ({"anonymousId": 7}, device_tag("7")),
        ({"anonymousId": "undefined", "context": {"device": {"id": "d1"}}}, device_tag("d1")),
        ({"anonymousId": None, "context": {"device": {"id": ["d1"]}}}, NO_DEVICE),
        ({"userId": "u1", "context": []}, NO_DEVICE),
    ],
)
def test_the_device_of_a_call_is_that_of_its_anonymous_id_or_its_device(body: dict[str, Any], tag: str) -> None:
    """As the identifier is read."""
    assert device_of(body) == tag
