"""Access exports in a test: requesting one with its job, and downloading it."""

import json
from typing import Any

from identity.operations.privacy.access_exports.download_export import download_export
from identity.operations.privacy.access_exports.request_export import RequestedExport, request_export
from identity.planning.privacy.privacy_requests import NewRequest
from identity.spaces.space import Space
from identity.values.enums import Law, RequestInterface, RequestKind
from identity.values.ids import public
from identity.vault.seal import JOB
from tests.support.processes.writer_processes import Lab


async def requested_export(lab: Lab, space: Space, *identifiers: str) -> tuple[RequestedExport, dict[str, Any]]:
    """A requested export and the payload of its job."""
    made = await request_export(
        space,
        NewRequest(
            front=RequestInterface.NATIVE,
            kind=RequestKind.ACCESS,
            regulation=Law.GDPR,
            identifiers=identifiers,
            actor="key_test",
        ),
    )
    ((payload,),) = lab.query("SELECT payload FROM job WHERE job_id = %s", made.job_id.hex())
    return made, json.loads(space.keys.open(JOB, made.job_id, 0, bytes(payload)))


async def downloaded(space: Space, made: RequestedExport) -> dict[str, Any]:
    """The document of an export, downloaded."""
    pieces = await download_export(space, public("exp", made.id), made.ticket, "json", "key_test")
    document: dict[str, Any] = json.loads(b"".join([piece async for piece in pieces]))
    return document
