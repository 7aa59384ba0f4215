"""The shapes of OpenDSR; a request is read by hand, as its specification asks for more than shapes."""

from typing import Any

from msgspec import Struct

from identity.values.public_fields import Time


class DsrRequest(Struct):
    """A request about a person, in OpenDSR's shape."""

    subject_request_id: str
    subject_request_type: str
    submitted_time: Time
    subject_identities: list[dict[str, Any]]
    regulation: str = "gdpr"
    status_callback_urls: list[str] = []


class DsrMade(Struct):
    """A request that was taken, and is done here."""

    controller_id: str
    subject_request_id: str
    received_time: Time
    expected_completion_time: Time
    encoded_request: str


class DsrStatus(Struct):
    """How far a request is."""

    controller_id: str
    subject_request_id: str
    request_status: str
    subject_request_status: str
    expected_completion_time: Time
    api_version: str
    results_url: str | None


class DsrDiscovery(Struct):
    """What this processor offers."""

    api_version: str
    supported_subject_request_types: list[str]
    supported_identities: list[dict[str, str]]
    processor_domain: str
    processor_certificate: str | None
