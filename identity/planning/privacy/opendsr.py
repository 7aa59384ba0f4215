"""OpenDSR requests, read strictly and shown in its words. Pure.

The published specification contradicts itself in places: both `request_status` and
`subject_request_status` are told, and `regulation` may be missing, as in its own example.
"""

import base64
import re
from typing import Any, Final

from msgspec import Struct

from identity.planning.privacy.deadlines import due as deadline
from identity.planning.privacy.request_kinds import Request
from identity.planning.resolution.event_time import format_time, parse_time
from identity.values.enums import ErasureState, Law
from identity.values.errors import BadRegulation
from identity.values.identifiers import EMAIL, PHONE, USER_ID

API_VERSION: Final = "1.0"
ERASURE: Final = "erasure"
SUPPORTED: Final = ("access", "portability", ERASURE)
FORMATS: Final = ("raw",)
ENDED: Final = ("completed", "cancelled")
MOST_CALLBACKS: Final = 10
IDENTITIES: Final = {
    "controller_customer_id": USER_ID,
    "email": EMAIL,
    "phone": PHONE,
    "android_advertising_id": "android.idfa",
    "android_id": "android.id",
    "ios_advertising_id": "ios.idfa",
    "ios_vendor_id": "ios.id",
}
_LAWS: Final = {law.label: law for law in Law if law != Law.NONE}
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_LONGEST: Final = 255


class Subject(Struct, frozen=True):
    """A request that was read: its id (16 bytes), for what, by when it was made, under which law, about whom."""

    id: bytes
    type: str
    submitted_at: int
    regulation: Law
    controller: str
    identifiers: list[str]
    callbacks: list[str]


def request_id(text: object) -> bytes:
    """A subject_request_id: a UUID version 4 in lower case. BadRegulation."""
    if not isinstance(text, str) or not _UUID.fullmatch(text):
        raise _bad("subject_request_id must be a UUID version 4 in lower case.")
    return bytes.fromhex(text.replace("-", ""))


def shown_id(id_: bytes) -> str:
    """The inverse of `request_id`."""
    digits = id_.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def read(body: object, now: int) -> Subject:
    """What a request asks for. BadRegulation, which names the field and never what was in it."""
    if not isinstance(body, dict):
        raise _bad("A request must be a JSON object.")
    id_ = request_id(body.get("subject_request_id"))
    kind = body.get("subject_request_type")
    if kind not in SUPPORTED:
        raise _bad(f"subject_request_type must be one of {', '.join(SUPPORTED)}.")
    submitted = parse_time(body.get("submitted_time"))
    if submitted is None or submitted > now:
        raise _bad("submitted_time must be an RFC 3339 time that is not in the future.")
    law = body.get("regulation", "gdpr")
    if law not in _LAWS:
        raise _bad(f"regulation must be one of {', '.join(_LAWS)}.")
    identities = body.get("subject_identities", body.get("identities"))
    if not isinstance(identities, list) or not identities:
        raise _bad("subject_identities must list at least one identity.")
    callbacks = body.get("status_callback_urls", [])
    if not isinstance(callbacks, list) or len(callbacks) > MOST_CALLBACKS:
        raise _bad(f"status_callback_urls must be a list of at most {MOST_CALLBACKS} addresses.")
    if not all(isinstance(each, str) for each in callbacks):
        raise _bad("status_callback_urls must be a list of addresses.")
    named = [_identity(at, each) for at, each in enumerate(identities)]
    controller = body.get("controller_id")
    known = controller if isinstance(controller, str) and len(controller) <= _LONGEST else ""
    return Subject(id_, kind, submitted, _LAWS[law], known, named, callbacks)


def _identity(at: int, identity: object) -> str:
    where = f"subject_identities[{at}]"
    if not isinstance(identity, dict):
        raise _bad(f"{where} must be an object.")
    if identity.get("identity_format") not in FORMATS:
        raise _bad(f"{where}.identity_format: supported are {', '.join(FORMATS)}; a hash names nobody here.")
    type_ = IDENTITIES.get(str(identity.get("identity_type")))
    if type_ is None:
        raise _bad(f"{where}.identity_type: supported are {', '.join(IDENTITIES)}.")
    value = identity.get("identity_value")
    if not isinstance(value, str) or not value.strip():
        raise _bad(f"{where}.identity_value must be text.")
    return f"{type_}:{value}"


def made(subject: Subject, raw: bytes, due: int | None) -> dict[str, Any]:
    """The answer to a request that was taken."""
    return {
        "controller_id": subject.controller,
        "subject_request_id": shown_id(subject.id),
        "received_time": format_time(subject.submitted_at),
        "expected_completion_time": format_time(due or subject.submitted_at),
        "encoded_request": base64.b64encode(raw).decode(),
    }


def status(request: Request) -> dict[str, Any]:
    """How far a request for erasure is, in OpenDSR's words."""
    states = [erased.state for erased in request.erasures]
    word = "completed"
    if all(state == ErasureState.CANCELLED for state in states):
        word = "cancelled"
    elif all(state == ErasureState.RECEIVED for state in states):
        word = "pending"
    elif any(state in (ErasureState.RECEIVED, ErasureState.ON_HOLD) for state in states) or any(
        e.closed_at is None for e in request.erasures
    ):
        word = "in_progress"
    due = max((erased.due_at or request.received_at for erased in request.erasures), default=request.received_at)
    return _status(request, word, due, None)


def access_status(request: Request, *, gathered: bool, results: str | None) -> dict[str, Any]:
    """The same of a request for access or portability; `results` fetches what was gathered, once."""
    due = deadline(request.regulation, request.received_at) or request.received_at
    return _status(request, "completed" if gathered else "in_progress", due, results)


def _status(request: Request, word: str, due: int, results: str | None) -> dict[str, Any]:
    return {
        "controller_id": (request.details or {}).get("controller_id", ""),
        "subject_request_id": shown_id(request.id),
        "request_status": word,
        "subject_request_status": word,
        "expected_completion_time": format_time(due),
        "api_version": API_VERSION,
        "results_url": results,
    }


def discovery(domain: str) -> dict[str, Any]:
    """What this processor offers."""
    return {
        "api_version": API_VERSION,
        "supported_subject_request_types": list(SUPPORTED),
        "supported_identities": [
            {"identity_type": type_, "identity_format": format_} for type_ in IDENTITIES for format_ in FORMATS
        ],
        "processor_domain": domain,
        # Answers and callbacks are not signed in this version; receipts are, see /.well-known/onefold-keys.json.
        "processor_certificate": None,
    }


def _bad(message: str) -> BadRegulation:
    return BadRegulation(message)
