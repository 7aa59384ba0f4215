"""What happened to a profile: merges, identifiers gained and demoted, newest first, for ever.

Each line names the call that caused it, by way of the evidence that lies at the same stamp.
"""

from collections.abc import Sequence
from typing import Any

from identity.clock import stamp_time
from identity.errors import ProfileNotFound, TooMuch
from identity.identifiers import parse
from identity.ids import private, public_profile
from identity.naming import named
from identity.planning.plan import CREATED, DEMOTED, GAINED, MERGED, RETIRED
from identity.planning.records import split_keys, unpack, unpack_demoted
from identity.planning.timing import format_time
from identity.spaces import Space, through_a_roll
from identity.store import read as store
from identity.vault.seal import EVIDENCE, IDENTIFIER
from identity.vault.subject import SubjectKey

_KINDS = {
    CREATED: "created",
    GAINED: "identifiers_gained",
    MERGED: "merged",
    DEMOTED: "identifiers_demoted",
    RETIRED: "identifier_retired",
}
_LIST = b"history"
_MOST_ORIGINS = 10_000
_NEWEST = (2**63 - 1, 2**15 - 1)


@through_a_roll
async def get_history(space: Space, ref: str, limit: int, cursor: str | None) -> dict[str, Any]:
    """A page of the history of a profile, by `type:value` or id. ProfileNotFound, BadCursor."""
    before = _NEWEST if cursor is None else _position(space.read_cursor(_LIST, cursor))
    id_ = private("prf", ref)
    key = b"" if id_ is not None else await _key(space, ref)
    async with space.database.reading() as connection:
        if id_ is None:
            found = await store.by_keys(connection, space.tenant, [key], _MOST_ORIGINS + 1)
        else:
            found = await store.by_ids(connection, space.tenant, [id_], _MOST_ORIGINS + 1)
        if len(found.members) > _MOST_ORIGINS:
            raise TooMuch
        origins = [member.id for member in found.members]
        lines = await store.history(connection, space.tenant, origins, before, limit)
        at = sorted({(line.profile, line.stamp) for line in lines})
        proofs = await store.evidence(connection, space.tenant, at)
    if not found.members:
        raise ProfileNotFound
    teller = await _teller(space, found, lines, proofs)
    more = len(lines) == limit
    last = lines[-1].stamp.to_bytes(8, "big") + lines[-1].seq.to_bytes(2, "big") if lines else b""
    return {
        "history": [teller.tell(line) for line in lines],
        "next_cursor": space.write_cursor(_LIST, last) if more else None,
    }


class _Teller:
    """Opens what the lines of history point to."""

    def __init__(self, names: dict[int, str], values: dict[bytes, tuple[str, str]], messages: dict[int, str]) -> None:
        self.names = names
        self.values = values
        self.messages = messages

    def tell(self, line: store.Line) -> dict[str, Any]:
        """A line as the API gives it; of an identifier that is gone nothing is known."""
        told: dict[str, Any] = {
            "at": format_time(stamp_time(line.stamp)),
            "type": _KINDS[line.kind],
            "profile_id": public_profile(line.profile),
            "rules_version": line.rules_version,
            "message_id": self.messages.get(line.stamp),
        }
        if line.other is not None:
            told["other_profile_id"] = public_profile(line.other)
        if line.kind == DEMOTED:
            told["identifiers"] = [
                {**self._identifier(key), "reason": reason} for key, reason in unpack_demoted(line.keys, self._type)
            ]
        elif line.keys:
            told["identifiers"] = [self._identifier(key) for key in split_keys(line.keys)]
        return told

    def _type(self, code: int) -> str:
        return self.names[code]

    def _identifier(self, key: bytes) -> dict[str, str | None]:
        type_, value = self.values.get(key, (None, None))
        return {"type": type_, "value": value}


async def _key(space: Space, ref: str) -> bytes:
    identifier = parse(ref, (await space.rules()).region)
    return space.keys.identifier(identifier.type, identifier.value)


async def _teller(
    space: Space, found: store.Profiles, lines: Sequence[store.Line], proofs: Sequence[store.Proof]
) -> _Teller:
    names = await space.read_types()
    subjects: dict[bytes, SubjectKey] = {
        m.id: space.keys.slot(m.slot, m.epoch, m.slot_wrapped).unwrap(m.key_id, m.wrapped)
        for m in found.members
        if m.slot is not None and m.epoch is not None and m.slot_wrapped and m.key_id and m.wrapped
    }
    values = {
        held.key: (names[held.type], subjects[held.origin].open(IDENTIFIER, held.key[:16], 0, held.value).decode())
        for held in found.identifiers
    }
    messages = {}
    versions = {line.stamp: line.rules_version for line in lines if line.kind == DEMOTED}
    for proof in proofs:
        kept = unpack(subjects[proof.origin].open(EVIDENCE, proof.origin, proof.stamp, proof.payload))
        messages[proof.stamp] = kept.message_id
        if proof.stamp in versions:
            values |= named(space, kept, await space.rules(versions[proof.stamp]))
    return _Teller(names, values, messages)


def _position(raw: bytes) -> tuple[int, int]:
    return int.from_bytes(raw[:8], "big"), int.from_bytes(raw[8:], "big")
