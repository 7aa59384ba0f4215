"""An export as the API answers it: whether anybody was found, whether its job failed, and where it is downloaded."""

import msgspec
import pytest

from app.schemas.exports.access_exports import download_url, export_status, exports_page
from identity.operations.privacy.access_exports.request_export import ExportStatus, RequestedExport
from identity.values.enums import AccessExportState
from identity.values.ids import ExportId, JobId, RequestId
from identity.values.stamps import Micros

ID = ExportId(b"e" * 16)
NOON = Micros(1_769_860_800_000_000)


def status(state: AccessExportState = AccessExportState.READY, not_found: int = 0) -> ExportStatus:
    """An export of two identifiers."""
    return ExportStatus(
        id=ID,
        job_id=JobId(b"j" * 16),
        state=state,
        created_at=NOON,
        expires_at=NOON,
        actor="key_1",
        identifiers=2,
        not_found=not_found,
        on_hold=1,
    )


@pytest.mark.parametrize(("not_found", "found"), [(0, True), (1, False)])
def test_everybody_has_to_be_found(not_found: int, found: bool) -> None:  # noqa: FBT001
    """One identifier that nobody has is enough."""
    shown = export_status(status(not_found=not_found), failed=False, done=1, total=2)

    assert (shown.found, shown.not_found, shown.identifiers) == (found, not_found, 2)
    assert (shown.state, shown.done, shown.total) == ("ready", 1, 2)


@pytest.mark.parametrize("state", AccessExportState)
def test_a_failed_job_overrules_the_state(state: AccessExportState) -> None:
    """In a list the export is shown alone, with its own state."""
    assert export_status(status(state), failed=True, done=0, total=0).state == "failed"
    (listed,) = exports_page([status(state)], "next").exports
    assert listed.state == state.label
    assert listed.export_id == f"exp_{ID.hex()}"


def test_a_list_says_of_each_export_all_but_its_progress() -> None:
    """The fields are the same, and so are their values."""
    whole = msgspec.to_builtins(export_status(status(), failed=False, done=1, total=2))
    (listed,) = msgspec.to_builtins(exports_page([status()], None))["exports"]

    assert listed == {name: value for name, value in whole.items() if name not in ("done", "total")}


@pytest.mark.parametrize(("base", "expected"), [("https://id.example.org", "https://id.example.org/v1"), (None, "/v1")])
def test_the_address_has_the_base_that_clients_use(base: str | None, expected: str) -> None:
    """Without one it begins with the path."""
    made = RequestedExport(
        id=ID, request_id=RequestId(b"r" * 16), job_id=JobId(b"j" * 16), ticket="once", created_at=NOON
    )

    assert download_url(made, base) == f"{expected}/exports/exp_{ID.hex()}/download?ticket=once"
