"""What is kept of an OpenDSR request, and its comparison with a later request of the same id.

The row holds no member in clear that could name the person: further members are kept as keyed hashes.
"""

import json

import msgspec

from identity.operations.privacy.request_erasure import request_hash
from identity.planning.privacy import opendsr_repeat
from identity.planning.privacy.opendsr import Subject
from identity.planning.privacy.privacy_requests import PrivacyRequest
from identity.spaces.named_identifiers import read_identifiers
from identity.spaces.space import Space
from identity.store.privacy import requests
from identity.values.enums import RequestInterface
from identity.values.json import JsonObject
from identity.values.stamps import Micros
from identity.vault.seal import REQUEST


def request_details(space: Space, subject: Subject, received_at: Micros) -> JsonObject:
    """The details of a request that was received at a time."""
    return {
        "controller_id": subject.controller,
        "callbacks": subject.callbacks,
        "received": received_at,
        "type": subject.type,
        "hashes": _hashes(space, subject),
    }


def differing_members(space: Space, subject: Subject, stored: PrivacyRequest) -> list[str]:
    """The fields in which a request differs from the stored request of its id, which has the same identities."""
    same = opendsr_repeat.StoredRequest(
        kind=stored.kind,
        regulation=stored.regulation,
        received_at=stored.received_at,
        same_identities=True,
        details=stored.details or {},
    )
    return opendsr_repeat.differing_fields(same, subject, _hashes(space, subject))


async def differing_fields(space: Space, subject: Subject) -> list[str]:
    """The fields in which a refused request differs from the stored request of its id; empty for the same request."""
    async with space.database.reading() as connection:
        row = await requests.get(connection, space.tenant, subject.id)
    if row is None or row.front != RequestInterface.OPENDSR:
        return []
    texts = [each.text for each in await read_identifiers(space, subject.identifiers, of_people=True)]
    details = space.keys.open(REQUEST, row.id, 0, row.details) if row.details else b"{}"
    stored = opendsr_repeat.StoredRequest(
        kind=row.kind,
        regulation=row.regulation,
        received_at=row.received_at,
        same_identities=row.request_hash == request_hash(space, row.front, row.kind, row.regulation, texts),
        details=msgspec.json.decode(details),
    )
    return opendsr_repeat.differing_fields(stored, subject, _hashes(space, subject))


def _hashes(space: Space, subject: Subject) -> dict[str, str]:
    members = {"version": subject.version, "others": subject.others}
    return {
        name: space.keys.mac(b"member", json.dumps(value, sort_keys=True).encode()).hex()
        for name, value in members.items()
    }
