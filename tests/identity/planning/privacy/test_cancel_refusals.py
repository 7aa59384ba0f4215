"""Why a finished request cannot be cancelled."""

import pytest

from identity.planning.privacy.cancel_refusals import cancel_refusal
from identity.planning.privacy.privacy_requests import DELETES
from identity.values.enums import RequestKind


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (RequestKind.SUPPRESS_ONLY, "already_suppressed"),
        (RequestKind.UNSUPPRESS, "already_lifted"),
        *((kind, "already_erased") for kind in sorted(DELETES)),
    ],
)
def test_a_refusal_depends_on_the_kind_of_the_request(kind: RequestKind, code: str) -> None:
    """A suppression is no erasure, and its message names the way to lift the suppression."""
    assert cancel_refusal(kind).code == code
