"""Removes suppressed identifiers from a call that is kept for its other identifiers.

Every place where `extract` finds a suppressed identifier loses its value: in the stored body, and for e-mail
and phone in the traits. `scrub` and `_context` name each place that `extract` and `ClaimedIdentifiers` read: a new
place is added on both sides, and to the table of places in `test_redact_suppressed`. The given body stays unchanged,
since the caller still holds it.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from msgspec import structs

from identity.planning.resolution.claimed_identifiers import DEVICE_IDS, GOOGLE_ANALYTICS, device_system, named, read
from identity.planning.resolution.resolution_rules import Rules
from identity.values.calls import Call, Identifier
from identity.values.identifiers import ANONYMOUS_ID, EMAIL, GA_CLIENT_ID, PHONE, USER_ID
from identity.values.ids import BlindIndex


def without(
    call: Call, identifiers: list[Identifier], keys: AbstractSet[BlindIndex]
) -> tuple[Call, list[Identifier], list[Identifier]]:
    """A call and its identifiers without those of some keys, and the identifiers that were taken out."""
    found = [i for i in identifiers if i.key in keys]
    if call.alias is not None:
        previous = [i for i in (call.alias.user, call.alias.anonymous) if i is not None and i.key in keys]
        if previous:
            found += previous[:1]
            call = structs.replace(call, alias=None)
    if not found:
        return call, identifiers, []
    return call, [i for i in identifiers if i.key not in keys], found


def scrub(call: Call, hidden: Sequence[Identifier], rules: Rules) -> Call:
    """The call without any trace of the hidden identifiers."""
    gone = {(identifier.type, identifier.value) for identifier in hidden}

    def is_gone(type_: str, value: object) -> bool:
        identifier = named(read(type_, value, rules))
        return identifier is not None and (type_, identifier.value) in gone

    def cleared(traits: object) -> object:
        if not isinstance(traits, dict):
            return traits
        return {k: v for k, v in traits.items() if not (k in (EMAIL, PHONE) and is_gone(k, v))}

    body = dict(call.body)
    for name, types in (
        ("userId", (USER_ID,)),
        ("anonymousId", (ANONYMOUS_ID,)),
        ("previousId", (USER_ID, ANONYMOUS_ID)),
    ):
        if name in body and any(is_gone(type_, body[name]) for type_ in types):
            del body[name]
    for name in ("traits", "properties"):
        if name in body:
            body[name] = cleared(body[name])
    if isinstance(body.get("context"), dict):
        body["context"] = _context(body["context"], is_gone, cleared)
    traits = call.traits if call.traits is None else body.get("traits")
    group_traits = call.group_traits if call.group_traits is None else body.get("traits")
    proof = None if call.proof is None else call.proof.without(gone)
    return structs.replace(call, body=body, traits=traits, group_traits=group_traits, proof=proof)


def _context(context: dict[str, Any], is_gone: Any, cleared: Any) -> dict[str, Any]:
    context = dict(context)
    if "traits" in context:
        context["traits"] = cleared(context["traits"])
    if isinstance(context.get("externalIds"), list):
        context["externalIds"] = [
            entry
            for entry in context["externalIds"]
            if not (isinstance(entry, dict) and is_gone(str(entry.get("type")).lower(), entry.get("id")))
        ]
    device = context.get("device")
    if isinstance(device, dict):
        os_ = device_system(device.get("type"))
        names = {field: part for part, field in DEVICE_IDS}
        context["device"] = {k: v for k, v in device.items() if not (k in names and is_gone(f"{os_}.{names[k]}", v))}
    integrations = context.get("integrations")
    member, field = GOOGLE_ANALYTICS
    if isinstance(integrations, dict) and isinstance(integrations.get(member), dict):
        google = integrations[member]
        kept = {k: v for k, v in google.items() if not (k == field and is_gone(GA_CLIENT_ID, v))}
        context["integrations"] = {**integrations, member: kept}
    return context
