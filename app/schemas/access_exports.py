"""The wire shapes of access exports, and how values become them."""

from typing import Literal

from msgspec import Struct

from app.schemas.export_items import ExportedProfile
from app.schemas.fields import Time
from identity.operations.privacy.request_export import ExportStatus, RequestedExport
from identity.planning.privacy.access_export import ExportedFrom
from identity.planning.resolution.event_time import format_time
from identity.values.ids import public


class NewExport(Struct):
    """The persons to export, by identifiers written `type:value`, 1 to 1,000, with all that their profiles fold."""

    identifiers: list[str]
    regulation: Literal["gdpr", "ccpa", "none"] = "none"


class ExportMade(Struct):
    """A requested export and the progress of its job. `download_url` downloads it once and is shown this once.

    `unknown` are identifiers that no profile holds.
    """

    export_id: str
    request_id: str
    job_id: str
    state: str
    done: int
    total: int
    unknown: list[str]
    download_url: str


class Export(Struct):
    """The progress of an export; once ready it can be downloaded until `expires_at`."""

    export_id: str
    job_id: str
    state: Literal["running", "ready", "fetched", "failed"]
    done: int
    total: int
    created_at: Time
    expires_at: Time


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
        unknown=list(value.unknown),
        download_url=download_url(value, base),
    )


def export_status(value: ExportStatus, *, failed: bool, done: int, total: int) -> Export:
    """An export with the progress of its job."""
    return Export(
        export_id=public("exp", value.id),
        job_id=public("job", value.job_id),
        state="failed" if failed else value.state.label,  # type: ignore[arg-type]  # the labels are the literals
        done=done,
        total=total,
        created_at=format_time(value.created_at),
        expires_at=format_time(value.expires_at),
    )


def download_url(export: RequestedExport, base: str | None) -> str:
    """The address that downloads an export once; `base` is the address that clients use."""
    return f"{base or ''}/v1/exports/{public('exp', export.id)}/download?ticket={export.ticket}"
