"""A regulation as Segment's API answers it: who was not found, and how each destination did."""

from app.schemas.segment.regulations import regulation_found, regulation_made, regulations_found
from identity.planning.privacy.privacy_requests import ErasureNotice, ErasureResult, PrivacyRequest
from identity.values.enums import ErasureState, Law, NoticeState, RequestInterface, RequestKind
from identity.values.ids import DestinationId, ErasureId, RequestId, SpaceId
from identity.values.stamps import Micros

REQUEST, SPACE, CRM = RequestId(b"r" * 16), SpaceId(b"s" * 16), DestinationId(b"c" * 16)
NOON = Micros(1_769_860_800_000_000)


def erasure(nr: int, *, found: bool, type_: str = "user_id") -> ErasureResult:
    """The finished erasure of one identifier, which a destination applied."""
    return ErasureResult(
        id=ErasureId(bytes([nr]) * 16), request_id=REQUEST, nr=nr, kind=RequestKind.DELETE_ONLY, regulation=Law.GDPR,
        state=ErasureState.FINISHED, type=type_, commitment=b"", received_at=NOON, due_at=None, extended_at=None,
        internal_at=NOON, closed_at=NOON, epoch=1, backup_safe_at=None, duplicate_of=None, ledger_seq=1, counts=None,
        found=found, notices=[ErasureNotice(destination=CRM, name="crm", state=NoticeState.DONE, at=NOON)],
    )  # fmt: skip


def request(*erasures: ErasureResult) -> PrivacyRequest:
    """A request with these erasures."""
    return PrivacyRequest(
        id=REQUEST, front=RequestInterface.SEGMENT, kind=RequestKind.DELETE_ONLY, regulation=Law.GDPR,
        received_at=NOON, actor="key_1", details=None, erasures=erasures,
    )  # fmt: skip


def test_those_who_were_not_found_are_named_by_their_place() -> None:
    """From 0, as in the request; an identifier that was named twice has one erasure."""
    made = regulation_made(request(erasure(1, found=True), erasure(3, found=False)))

    assert made.data.not_found == [2]
    assert made.data.found is False
    assert regulation_made(request(erasure(1, found=True))).data.not_found == []


def test_a_regulation_lists_its_destinations_by_their_ids() -> None:
    """One stream for each identifier."""
    shown = regulation_found(request(erasure(1, found=True)), SPACE).data.regulation

    assert (shown.id, shown.workspace_id) == (f"req_{REQUEST.hex()}", f"spc_{SPACE.hex()}")
    (stream,) = shown.stream_status
    (destination,) = stream.destination_status
    assert (destination.id, destination.name) == (f"dst_{CRM.hex()}", "crm")


def test_a_list_names_the_type_of_the_subjects_and_no_subject() -> None:
    """In capitals, as Segment does; a request without an identifier counts as one of user ids."""
    erased = request(erasure(1, found=True, type_="email"))
    first, empty = regulations_found([erased, request()], "now", "next").data.regulations

    assert (first.subject_type, first.subjects, empty.subject_type) == ("EMAIL", [], "USER_ID")
