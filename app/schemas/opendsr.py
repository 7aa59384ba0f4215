"""The wire shapes of OpenDSR, and how values become them; requests are validated by `planning.privacy.opendsr`.

The published specification contradicts itself, so an answer has both `request_status` and
`subject_request_status`.
"""

import base64
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from app.schemas.exports.access_exports import download_url
from app.schemas.fields import Time
from identity.operations.privacy.opendsr_status import OpenDsrStatus
from identity.planning.privacy.opendsr import API_VERSION, FORMATS, IDENTITIES, SUPPORTED, Subject, format_request_id
from identity.planning.resolution.event_time import format_time
from identity.values.stamps import Micros


class DsrRequest(Struct):
    """A request about a person, in the shape of OpenDSR."""

    subject_request_id: str
    subject_request_type: str
    submitted_time: Time
    subject_identities: list[dict[str, Any]]
    regulation: Annotated[Literal["gdpr", "ccpa"], Meta(description="Sets the due date.")] = "gdpr"
    status_callback_urls: list[str] = []
    api_version: Annotated[str, Meta(description="Taken, and not compared with the version here.")] | UnsetType = UNSET
    controller_id: Annotated[str, Meta(description="Taken, and repeated in the answer.")] | UnsetType = UNSET


class DsrMade(Struct):
    """A request that was accepted and carried out; `found` is false where nobody had one of the identities.

    `public_joins` counts the identifiers that public keys alone have joined to the people of the request.
    `expected_completion_time` is the legal deadline: it is past for a request that was submitted too long ago.
    """

    controller_id: str
    subject_request_id: str
    received_time: Time
    expected_completion_time: Time
    encoded_request: str
    found: bool | None
    public_joins: int


class DsrStatus(Struct):
    """The status of a request; `found` is false where nobody had one of the identities.

    A hold keeps `on_hold` people: their erasure waits, and a download of their data lacks them. `public_joins` counts
    the identifiers that public keys alone have joined to the people, when the request was made.
    """

    controller_id: str
    subject_request_id: str
    request_status: str
    subject_request_status: str
    expected_completion_time: Time
    api_version: str
    results_url: str | None
    found: bool | None
    on_hold: int
    public_joins: int


class DsrCallback(DsrStatus, kw_only=True):
    """The status of a request as its callbacks receive it."""

    status_callback_url: str


class DsrErrorPart(Struct):
    """One fault of a request; `reason` is the code of the native surface."""

    domain: str
    reason: str
    message: str


class DsrErrorObject(Struct):
    """The status of an error, and what is wrong."""

    code: int
    message: str
    errors: list[DsrErrorPart]


class DsrError(Struct):
    """An error in the shape of OpenDSR."""

    error: DsrErrorObject


class DsrDiscovery(Struct):
    """What this processor supports."""

    api_version: str
    supported_subject_request_types: list[str]
    supported_identities: list[dict[str, str]]
    processor_domain: str
    processor_certificate: str | None


class DsrUp(DsrDiscovery):
    """What this processor supports, and that it accepts requests."""

    status: str


def dsr_made(subject: Subject, raw: bytes, received_at: Micros, status: OpenDsrStatus) -> DsrMade:
    """The answer to a request that was accepted, first received at `received_at`."""
    return DsrMade(
        controller_id=subject.controller,
        subject_request_id=format_request_id(subject.id),
        received_time=format_time(received_at),
        expected_completion_time=format_time(status.due_at),
        encoded_request=base64.b64encode(raw).decode(),
        found=status.found,
        public_joins=status.public_joins,
    )


def dsr_status(value: OpenDsrStatus, base: str | None) -> DsrStatus:
    """The status of a request; `base` is the address that clients use."""
    return DsrStatus(
        controller_id=(value.request.details or {}).get("controller_id", ""),
        subject_request_id=format_request_id(value.request.id),
        request_status=value.word,
        subject_request_status=value.word,
        expected_completion_time=format_time(value.due_at),
        api_version=API_VERSION,
        results_url=None if value.export is None else download_url(value.export, base),
        found=value.found,
        on_hold=value.on_hold,
        public_joins=value.public_joins,
    )


def dsr_callback(value: OpenDsrStatus, base: str | None, url: str) -> bytes:
    """The body of a callback to an address."""
    status = dsr_status(value, base)
    return msgspec.json.encode(DsrCallback(**msgspec.structs.asdict(status), status_callback_url=url))


def dsr_discovery(domain: str) -> DsrDiscovery:
    """What this processor supports."""
    return DsrDiscovery(
        api_version=API_VERSION,
        supported_subject_request_types=list(SUPPORTED),
        supported_identities=[
            {"identity_type": type_, "identity_format": format_} for type_ in IDENTITIES for format_ in FORMATS
        ],
        processor_domain=domain,
        # Answers and callbacks are not signed in this version; receipts are, see /.well-known/onefold-keys.json.
        processor_certificate=None,
    )


def dsr_up(domain: str) -> DsrUp:
    """What this processor supports, and that it accepts requests."""
    return DsrUp(**msgspec.structs.asdict(dsr_discovery(domain)), status="ok")
