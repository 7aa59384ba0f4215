"""Gathering exports: gone on with where it stopped, and never holding anybody who is erased meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from app.schemas.exports.export_items import export_item
from identity.operations.corrections.unmerge_profile import unmerge_profile
from identity.operations.privacy.access_exports.access_export_sections import SectionStep, read_sections
from identity.operations.privacy.access_exports.build_export import Sections, build_export
from identity.operations.privacy.access_exports.download_export import download_export
from identity.operations.privacy.access_exports.request_export import (
    DOWNLOADABLE,
    destroy_expired_exports,
    get_export,
)
from identity.operations.privacy.request_erasure import request_erasure
from identity.planning.privacy.access_export import SECTIONS, ExportPosition
from identity.planning.privacy.privacy_requests import NewRequest
from identity.spaces.space import Space
from identity.values.calls import Source
from identity.values.enums import AccessExportState, Law, RequestInterface, RequestKind
from identity.values.errors import DatabaseUnavailable, ExportNotFound, KeyUnavailable, SealBroken
from identity.values.ids import public
from tests.support.integrity.space_audit import discrepancies, ignore_progress
from tests.support.privacy.access_exports import downloaded, requested_export
from tests.support.processes.writer_processes import Ingest, Lab, ingesting

CALLS = 250


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def ann(ingest: Ingest) -> None:
    """Somebody of two origins, with calls for more than a page."""
    await ingest.send({"type": "track", "anonymousId": "a1", "event": "First"})
    await ingest.send(*({"type": "track", "userId": "ann", "event": f"E{number}"} for number in range(CALLS)))
    await ingest.send({"type": "identify", "userId": "ann", "anonymousId": "a1", "traits": {"plan": "pro"}})


def stopping(after: int, then: Callable[[], Awaitable[None]] | None = None) -> Sections:
    """Gathering that after so many steps does something, or else dies."""

    async def stopped(space: Space, profiles: Sequence[str], place: ExportPosition) -> AsyncIterator[SectionStep]:
        nr = 0
        async for step in read_sections(space, profiles, place):
            if nr == after:
                if then is None:
                    raise DatabaseUnavailable
                await then()
            nr += 1
            yield step

    return stopped


async def test_an_interrupted_export_continues_where_it_was(lab: Lab) -> None:
    """However often, with the same result."""
    async with ingesting(lab) as ingest:
        await ann(ingest)
        whole, wanted = await requested_export(lab, ingest.space, "user_id:ann")
        await build_export(ingest.space, wanted, ignore_progress, read_sections, export_item)
        made, wanted = await requested_export(lab, ingest.space, "user_id:ann")
        for _ in SECTIONS:
            with pytest.raises(DatabaseUnavailable):
                await build_export(ingest.space, wanted, ignore_progress, stopping(1), export_item)
        with pytest.raises(ExportNotFound):
            await downloaded(ingest.space, made)
        await build_export(ingest.space, wanted, ignore_progress, read_sections, export_item)
        assert await discrepancies(ingest) == []
        document = await downloaded(ingest.space, made)
        assert document["profiles"] == (await downloaded(ingest.space, whole))["profiles"]
        events = [call["body"].get("event") for call in document["profiles"][0]["calls"]]
        assert events == ["First", *(f"E{number}" for number in range(CALLS)), None]
        assert lab.query("SELECT count(*) FROM export")[0][0] == 0
        assert lab.query("SELECT count(*) FROM export_part")[0][0] == 0
        assert await discrepancies(ingest) == []


@pytest.mark.parametrize("after", range(len(SECTIONS)))
async def test_a_person_erased_during_the_build_is_in_no_export(lab: Lab, after: int) -> None:
    """Between the reading of a section and its writing."""
    async with ingesting(lab) as ingest:
        await ann(ingest)
        made, wanted = await requested_export(lab, ingest.space, "user_id:ann")

        async def erase() -> None:
            await request_erasure(
                ingest.space,
                NewRequest(
                    front=RequestInterface.NATIVE,
                    kind=RequestKind.SUPPRESS_WITH_DELETE,
                    regulation=Law.GDPR,
                    identifiers=["anonymous_id:a1"],
                    actor="key_test",
                ),
            )

        with pytest.raises(ExportNotFound):
            await build_export(ingest.space, wanted, ignore_progress, stopping(after, erase), export_item)
        with pytest.raises(ExportNotFound):
            await downloaded(ingest.space, made)
        assert lab.query("SELECT count(*) FROM export_part")[0][0] == 0
        assert lab.query("SELECT count(*) FROM subject_key")[0][0] == 0


async def test_a_person_who_joined_during_the_build_is_covered_by_an_erasure(lab: Lab) -> None:
    """Also after an unmerge: the export is gone."""
    async with ingesting(lab) as ingest:
        await ann(ingest)
        await ingest.send({"type": "identify", "anonymousId": "a9", "traits": {"other": "theirs"}})
        made, wanted = await requested_export(lab, ingest.space, "user_id:ann")

        async def meet() -> None:
            await ingest.send({"type": "identify", "userId": "ann", "anonymousId": "a9"})

        await build_export(ingest.space, wanted, ignore_progress, stopping(1, meet), export_item)
        source = Source(1, server=True)
        await unmerge_profile(ingest.space, ["anonymous_id:a9"], block=True, source=source, actor="key_test")
        await request_erasure(
            ingest.space,
            NewRequest(
                front=RequestInterface.NATIVE,
                kind=RequestKind.SUPPRESS_WITH_DELETE,
                regulation=Law.GDPR,
                identifiers=["anonymous_id:a9"],
                actor="key_test",
            ),
        )
        with pytest.raises(ExportNotFound):
            await downloaded(ingest.space, made)


async def test_a_person_split_off_during_the_build_is_not_in_the_export(lab: Lab) -> None:
    """Their data is in no export of the other."""
    async with ingesting(lab) as ingest:
        await ann(ingest)
        made, wanted = await requested_export(lab, ingest.space, "user_id:ann")

        async def part() -> None:
            source = Source(1, server=True)
            await unmerge_profile(ingest.space, ["anonymous_id:a1"], block=True, source=source, actor="key_test")

        with pytest.raises(ExportNotFound):
            await build_export(ingest.space, wanted, ignore_progress, stopping(4, part), export_item)
        with pytest.raises(ExportNotFound):
            await downloaded(ingest.space, made)


async def test_a_download_that_breaks_off_destroys_the_export(lab: Lab) -> None:
    """Nothing of it is left."""
    async with ingesting(lab) as ingest:
        await ann(ingest)
        made, wanted = await requested_export(lab, ingest.space, "user_id:ann")
        await build_export(ingest.space, wanted, ignore_progress, read_sections, export_item)
        pieces = await download_export(ingest.space, public("exp", made.id), made.ticket, "json", "key_test")
        assert await anext(pieces)
        await pieces.aclose()
        assert lab.query("SELECT count(*) FROM export_part")[0][0] == 0
        assert await discrepancies(ingest) == []


async def test_two_builders_make_one_whole_export(lab: Lab) -> None:
    """When a job is taken over from a process that is still alive."""
    async with ingesting(lab) as ingest:
        await ann(ingest)
        made, wanted = await requested_export(lab, ingest.space, "user_id:ann")
        runs = (build_export(ingest.space, wanted, ignore_progress, read_sections, export_item) for _ in range(2))
        one, other = await asyncio.gather(*runs)
        assert one == other
        document = await downloaded(ingest.space, made)
        events = [call["body"].get("event") for call in document["profiles"][0]["calls"]]
        assert events == ["First", *(f"E{number}" for number in range(CALLS)), None]


async def test_an_expired_export_is_not_downloaded(lab: Lab) -> None:
    """It is destroyed with its key."""
    async with ingesting(lab) as ingest:
        await ann(ingest)
        made, wanted = await requested_export(lab, ingest.space, "user_id:ann")
        await build_export(ingest.space, wanted, ignore_progress, read_sections, export_item)
        await destroy_expired_exports(ingest.spaces)
        lab.query("UPDATE export SET until = until - %s RETURNING 1", DOWNLOADABLE)
        with pytest.raises(ExportNotFound):
            await downloaded(ingest.space, made)
        assert await destroy_expired_exports(ingest.spaces) == 1
        assert lab.query("SELECT count(*) FROM export_part")[0][0] == 0
        assert await discrepancies(ingest) == []


async def test_a_key_that_cannot_be_read_spends_no_ticket(lab: Lab) -> None:
    """The export is downloaded once the key is back."""
    async with ingesting(lab) as ingest:
        await ann(ingest)
        made, wanted = await requested_export(lab, ingest.space, "user_id:ann")
        await build_export(ingest.space, wanted, ignore_progress, read_sections, export_item)
        lab.query("UPDATE slot_key SET epoch = epoch + 100")
        with pytest.raises(KeyUnavailable):
            await downloaded(ingest.space, made)
        lab.query("UPDATE slot_key SET epoch = epoch - 100")
        assert (await downloaded(ingest.space, made))["profiles"]


async def test_an_export_of_a_person_who_cannot_be_opened_by_now_fails_with_the_reason(lab: Lab) -> None:
    """It is never ready without the person; a request of later is refused at once."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "identify", "userId": "ann", "traits": {"plan": "pro"}})
        made, wanted = await requested_export(lab, ingest.space, "user_id:ann")
        lab.query("UPDATE profile_document SET document = sha256(document)")
        with pytest.raises(SealBroken):
            await build_export(ingest.space, wanted, ignore_progress, read_sections, export_item)
        assert (await get_export(ingest.space, made.id)).state == AccessExportState.RUNNING
        with pytest.raises(SealBroken):
            await requested_export(lab, ingest.space, "user_id:ann")
