"""Consent: neither the order of arrival nor a merge widens what a destination may read."""

from itertools import pairwise
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from identity.planning.consent.fold import Meeting, fold
from identity.planning.consent.permission import Permission
from identity.planning.consent.purposes import Purpose, Purposes
from identity.planning.consent.statements import OUT, REGION
from identity.planning.resolution.fold_documents import merge_decisions, merge_signals
from identity.values.calls import DAY
from identity.values.documents import MINOR, SERVER, STATED, Document, TimedSignal
from identity.values.ids import ProfileId
from identity.values.stamps import Micros, Stamp

NOW = 10 * DAY
categories = st.sampled_from("PPQ")
times = st.integers(0, 3).map(lambda days: days * DAY)


@st.composite
def statements(draw: Any) -> tuple[str, dict[str, Any], int, bool]:
    """One statement: decisions or signals, with a time and the side that sends them."""
    server, time = draw(st.booleans()), draw(times)
    suffix = SERVER if server else ""
    if draw(st.integers(0, 2)):
        return "decide", draw(st.dictionaries(categories, st.booleans(), min_size=1, max_size=2)), time, server
    content: dict[str, Any] = {}
    for name, values in (
        ("ads" + suffix, st.booleans()),
        ("gcm:ad_storage" + suffix, st.booleans()),
        ("gcm:ad_user_data" + suffix, st.booleans()),
        (STATED + suffix, st.lists(categories, unique=True).map(sorted)),
        (OUT + "ads", st.just(False)),
        (MINOR, st.booleans() if server else st.just(True)),
        (REGION + suffix, st.sampled_from(["DE", "US", "US-CA"])),
    ):
        if draw(st.booleans()):
            content[name] = draw(values)
    return "signal", content, time, server


def fold_statement(document: Document, statement: tuple[str, dict[str, Any], int, bool], stamp: int) -> None:
    """Folds what a call says into a document."""
    what, content, time, server = statement
    if what == "decide":
        merge_decisions(document, content, Micros(time), Stamp(stamp), server=server)
    else:
        merge_signals(
            document, {name: TimedSignal(value, Micros(time)) for name, value in content.items()}, Stamp(stamp)
        )


policies = st.builds(
    Purposes,
    purposes=st.just({"P": Purpose("P", "ads", Micros(8 * DAY)), "Q": Purpose("Q", "functional")}),
    unset=st.booleans(),
    regions=st.dictionaries(
        st.sampled_from(["DE", "US", "US-CA"]), st.dictionaries(st.sampled_from(["ads", "functional"]), st.booleans())
    ),
    override=st.booleans(),
)


@given(st.lists(statements(), min_size=2, max_size=4), st.randoms(), policies)
def test_arrival_changes_no_verdict(given_statements: list[Any], random: Any, policy: Purposes) -> None:
    """Whatever order calls about one person come in, in the end the same is allowed and answered."""
    verdicts = []
    for _ in range(3):
        document = Document()
        for stamp, statement in enumerate(given_statements, 1):
            fold_statement(document, statement, stamp)
        permission = Permission({ProfileId(b"a"): document}, [], policy, Micros(NOW))
        answers = {name: (each.value, each.conflict) for name, each in fold({ProfileId(b"a"): document}, []).items()}
        verdicts.append((permission.one("P", ProfileId(b"a")), permission.one("Q", ProfileId(b"a")), answers))
        random.shuffle(given_statements)
    assert verdicts[0] == verdicts[1] == verdicts[2]


@st.composite
def people(draw: Any, names: str) -> tuple[dict[bytes, Document], list[Meeting]]:
    """Somebody with a few origins that met at some time, each with statements from before and after."""
    documents = {name.encode(): Document() for name in names}
    meetings = []
    stamps = iter(draw(st.permutations(range(1, 40))))
    for winner, loser in pairwise(documents):
        meetings.append(Meeting(next(stamps), ProfileId(loser), ProfileId(winner)))
    for document in documents.values():
        for statement in draw(st.lists(statements(), max_size=2)):
            fold_statement(document, statement, next(stamps))
    return documents, meetings


@settings(max_examples=2 * settings().max_examples)
@given(people("ab"), people("xy"), policies, st.sampled_from([b"a", b"b"]), st.sampled_from([b"x", b"y"]))
def test_a_merge_makes_nothing_readable(one: Any, other: Any, policy: Purposes, at: bytes, to: bytes) -> None:
    """Data of an origin that is readable after a merge was readable before."""
    joined = Meeting(Stamp(100), ProfileId(_head(other[1], to)), ProfileId(_head(one[1], at)))
    after = Permission({**one[0], **other[0]}, [*one[1], *other[1], joined], policy, Micros(NOW))
    for documents, meetings in (one, other):
        before = Permission(documents, meetings, policy, Micros(NOW))
        for origin in documents:
            for purposes in (["P"], ["Q"], ["P", "Q"]):
                assert not after.all_of(purposes, origin).granted or before.all_of(purposes, origin).granted


def _head(meetings: list[Meeting], origin: bytes) -> bytes:
    up = {meeting.loser: meeting.winner for meeting in meetings}
    while origin in up:
        origin = up[ProfileId(origin)]
    return origin


@given(st.lists(statements(), max_size=5), statements(), st.booleans())
@example([], ("decide", {"P": False}, 0, True), False)
def test_a_public_key_lifts_no_ruling(given_statements: list[Any], last: Any, unset: bool) -> None:  # noqa: FBT001
    """After a server-side denial nothing that comes with a public key allows the purpose again."""
    document = Document()
    stamp = 0
    for stamp, statement in enumerate(given_statements, 1):
        fold_statement(document, statement, stamp)
    merge_decisions(document, {"P": False}, Micros(5 * DAY), Stamp(stamp + 1), server=True)
    for later, (what, content, time, _) in enumerate([*given_statements, last], stamp + 2):
        public = {name: value for name, value in content.items() if not name.endswith(SERVER)}
        fold_statement(document, (what, public, time + 6 * DAY, False), later)
    policy = Purposes(purposes={"P": Purpose("P", "ads")}, unset=unset)
    assert not Permission({ProfileId(b"a"): document}, [], policy, Micros(NOW)).one("P", ProfileId(b"a")).granted
