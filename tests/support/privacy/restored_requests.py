"""Privacy requests beside a backup, and the restore that brings them back."""

from collections.abc import Awaitable, Callable
from typing import Any

from identity.operations.keys.overlay_key_tables import overlay_keys
from identity.operations.privacy.read_requests import get_request
from identity.operations.privacy.request_erasure import request_erasure
from identity.planning.privacy.privacy_requests import NewRequest, PrivacyRequest
from identity.values.enums import Law, RequestInterface, RequestKind
from identity.values.ids import RequestId
from tests.support.integrity.space_audit import discrepancies
from tests.support.privacy.older_backup import Backup, publish_ledgers
from tests.support.processes.writer_processes import Ingest, Lab, ingesting, run

PEOPLE = ("ann", "bob", "eve", "dan")


async def ask(
    ingest: Ingest, *named: str, kind: RequestKind = RequestKind.SUPPRESS_WITH_DELETE, again: str | None = None
) -> PrivacyRequest:
    """A request under the GDPR; a name without a type is a user id."""
    identifiers = [name if ":" in name else f"user_id:{name}" for name in named]
    return await request_erasure(
        ingest.space,
        NewRequest(
            front=RequestInterface.SEGMENT,
            kind=kind,
            regulation=Law.GDPR,
            identifiers=identifiers,
            actor="key_test",
            idempotency=again,
        ),
    )


def restored(
    lab: Lab,
    since: Callable[[Ingest], Awaitable[Any]],
    then: Callable[[Ingest, Any], Awaitable[None]],
    *,
    before: Callable[[Ingest], Awaitable[None]] | None = None,
    overlay: bool = False,
) -> None:
    """People, a backup, what happened since, a restore from the backup, and what holds then."""

    async def main() -> None:
        async with ingesting(lab) as ingest:
            for name in PEOPLE:
                await ingest.send({"type": "identify", "userId": name, "anonymousId": f"{name}-1"})
            if before is not None:
                await before(ingest)
            backup = Backup(lab)
            done = await since(ingest)
            backup.restore()
            if overlay:
                await overlay_keys(ingest.spaces, ingest.space)
            ingest.spaces.forget(ingest.space.tenant.id)
            await publish_ledgers(ingest)
            ingest.space = await ingest.spaces.get(ingest.space.tenant.id)
            await then(ingest, done)
            assert await discrepancies(ingest) == []

    run(main())


async def shown(ingest: Ingest, *ids: RequestId) -> list[PrivacyRequest]:
    """Requests as they are shown."""
    return [await get_request(ingest.space, id_) for id_ in ids]
