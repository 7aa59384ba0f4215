"""Calls with one mistake each, made from the OpenAPI document and from the format of calls.

Each field of each native route is left out, misspelt, and of another type; so is each field of a call of each kind.
"""

import random
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

from app.http.known_parameters import PROBES, is_foreign

HELD = {"identifiers": ["user_id:nobody"], "reason": "case 12"}
VALID: Mapping[tuple[str, str], Any] = {
    ("POST", "/v1/keys"): {"name": "k", "scopes": ["write"]},
    ("POST", "/v1/profiles/lookup"): {"identifiers": ["user_id:u1"]},
    ("POST", "/v1/profiles/unmerge"): {"identifiers": ["user_id:nobody"], "block": True},
    ("POST", "/v1/spaces"): {"name": "s"},
    ("POST", "/v1/erasures"): {"identifiers": ["user_id:nobody"], "suppress": True, "regulation": "gdpr"},
    ("POST", "/v1/erasures/{erasure_id}/extend"): {"reason": "many requests"},
    ("POST", "/v1/suppressions"): {"identifiers": ["user_id:nobody"]},
    ("DELETE", "/v1/suppressions"): {"identifiers": ["user_id:nobody"]},
    ("POST", "/v1/suppressions/lift"): {"identifiers": ["user_id:nobody"]},
    ("POST", "/v1/exports"): {"identifiers": ["user_id:nobody"], "regulation": "gdpr"},
    ("POST", "/v1/consent"): {
        "identifier": "user_id:nobody",
        "decisions": {"Marketing": True},
        "captured_at": "2026-01-02T15:00:00Z",
        "jurisdiction": "DE",
        "minor": False,
    },
    ("PUT", "/v1/purposes"): {
        "purposes": [{"id": "Marketing", "class": "ads", "ttl_days": 30}],
        "unset": "deny",
        "regions": {"DE": {"ads": "deny"}},
        "override_opt_out": False,
    },
    ("PUT", "/v1/destinations/{name}"): {
        "purposes": ["Marketing"],
        "without_consent": False,
        "traits": ["plan"],
        "identifiers": ["email"],
        "callback_url": None,
    },
    ("POST", "/v1/holds"): HELD,
}
"""A valid body of each route whose fields are mistaken."""
PLACES: Mapping[str, str] = {
    "ref": "user_id:u1", "group_id": "g1", "name": "mail", "key_id": "key_x", "job_id": "job_x", "space_id": "spc_x",
    "erasure_id": "ers_x", "hold_id": "hld_x", "join_id": "jon_x", "export_id": "exp_x", "destination_id": "dst_x",
}  # fmt: skip
FREE = {"evidence"}
"""Fields that hold any value."""
OTHERS: tuple[Any, ...] = (7, "text", True, [7], {"a": 7}, None, 1.5, [], {})
CALLS: tuple[dict[str, Any], ...] = (
    {"type": "identify", "userId": "u{n}", "traits": {"plan": "pro", "email": "u{n}@example.org"}},
    {"type": "track", "userId": "u{n}", "event": "Paid", "properties": {"total": 7}},
    {"type": "page", "anonymousId": "a{n}", "name": "Home", "properties": {"url": "https://example.org"}},
    {"type": "screen", "anonymousId": "a{n}", "name": "Home"},
    {"type": "group", "userId": "u{n}", "groupId": "g{n}", "traits": {"size": 7}},
    {"type": "alias", "userId": "u{n}", "previousId": "a{n}"},
)
SHARED: Mapping[str, Any] = {
    "timestamp": "2026-01-02T15:00:00Z",
    "sentAt": "2026-01-02T15:00:01Z",
    "context": {
        "ip": "203.0.113.7",
        "device": {"id": "d{n}", "type": "ios"},
        "externalIds": [{"id": "c{n}", "type": "card", "collection": "users", "encoding": "none"}],
    },
}


class MistakenCall(NamedTuple):
    """A native request with one mistake in one field; `names` are the words of which the answer needs one."""

    method: str
    template: str
    query: Mapping[str, str]
    body: Any
    names: tuple[str, ...]

    @property
    def path(self) -> str:
        """The path, with ids that are well-formed and unknown."""
        return self.template.format(**PLACES)


def misspelt(name: str, rng: random.Random) -> str:
    """A name with a slip of the finger, in other capitals, or with other punctuation."""
    at = rng.randrange(len(name))
    slips = (
        name[:at] + name[at + 1 :] or name + "s",
        name[:at] + name[at] + name[at:],
        name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :] if at else name + "s",
        name.upper(),
        name + "s",
        "".join(part.title() for part in name.split("_")),
    )
    return next((slip for slip in rng.sample(slips, len(slips)) if slip != name), name + "x")


