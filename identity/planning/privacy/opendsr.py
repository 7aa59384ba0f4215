"""Validates OpenDSR requests and derives their OpenDSR status.

Validation is strict, and an error names the field but never its value. `regulation` is optional, because the example in
the published specification omits the field.
"""

import re
from typing import Final, Literal

from msgspec import Struct

from identity.planning.privacy.deadlines import IN_FORCE, in_force_since
from identity.planning.privacy.privacy_requests import PrivacyRequest
from identity.planning.resolution.event_time import CLOCK_ERROR, parse_time
from identity.values.enums import ErasureState, Law
from identity.values.errors import BadRegulation
from identity.values.identifiers import BUILT_IN, EMAIL, PHONE, USER_ID
from identity.values.ids import RequestId
from identity.values.json import JsonObject
from identity.values.stamps import Micros
from identity.values.unknown_names import nearest, other_spelling

API_VERSION: Final = "1.0"
ERASURE: Final = "erasure"
SUPPORTED: Final = ("access", "portability", ERASURE)
FORMATS: Final = ("raw",)
ENDED: Final = ("completed", "cancelled")
StatusWord = Literal["pending", "in_progress", "completed", "cancelled"]
MOST_CALLBACKS: Final = 10
LONGEST_URL: Final = 2_000
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
_MEMBERS: Final = {
    "subject_request_id",
    "subject_request_type",
    "submitted_time",
    "regulation",
    "subject_identities",
    "identities",
    "status_callback_urls",
    "controller_id",
    "api_version",
}


class Subject(Struct, frozen=True):
    """A valid request: id (16 bytes), type, time of submission, law, controller, person and callbacks.

    `submitted_at` is never after the receipt; the deadline of the law runs from this time. `version` is the api_version
    in any form, and `others` are the members that the specification of a request does not name.
    """

    id: RequestId
    type: str
    submitted_at: Micros
    regulation: Law
    controller: str
    identifiers: list[str]
    callbacks: list[str]
    version: object = None
    others: JsonObject = {}


def parse_request_id(text: object) -> RequestId:
    """Parse a subject_request_id, a UUID version 4 in letters of any case; BadRegulation for anything else."""
    if not isinstance(text, str) or not _UUID.fullmatch(text.lower()):
        raise _bad("subject_request_id must be a UUID version 4, as 8f2b1c6e-4d3a-4f5b-9c7d-0a1b2c3d4e5f.")
    return RequestId(bytes.fromhex(text.replace("-", "")))


def format_request_id(id_: RequestId) -> str:
    """Format a request id as OpenDSR writes it, the inverse of `parse_request_id`."""
    digits = id_.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def read(body: object, now: Micros) -> Subject:
    """Validate the body of a request; BadRegulation names the invalid field and never its value."""
    if not isinstance(body, dict):
        raise _bad("A request must be a JSON object.")
    id_ = parse_request_id(body.get("subject_request_id"))
    kind = body.get("subject_request_type")
    if kind not in SUPPORTED:
        raise _bad(f"subject_request_type must be one of {', '.join(SUPPORTED)}.")
    law = body.get("regulation", "gdpr")
    if not isinstance(law, str) or law not in _LAWS:
        raise _bad(f"regulation must be one of {', '.join(_LAWS)}.")
    submitted = _submitted_at(body.get("submitted_time"), _LAWS[law], now)
    identities = body.get("subject_identities", body.get("identities"))
    if not isinstance(identities, list) or not identities:
        raise _bad("subject_identities must list at least one identity.")
    callbacks = body.get("status_callback_urls", [])
    if not isinstance(callbacks, list) or len(callbacks) > MOST_CALLBACKS:
        raise _bad(f"status_callback_urls must be a list of at most {MOST_CALLBACKS} addresses.")
    if not all(isinstance(each, str) for each in callbacks):
        raise _bad("status_callback_urls must be a list of addresses.")
    if any(len(each) > LONGEST_URL for each in callbacks):
        raise _bad(f"status_callback_urls: an address may have at most {LONGEST_URL:,} characters.")
    named = [_identity(index, each) for index, each in enumerate(identities)]
    controller = body.get("controller_id")
    if isinstance(controller, str) and len(controller) > _LONGEST:
        raise _bad(f"controller_id may have at most {_LONGEST} characters.")
    known = controller if isinstance(controller, str) else ""
    return Subject(
        id=id_,
        type=kind,
        submitted_at=submitted,
        regulation=_LAWS[law],
        controller=known,
        identifiers=named,
        callbacks=callbacks,
        version=body.get("api_version"),
        others={name: value for name, value in body.items() if name not in _MEMBERS},
    )


def _submitted_at(value: object, law: Law, now: Micros) -> Micros:
    """The time of submission, and the receipt for a time that a clock ahead of the server gives."""
    submitted = parse_time(value)
    if submitted is None:
        raise _bad("submitted_time must be an RFC 3339 time, such as 2026-01-31T12:00:00Z.")
    if submitted > now + CLOCK_ERROR:
        raise _bad(
            "submitted_time lies in the future, more than 5 minutes ahead of the server's clock; send the time at which"
            " the person asked."
        )
    if submitted < in_force_since(law):
        raise _bad(
            f"submitted_time lies before {IN_FORCE[law]}, the first day of the {law.label.upper()}; send the time at"
            " which the person asked, from which the deadline runs."
        )
    return min(submitted, now)


def _identity(index: int, identity: object) -> str:
    where = f"subject_identities[{index}]"
    if not isinstance(identity, dict):
        raise _bad(f"{where} must be an object.")
    if identity.get("identity_format") not in FORMATS:
        raise _bad(f"{where}.identity_format: supported are {', '.join(FORMATS)}; send the value instead of a hash.")
    type_ = IDENTITIES.get(str(identity.get("identity_type")))
    if type_ is None:
        meant = _identity_type_hint(str(identity.get("identity_type")))
        raise _bad(f"{where}.identity_type: supported are {', '.join(IDENTITIES)}.{meant}")
    value = identity.get("identity_value")
    if not isinstance(value, str) or not value.strip():
        raise _bad(f"{where}.identity_value must be text.")
    return f"{type_}:{value}"


def _identity_type_hint(name: str) -> str:
    """The identity type that is meant; OpenDSR has names of its own for the built-in types of Onefold."""
    by_type = {type_: identity for identity, type_ in IDENTITIES.items()}
    own = other_spelling(name, BUILT_IN)
    near = by_type.get(own or "") or nearest(name, IDENTITIES)
    if near is not None:
        return f" Did you mean {near}?"
    if own is not None:
        return f" OpenDSR has no name for {own}: erase the person with POST /v1/erasures."
    return ""


def status_word(request: PrivacyRequest) -> StatusWord:
    """The OpenDSR status of an erasure request."""
    states = [result.state for result in request.erasures]
    if all(state == ErasureState.CANCELLED for state in states):
        return "cancelled"
    if all(state == ErasureState.RECEIVED for state in states):
        return "pending"
    waiting = any(state in (ErasureState.RECEIVED, ErasureState.ON_HOLD) for state in states)
    return "in_progress" if waiting or any(each.closed_at is None for each in request.erasures) else "completed"


def _bad(message: str) -> BadRegulation:
    return BadRegulation(message)
