"""OpenDSR requests, and sending them."""

import uuid
from typing import Any

from app.routes.opendsr import NAMES
from tests.app.conftest import Shop

PAST = "2026-01-02T03:04:05Z"


def identity(type_: str, value: Any, format_: str = "raw") -> dict[str, Any]:
    """An identity of the person."""
    return {"identity_type": type_, "identity_value": value, "identity_format": format_}


def request(**changed: Any) -> dict[str, Any]:
    """A request to erase ann."""
    return {
        "regulation": "gdpr",
        "subject_request_id": str(uuid.uuid4()),
        "subject_request_type": "erasure",
        "submitted_time": PAST,
        "subject_identities": [identity("email", "Ann@example.org")],
        "api_version": "1.0",
        "status_callback_urls": ["https://callbacks.invalid/status"],
        "extensions": {"unknown.example.org": {"anything": True}},
        **changed,
    }


def ask(shop: Shop, document: Any, name: str = NAMES[0]) -> Any:
    """The answer to a request."""
    return shop.ask("POST", f"/opendsr/v1/{name}", "privacy", json=document)
