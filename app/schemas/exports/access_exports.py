"""The wire shapes of access exports, and how values become them."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct, structs

from app.schemas.exports.export_items import ExportedProfile
from app.schemas.exports.public_joins import JoinsByPublicKeys, Policy, public_joins
from app.schemas.fields import Time, TypeHint
from identity.operations.privacy.access_exports.request_export import ExportStatus, RequestedExport
from identity.planning.privacy.access_export import ExportedFrom
from identity.planning.resolution.event_time import format_time
from identity.values.ids import public
from identity.values.near_types import type_hint


class NewExport(Struct, forbid_unknown_fields=True):
    """The persons to export, by identifiers written `type:value`, 1 to 1,000, with all that their profiles fold."""

    identifiers: list[str]
    regulation: Literal["gdpr", "ccpa", "none"] = "none"
    public_joins: Policy = "include"


class ExportMade(Struct):
    """A requested export and the progress of its job. `download_url` downloads it once and is shown this once.

    `found` is false where nobody has one of the identifiers; `unknown` are those. A hold hides `on_hold`
    people, whom the export lacks. `public_joins` is null where server-side keys or identity tokens have joined all
    identifiers of the people.
    """

    export_id: str
    request_id: str
    job_id: str
    state: str
    done: int
    total: int
    found: bool
    unknown: list[str]
    on_hold: int
    hint: TypeHint
    public_joins: JoinsByPublicKeys | None
    download_url: str


class ExportSummary(Struct):
    """An export; once ready it can be downloaded until `expires_at`.

    `found` is false where nobody had `not_found` of its `identifiers` when it was requested. A hold hid `on_hold`
    people then, whom the export lacks.
    """

    export_id: str
    job_id: str
    created_at: Time
    expires_at: Time
    actor: str
    identifiers: int
    found: bool
    not_found: int
    on_hold: int


class Export(ExportSummary):
    """An export with the progress of its job."""

    state: Literal["running", "ready", "fetched", "failed"]
    done: int
    total: int


class ExportListed(ExportSummary):
    """An export in a list; a job that failed is shown with the export alone."""

    state: Literal["running", "ready", "fetched"]


class Exports(Struct):
    """A page of the exports that are not downloaded, expired or destroyed, the newest first."""

    exports: list[ExportListed]
    next_cursor: str | None


class Exported(Struct):
    """Everything held, by profile and section, each item with its origin."""

    export: ExportedFrom
    profiles: list[ExportedProfile]


def export_made(value: RequestedExport, state: str, done: int, total: int, base: str | None) -> ExportMade:
    """A requested export with the progress of its job; `base` is the address that clients use."""
    return ExportMade(
        export_id=public("exp", value.id),
        request_id=public("req", value.request_id),
        job_id=public("job", value.job_id),
        state=state,
        done=done,
        total=total,
        found=not value.unknown,
        unknown=list(value.unknown),
        on_hold=value.on_hold,
        hint=type_hint(value.unknown),
        public_joins=public_joins(value.public_joins),
        download_url=download_url(value, base),
    )


def export_status(value: ExportStatus, *, failed: bool, done: int, total: int) -> Export:
    """An export with the progress of its job."""
    state = "failed" if failed else value.state.label
    return Export(**structs.asdict(_summary(value)), state=state, done=done, total=total)  # type: ignore[arg-type]  # the labels are the literals


def exports_page(values: Sequence[ExportStatus], cursor: str | None) -> Exports:
    """A page of exports."""
    return Exports([ExportListed(**structs.asdict(_summary(each)), state=each.state.label) for each in values], cursor)  # type: ignore[arg-type]  # the labels are the literals


def _summary(value: ExportStatus) -> ExportSummary:
    return ExportSummary(
        export_id=public("exp", value.id),
        job_id=public("job", value.job_id),
        created_at=format_time(value.created_at),
        expires_at=format_time(value.expires_at),
        actor=value.actor,
        identifiers=value.identifiers,
        found=not value.not_found,
        not_found=value.not_found,
        on_hold=value.on_hold,
    )


def download_url(export: RequestedExport, base: str | None) -> str:
    """The address that downloads an export once; `base` is the address that clients use."""
    return f"{base or ''}/v1/exports/{public('exp', export.id)}/download?ticket={export.ticket}"
