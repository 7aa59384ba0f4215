"""Plants values in the requests of people: erasures, exports, holds, Segment's regulations and OpenDSR."""

import re
import uuid
from typing import Final
from urllib.parse import quote

from app.commands.leak_scan.planter import PlantedPerson, Planter
from identity.values.errors import DatabaseUnavailable

_EXPORT: Final = re.compile(rb"exp_[0-9a-f]{32}")
_ERASURE: Final = re.compile(rb"ers_[0-9a-f]{32}")
_DSR: Final = "/opendsr/v1/opendsr_requests"
_UNKNOWN: Final = 404
_MISSING: Final = (404, 405)


def plant_requests(planter: Planter, person: PlantedPerson) -> None:
    """Plant erasures, holds and exports, taken and in error."""
    new = planter.new
    planter.send("privacy", "POST", "/v1/erasures", {"identifiers": [new("erasure in error")]})
    planter.send("privacy", "POST", "/v1/exports", {"identifiers": [new("export in error")]})
    late = {"identifiers": [f"user_id:{new('user id of a late erasure', hashed=True)}"], "regulation": "gdpr"}
    _, erasure = planter.answer("privacy", "POST", "/v1/erasures", late, {"Idempotency-Key": new("idempotency key")})
    extended = f"/v1/erasures/{_found(_ERASURE, erasure)}/extend"
    planter.must("privacy", "POST", extended, {"reason": new("extension reason")})
    hold = {"identifiers": [f"user_id:{new('user id on hold', hashed=True)}"], "reason": new("hold reason")}
    planter.must("privacy", "POST", "/v1/holds", hold)
    _, export = planter.answer("privacy", "POST", "/v1/exports", {"identifiers": [f"user_id:{person.user}"]})
    # Built and not fetched: the sealed export exists while the scan reads.
    planter.must("privacy", "GET", f"/v1/exports/{_found(_EXPORT, export)}?wait=30")


def plant_regulations(planter: Planter) -> None:
    """Plant the same requests as Segment and OpenDSR write them."""
    new = planter.new
    regulation = {"regulationType": "SUPPRESS_ONLY", "subjectType": "USER_ID"}
    regulated = {**regulation, "subjectIds": [new("regulated user id", hashed=True)]}
    planter.must("privacy", "POST", "/v1/regulations", regulated)
    planter.send("privacy", "POST", "/v1/regulations", {**regulation, "subjectType": new("regulation in error")})
    named = {"identity_type": "controller_customer_id", "identity_format": "raw"}
    subject = {**named, "identity_value": new("user id of an OpenDSR request", hashed=True)}
    extension = new("OpenDSR extension")
    asked = {
        "subject_request_type": "erasure",
        "submitted_time": "2026-01-02T03:04:05Z",
        "subject_identities": [subject],
        "controller_id": new("controller"),
        "extensions": {extension: {extension: True}},
    }
    callbacks = {"status_callback_urls": [f"https://canary.example/{new('callback address')}"]}
    for kind, more in (("OpenDSR", {}), ("callback address", callbacks)):
        body = {**asked, "subject_request_id": str(uuid.uuid4()), **more}
        planter.if_offered(kind, "privacy", "POST", _DSR, body)
    wrong = new("OpenDSR request in error")
    planter.send("privacy", "POST", _DSR, {**asked, "subject_identities": [{**named, "identity_type": wrong}]})
    planter.send("privacy", "GET", f"{_DSR}/{wrong}")


def erase_people(planter: Planter, identifiers: list[str]) -> int | None:
    """Erase these people; how many of the identifiers can still be read. None where there is no such request."""
    planter.must("profiles", "GET", f"/v1/profiles/{quote(identifiers[0])}")
    asked = planter.send("privacy", "POST", "/v1/erasures", {"identifiers": identifiers, "suppress": True})
    if asked in _MISSING:
        return None
    read = [planter.send("profiles", "GET", f"/v1/profiles/{quote(each, safe='')}") for each in identifiers]
    return sum(status != _UNKNOWN for status in read)


def _found(pattern: re.Pattern[bytes], answer: bytes) -> str:
    """The id in an answer. DatabaseUnavailable where there is none."""
    found = pattern.search(answer)
    if found is None:
        raise DatabaseUnavailable("The server did not take a privacy request of the leak scan; see its log.")
    return found[0].decode()
