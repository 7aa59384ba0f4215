"""The comparison of an OpenDSR request with the stored row of its id."""

import uuid
from pathlib import Path

from identity.operations.privacy.opendsr_repeat import differing_fields, request_details
from identity.operations.privacy.request_erasure import request_erasure
from identity.planning.privacy.opendsr import Subject, read
from identity.planning.privacy.privacy_requests import NewRequest
from identity.values.enums import RequestInterface, RequestKind
from identity.values.json import JsonObject
from identity.values.stamps import wall_time
from tests.support.processes.writer_processes import Lab


def _subject(id_: str, email: str = "ann@example.org") -> Subject:
    identities = [{"identity_type": "email", "identity_value": email, "identity_format": "raw"}]
    document = {
        "subject_request_id": id_,
        "subject_request_type": "erasure",
        "submitted_time": "2026-01-02T03:04:05Z",
        "subject_identities": identities,
        "extensions": {"email": email},
    }
    return read(document, wall_time())


def _request(subject: Subject, details: JsonObject) -> NewRequest:
    return NewRequest(
        front=RequestInterface.OPENDSR,
        kind=RequestKind.SUPPRESS_WITH_DELETE,
        regulation=subject.regulation,
        identifiers=subject.identifiers,
        actor="test",
        idempotency=f"opendsr {subject.id.hex()}",
        request_id=subject.id,
        details=details,
        received_at=subject.submitted_at,
    )


async def test_a_row_of_an_older_version_is_the_same_request(database: str, tmp_path: Path) -> None:
    """It keeps no hashes of further members; a row of this version keeps no member of these in clear."""
    lab = Lab(database, tmp_path)
    spaces = await lab.open()
    try:
        space = await lab.space(spaces)
        now = wall_time()
        for old in (True, False):
            id_ = str(uuid.uuid4())
            subject = _subject(id_)
            details = request_details(space, subject, now)
            assert "ann@example.org" not in str(details)
            if old:
                details = {"controller_id": "", "callbacks": [], "received": now}
            assert await differing_fields(space, subject) == []
            await request_erasure(space, _request(subject, details))
            assert await differing_fields(space, subject) == []
            changed = ["subject_identities"] if old else ["subject_identities", "another member, such as extensions"]
            assert await differing_fields(space, _subject(id_, "bob@example.org")) == changed
    finally:
        await spaces.database.close()
