"""The numbers and words of every enum never change, since rows and clients hold them."""

from enum import IntEnum

import pytest

from identity.values import enums
from identity.values.calls import STORED_KINDS

NUMBERS = {
    enums.StoredKind: "0 identify 1 track 2 page 3 screen 4 group 5 alias 6 leave 7 unmerge 8 remove 9 consent"
    " 10 confirm 11 refuse",
    enums.HistoryKind: "1 created 2 identifiers_gained 3 merged 4 identifiers_demoted 5 identifier_retired 6 unmerged"
    " 7 identifier_removed 8 rebuilt 9 identifier_taken_over 10 join_refused",
    enums.FeedOperation: "1 upsert 2 merge 3 unmerge 4 erase",
    enums.StoredStatus: "0 rejected 1 suppressed 2 unresolved 3 accepted",
    enums.RequestInterface: "0 native 1 segment 2 opendsr",
    enums.RequestKind: "1 suppress_with_delete 2 delete_only 3 suppress_only 4 unsuppress"
    " 5 suppress_with_delete_internal 6 delete_internal 7 access",
    enums.ErasureState: "0 received 1 on_hold 2 finished 3 duplicate 4 cancelled",
    enums.Law: "0 none 1 gdpr 2 ccpa",
    enums.RequestState: "0 open 1 at_risk 2 overdue 3 answered",
    enums.NoticeState: "0 queued 1 sent 2 accepted 3 done 4 unsupported_manual 5 failed 6 overdue",
    enums.AccessExportState: "0 running 1 ready 2 fetched",
    enums.JobState: "0 queued 1 running 2 done 3 failed",
    enums.JobKind: "1 rebuild 2 simulate 3 export 4 rotate 5 warehouse",
}
WORDS = {
    enums.UnlinkedReason: "limit max_identifiers max_merges separated blocked bad_type alias_both_known"
    " alias_needs_server_key needs_proof under_hold suppressed empty too_long not_text inexact_number"
    " control_characters invalid_email email_with_name several_emails email_domain invalid_phone too_many_types"
    " type_needs_server_key malformed_external_id other_collection encoded unknown_device before_erasure group_type",
    enums.Timeliness: "on_time at_risk overdue",
    enums.RegulationStatus: "INITIALIZED INVALID NOT_SUPPORTED RUNNING PARTIAL_SUCCESS FAILED FINISHED",
    enums.TrustClass: "public proven server",
    enums.KeyScope: "write import profiles:read legal:read privacy admin",
}


@pytest.mark.parametrize("enum", NUMBERS, ids=lambda enum: enum.__name__)
def test_stored_numbers_and_their_labels_never_change(enum: type[IntEnum]) -> None:
    """A row of an older version keeps its meaning."""
    assert " ".join(f"{member.value} {member.label}" for member in enum) == NUMBERS[enum]  # type: ignore[attr-defined, index]


@pytest.mark.parametrize("enum", WORDS, ids=lambda enum: enum.__name__)
def test_words_on_the_wire_never_change(enum: type[str]) -> None:
    """A client of an older version knows the words."""
    assert " ".join(enum) == WORDS[enum]  # type: ignore[index, arg-type]


def test_marks_of_a_space_are_bits() -> None:
    """Marks are joined by `|` in SQL."""
    assert [mark.value for mark in enums.SpaceMark] == [1, 2, 4]


def test_the_number_of_a_stored_kind_is_its_position() -> None:
    """Kinds of calls are stored by their position in `STORED_KINDS`."""
    assert tuple(kind.label for kind in enums.StoredKind) == STORED_KINDS