def native_mistakes(document: Mapping[str, Any], rng: random.Random) -> Iterator[MistakenCall]:
    """Every native route with each of its fields and parameters mistaken, once in each way."""
    shapes = document["components"]["schemas"]
    for template, operations in document["paths"].items():
        if is_foreign(template) or template in PROBES:
            continue
        for name, operation in operations.items():
            if operation["operationId"].startswith("collect_"):
                continue
            method = name.upper()
            known = [each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"]
            slip = _unknown(known, rng)
            yield MistakenCall(method, template, {slip: "7"}, VALID.get((method, template)), (f"`{slip}`",))
            body = VALID.get((method, template))
            if body is not None:
                shape = operation["requestBody"]["content"]["application/json"]["schema"]
                for wrong, words in _bodies(body, shape, shapes, rng):
                    yield MistakenCall(method, template, {}, wrong, words)
            elif "requestBody" not in operation:
                yield MistakenCall(method, template, {}, {"reason": "x"}, ("no body",))


def _unknown(known: list[str], rng: random.Random) -> str:
    slip = misspelt(rng.choice(known or ["limit"]), rng)
    return slip if slip not in known else slip + "x"


def _bodies(
    body: dict[str, Any], shape: Mapping[str, Any], shapes: Mapping[str, Any], rng: random.Random
) -> Iterator[tuple[Any, tuple[str, ...]]]:
    fields = _resolved(shape, shapes)
    for name in fields.get("required", ()):
        yield {key: value for key, value in body.items() if key != name}, (name,)
    for name, schema in fields["properties"].items():
        slip = _unknown(list(fields["properties"]), rng)
        yield {slip: deepcopy(body.get(name, "x")), **body}, (f"`{slip}`",)
        other = _other(body.get(name), schema, rng)
        if name in body and name not in FREE and other is not None:
            yield {**body, name: other[0]}, (name,)
    for name, value in body.items():
        inner = value[0] if isinstance(value, list) and value and isinstance(value[0], dict) else None
        if inner is not None:
            items = _resolved(fields["properties"][name]["items"], shapes)
            for key in items["properties"]:
                slip = _unknown(list(items["properties"]), rng)
                yield {**body, name: [{**inner, slip: inner.get(key)}]}, (f"`{slip}`",)
                other = _other(inner.get(key), items["properties"][key], rng)
                if other is not None:
                    yield {**body, name: [{**inner, key: other[0]}]}, (key,)


def _resolved(schema: Mapping[str, Any], shapes: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    return schema if reference is None else shapes[reference.rpartition("/")[2]]


def _other(value: Any, schema: Mapping[str, Any], rng: random.Random) -> tuple[Any] | None:
    """A value of another type than the field has; None where every type might be allowed."""
    allowed = {type(value), *(type(None) for each in schema.get("anyOf", ()) if each.get("type") == "null")}
    if schema.get("default", 0) is None or value is None:
        allowed |= {type(None), str, dict, list, int, float, bool} if value is None else {type(None)}
    choices = [each for each in OTHERS if type(each) not in allowed and not (allowed & {int, float} and each == 1.5)]
    return (rng.choice(choices),) if choices else None


def mistaken_item(number: int, rng: random.Random) -> dict[str, Any]:
    """A call in which one field is left out, misspelt or of another type, at any depth."""
    text = {**rng.choice(CALLS), **SHARED, "messageId": "m{n}"}
    call: dict[str, Any] = _numbered(text, number)
    holder = call
    if rng.random() < 0.4:
        inner = [call["context"], call["context"]["device"], call["context"]["externalIds"][0]]
        holder = rng.choice([*inner, *(call[name] for name in ("traits", "properties") if name in call)])
    name = rng.choice(list(holder))
    if name == "messageId":
        return call
    value = holder.pop(name)
    way = rng.randrange(3)
    if way == 1:
        holder[misspelt(name, rng)] = value
    elif way == 2:
        holder[name] = rng.choice([each for each in OTHERS if type(each) is not type(value)])
    return call


def _numbered(value: Any, number: int) -> Any:
    if isinstance(value, str):
        return value.replace("{n}", str(number))
    if isinstance(value, dict):
        return {key: _numbered(each, number) for key, each in value.items()}
    return [_numbered(each, number) for each in value] if isinstance(value, list) else value
