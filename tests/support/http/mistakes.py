# ruff: noqa: E501 (a row of the table is a line)
"""Mistakes of clients, each with the status, the code and the words of the answer that helps."""

from dataclasses import dataclass, field
from typing import Any

MAIL = {"purposes": ["Marketing"], "traits": ["plan"], "identifiers": ["email"]}
DSR = {
    "subject_request_id": "a7551968-d5d6-44b2-9831-815ac9017798",
    "subject_request_type": "erasure",
    "submitted_time": "2026-01-02T15:00:00Z",
    "subject_identities": [{"identity_type": "email", "identity_value": "x@example.org", "identity_format": "raw"}],
}


@dataclass
class Mistake:
    """A wrong request, and the answer that helps; a path may name ids of the space in braces."""

    name: str
    method: str
    path: str
    key: str | None
    status: int
    code: str
    words: tuple[str, ...]
    body: Any = None
    raw: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)


def unknown_type(name: str, method: str, path: str, body: Any, *words: str, key: str = "privacy") -> Mistake:
    """An identifier of a type that nobody knows."""
    return Mistake(name, method, path, key, 422, "unknown_type", ("Did you mean", *words), body)


def unknown_field(name: str, method: str, path: str, body: Any, *words: str, key: str = "privacy") -> Mistake:
    """A field that the route does not have."""
    return Mistake(name, method, path, key, 422, "unknown_field", words, body)


def unknown_query(name: str, path: str, *words: str, key: str = "admin", method: str = "GET") -> Mistake:
    """A query parameter that the route does not have."""
    return Mistake(name, method, path, key, 400, "unknown_parameter", words)


def invalid(name: str, method: str, path: str, body: Any, *words: str, key: str = "privacy") -> Mistake:
    """A field or a parameter that is missing or has another type."""
    return Mistake(name, method, path, key, 422, "invalid_request", words, body)


def forbidden(name: str, method: str, path: str, key: str, *words: str) -> Mistake:
    """A key without the scope."""
    return Mistake(name, method, path, key, 403, "forbidden", words)


ANN = ["user_id:ann"]
HOLD = {"identifiers": ANN, "reason": "case"}
CONSENT = {"identifier": "user_id:ann", "decisions": {"Marketing": False}}

MISTAKES = [
    # A type that no call, rule or built-in knows.
    unknown_type("erase mail:", "POST", "/v1/erasures", {"identifiers": ["mail:ann@example.org"]}, "email?", "`mail`"),
    unknown_type("erase userId:", "POST", "/v1/erasures", {"identifiers": ["userId:ann"]}, "user_id?", "`userId`"),
    unknown_type("erase user:", "POST", "/v1/erasures", {"identifiers": ["user:ann"]}, "user_id?"),
    unknown_type("erase the second", "POST", "/v1/erasures", {"identifiers": [*ANN, "emial:x@y.org"]}, "identifiers[1]"),
    unknown_type("erase a custom type", "POST", "/v1/erasures", {"identifiers": ["cardnumber:7"]}, "card.number?"),
    unknown_type("hold", "POST", "/v1/holds", {**HOLD, "identifiers": ["e_mail:ann@example.org"]}, "email?"),
    unknown_type("consent", "POST", "/v1/consent", {**CONSENT, "identifier": "userid:ann"}, "user_id?", "identifier:"),
    unknown_type("export", "POST", "/v1/exports", {"identifiers": ["phone_number:+14155550100"]}, "phone?"),
    unknown_type("suppress", "POST", "/v1/suppressions", {"identifiers": ["anonymousId:a1"]}, "anonymous_id?"),
    unknown_type("lift", "POST", "/v1/suppressions/lift", {"identifiers": ["mail:ann@example.org"]}, "email?"),
    unknown_type("lift by DELETE", "DELETE", "/v1/suppressions", {"identifiers": ["uid:ann"]}, "user_id?"),
    unknown_type("unmerge", "POST", "/v1/profiles/unmerge", {"identifiers": ["anon:a1"]}, "anonymous_id?", key="admin"),
    unknown_type(
        "explain", "GET", "/v1/destinations/mail/explain?identifier=userid:ann&trait=plan", None, "user_id?", key="admin"
    ),
    *(
        unknown_type(
            f"a destination: {name}", "PUT", "/v1/destinations/x", {**MAIL, "identifiers": types}, hint, key="admin"
        )
        for name, types, hint in (
            ("another spelling", ["userid"], "user_id?"),
            ("a slip", ["emial"], "email?"),
            ("a shorter word", ["user_id", "mail"], "email?"),
            ("beside all", ["*", "emial"], "email?"),
        )
    ),
    Mistake(
        "a destination: a type like none", "PUT", "/v1/destinations/x", "admin", 422, "unknown_type",
        ("`xyzzy`", "Known are", "PUT /v1/rules"), {**MAIL, "identifiers": ["xyzzy"]},
    ),
    Mistake(
        "regulation", "POST", "/v1/regulations", "privacy", 422, "unknown-type", ("subjectType", "user_id?"),
        {"regulationType": "DELETE_ONLY", "subjectType": "userId", "subjectIds": ["ann"]},
    ),
    Mistake(
        "OpenDSR", "POST", "/opendsr/v1/opendsr_requests", "privacy", 400, "bad_regulation",
        ("subject_identities[0].identity_type", "email?"),
        {**DSR, "subject_identities": [{"identity_type": "mail", "identity_value": "x", "identity_format": "raw"}]},
    ),
    # A type that nobody has, in a path.
    *(
        Mistake(f"read {path}", method, path, key, 404, code, ("no identifier of the type `userid`", "user_id?"))
        for method, path, key, code in (
            ("GET", "/v1/profiles/userid:ann", "profiles", "profile_not_found"),
            ("GET", "/v1/profiles/userid:ann/history", "profiles", "profile_not_found"),
            ("GET", "/v1/profiles/userid:ann/graph", "profiles", "profile_not_found"),
            ("GET", "/v1/consent/userid:ann", "privacy", "profile_not_found"),
            ("DELETE", "/v1/identifiers/userid:ann", "admin", "identifier_not_found"),
        )
    ),
    Mistake(
        "destination reads another type", "GET", "/v1/destination/profiles/user_id:ann", "mail", 404,
        "profile_not_found", ("finds people by", "email"),
    ),
    # An identifier that cannot be read.
    *(
        Mistake(f"bad: {text[:20]}", "POST", "/v1/erasures", "privacy", 400, "bad_identifier", words, {
            "identifiers": ["user_id:u0", text]
        })
        for text, words in (
            ("ann@example.org", ("identifiers[1]", "no type", "type:value")),
            (":ann", ("identifiers[1]", "before the colon")),
            ("user_id:", ("identifiers[1]", "no value")),
            ("email:ann", ("identifiers[1]", "e-mail")),
            ("phone:12", ("identifiers[1]", "phone", "country code")),
            ("user_id:" + "x" * 1_025, ("identifiers[1]", "1,024")),
        )
    ),
    Mistake("a bad identifier in a path", "GET", "/v1/profiles/nobody", "profiles", 400, "bad_identifier", ("no type",)),
    Mistake(
        "a bad identifier in a query", "GET", "/v1/destinations/mail/explain?identifier=ann&trait=plan", "admin", 400,
        "bad_identifier", ("identifier", "no type"),
    ),
    Mistake(
        "a bad identity", "POST", "/opendsr/v1/opendsr_requests", "privacy", 400, "bad_regulation",
        ("subject_identities[0]", "e-mail"),
        {**DSR, "subject_identities": [{"identity_type": "email", "identity_value": "x", "identity_format": "raw"}]},
    ),
    Mistake(
        "a bad subject", "POST", "/v1/regulations", "privacy", 422, "bad-regulation", ("subjectIds[1]", "e-mail"),
        {"regulationType": "DELETE_ONLY", "subjectType": "EMAIL", "subjectIds": ["a@example.org", "x"]},
    ),
    # An unknown field.
    unknown_field("regluation", "POST", "/v1/erasures", {"identifiers": ANN, "regluation": "gdpr"}, "`regluation`", "regulation?"),
    unknown_field("supress", "POST", "/v1/erasures", {"identifiers": ANN, "supress": False}, "`supress`", "suppress?"),
    unknown_field("hold", "POST", "/v1/holds", {**HOLD, "until": "2027"}, "`until`"),
    unknown_field("consent", "POST", "/v1/consent", {**CONSENT, "capturedAt": "2026"}, "`capturedAt`", "captured_at?"),
    unknown_field("export", "POST", "/v1/exports", {"identifiers": ANN, "format": "csv"}, "`format`"),
    unknown_field("suppression", "POST", "/v1/suppressions", {"identifiers": ANN, "days": 7}, "`days`"),
    unknown_field("lift", "POST", "/v1/suppressions/lift", {"identifier": ANN}, "`identifier`", "identifiers?"),
    unknown_field("extend", "POST", "/v1/erasures/{erasure}/extend", {"reasons": "x"}, "`reasons`", "reason?"),
    unknown_field("lookup", "POST", "/v1/profiles/lookup", {"ids": ANN}, "`ids`", key="profiles"),
    unknown_field("unmerge", "POST", "/v1/profiles/unmerge", {"identifiers": ANN, "blocked": True}, "block?", key="admin"),
    unknown_field("keys", "POST", "/v1/keys", {"name": "k", "scope": ["write"]}, "`scope`", "scopes?", key="admin"),
    unknown_field("spaces", "POST", "/v1/spaces", {"title": "s"}, "`title`", key="operator"),
    unknown_field("ack", "POST", "/v1/changes/ack", {"curser": "x"}, "`curser`", "cursor?", key="mail"),
    unknown_field(
        "a body where none is read", "POST", "/v1/destinations/mail/export", {"fresh": True}, "no body", "fresh",
        key="admin",
    ),
    unknown_field("a body of a GET", "GET", "/v1/profiles", {"identifiers": ANN}, "no body", "limit", key="admin"),
    # An unknown or invalid query parameter.
    unknown_query("email", "/v1/profiles?email=u1", "`email`", "limit", "cursor"),
    unknown_query("limits", "/v1/profiles?limits=5", "`limits`", "limit?"),
    unknown_query("verbos", "/v1/profiles/user_id:ann?verbos=true", "`verbos`", "verbose?"),
    unknown_query("status", "/v1/erasures?status=done", "`status`", "state?", key="privacy"),
    unknown_query("erasing", "/v1/erasures?suppress=false", "`suppress`", "none", key="privacy", method="POST"),
    unknown_query("keys", "/v1/keys?limit=5", "`limit`", "none"),
    unknown_query("wait", "/v1/jobs/job_x?timeout=5", "`timeout`", "wait"),
    Mistake("limit twice", "GET", "/v1/profiles?limit=1&limit=2", "admin", 400, "invalid_parameter", ("limit", "once")),
    invalid("limit=0", "GET", "/v1/profiles?limit=0", None, "`limit`", "whole number from 1 to 1,000", key="admin"),
    invalid("limit=many", "GET", "/v1/profiles?limit=many", None, "`limit`", "from 1 to 1,000", key="admin"),
    invalid("wait=99", "GET", "/v1/jobs/job_x?wait=99", None, "`wait`", "from 0 to 30", key="admin"),
    invalid("state", "GET", "/v1/erasures?state=done", None, "`state`", "received, on_hold, finished"),
    invalid("verbose", "GET", "/v1/profiles/user_id:ann?verbose=maybe", None, "`verbose`", "true or false", key="admin"),
    invalid("no trait", "GET", "/v1/destinations/mail/explain?identifier=user_id:ann", None, "`trait`", "missing", key="admin"),
    Mistake(
        "at", "GET", "/v1/consent/user_id:ann?at=yesterday", "privacy", 400, "invalid_parameter", ("RFC 3339",),
    ),
    Mistake("a foreign cursor", "GET", "/v1/profiles?cursor=abc", "admin", 400, "bad_cursor", ("without a cursor",)),
    # A field that is left out or has another type.
    invalid("no identifiers", "POST", "/v1/erasures", {"regulation": "gdpr"}, "`identifiers`", "missing"),
    invalid("identifiers as text", "POST", "/v1/erasures", {"identifiers": "user_id:ann"}, "identifiers", "array"),
    invalid("identifiers as numbers", "POST", "/v1/erasures", {"identifiers": [7]}, "identifiers", "str"),
    invalid("suppress as text", "POST", "/v1/erasures", {"identifiers": ANN, "suppress": "yes"}, "suppress", "bool"),
    invalid("hipaa", "POST", "/v1/erasures", {"identifiers": ANN, "regulation": "hipaa"}, "regulation", "ccpa, gdpr, none"),
    invalid("no reason", "POST", "/v1/holds", {"identifiers": ANN}, "`reason`", "missing"),
    invalid("an empty reason", "POST", "/v1/holds", {**HOLD, "reason": ""}, "reason", "length"),
    invalid("no identifier", "POST", "/v1/consent", {"decisions": {"Marketing": True}}, "`identifier`", "missing"),
    invalid("a decision as text", "POST", "/v1/consent", {**CONSENT, "decisions": {"Marketing": "no"}}, "decisions", "bool"),
    invalid("a list", "POST", "/v1/erasures", [{"identifiers": ANN}], "The body", "object"),
    Mistake(
        "no identifier at all", "POST", "/v1/erasures", "privacy", 422, "no_identifiers", ("1 to 5,000",),
        {"identifiers": []},
    ),
    # Decisions and purposes.
    *(
        Mistake(f"decisions: {name}", "POST", "/v1/consent", "privacy", 422, "invalid_decisions", words, {
            "identifier": "user_id:ann", **document
        })
        for name, document, words in (
            ("none", {}, ("decisions", "jurisdiction", "minor")),
            ("time", {"decisions": {"Marketing": True}, "captured_at": "yesterday"}, ("captured_at", "RFC 3339")),
            ("region", {"decisions": {"Marketing": True}, "jurisdiction": "Germany"}, ("jurisdiction", "US-CA")),
            ("size", {"decisions": {"Marketing": True}, "evidence": {"form": "x" * 40_000}}, ("evidence", "32,768 bytes")),
        )
    ),
    Mistake(
        "marketing", "POST", "/v1/consent", "privacy", 422, "unknown_purpose", ("`marketing`", "Marketing?"),
        {**CONSENT, "decisions": {"marketing": False}},
    ),
    Mistake(
        "a destination for marketing", "PUT", "/v1/destinations/x", "admin", 422, "unknown_purpose",
        ("`marketing`", "Marketing?"), {**MAIL, "purposes": ["marketing"]},
    ),
    *(
        Mistake(f"destination: {name}", "PUT", "/v1/destinations/x", "admin", 422, "invalid_destination", words, document)
        for name, document, words in (
            ("no purposes", {"traits": ["plan"]}, ("purposes", '"without_consent": true')),
            ("empty purposes", {**MAIL, "purposes": []}, ('"without_consent": true',)),
            ("without, and purposes", {**MAIL, "without_consent": True}, ("without_consent", "purposes")),
            ("without, and nothing", {"traits": ["plan"], "without_consent": True}, ('"purposes": []',)),
            ("trait", {**MAIL, "trait": ["plan"]}, ("`trait`", "traits?")),
            ("a type", {**MAIL, "identifiers": ["userId"]}, ("identifiers", "user_id")),
            ("traits as text", {**MAIL, "traits": "plan"}, ("traits", "list")),
            ("a pattern", {**MAIL, "traits": ["pl*"]}, ("traits[0]", '"traits": ["*"]')),
            ("a long address", {**MAIL, "callback_url": "https://x.org/" + "x" * 2_000}, ("callback_url", "2,000")),
        )
    ),
    *(
        Mistake(f"purposes: {name}", "PUT", "/v1/purposes", "admin", 422, "invalid_purposes", words, document)
        for name, document, words in (
            ("purpose", {"purpose": []}, ("`purpose`", "purposes?")),
            ("nothing", {}, ("`purposes` is missing", '"purposes": []')),
            ("unset alone", {"unset": "allow"}, ("`purposes` is missing",)),
            ("null", {"purposes": None}, ("purposes", "list")),
            ("ttl", {"purposes": [{"id": "M", "class": "ads", "ttl": 7}]}, ("`ttl`", "purposes[0]", "ttl_days")),
            ("class", {"purposes": [{"id": "M", "class": "advertising"}]}, ("purposes[0].class", "ads")),
            ("unset", {"unset": "maybe"}, ("unset", '"deny" or "allow"')),
            ("region class", {"regions": {"US": {"add": "allow"}}}, ("`add`", "regions.US", "ads?")),
        )
    ),
    # Another key, method, path or content.
    forbidden("erase with a write key", "POST", "/v1/erasures", "write", "scope privacy", "this key are: write"),
    forbidden("list with a reader", "GET", "/v1/profiles", "profiles", "admin or privacy", "profiles:read"),
    forbidden("rules with privacy", "GET", "/v1/rules", "privacy", "scope admin", "are: privacy"),
    forbidden("the feed with admin", "GET", "/v1/changes", "admin", "destination:<id>", "are: admin"),
    Mistake("collect with a reader", "POST", "/v1/track", "profiles", 403, "forbidden", ("import or write", "profiles:read"), {"event": "E"}),
    forbidden("read with a destination key", "GET", "/v1/profiles/user_id:ann", "mail", "profiles:read", "destination:dst_"),
    Mistake("no key", "GET", "/v1/rules", None, 401, "unauthorised", ("no key", "bearer")),
    Mistake(
        "another scheme", "GET", "/v1/rules", None, 401, "unauthorised", ("Bearer", "Basic"),
        headers={"Authorization": "Token abc"},
    ),
    Mistake("the operator token", "GET", "/v1/rules", "operator", 401, "unauthorised", ("operator token", "key of the space")),
    Mistake("a key for the operator", "GET", "/v1/spaces", "admin", 401, "unauthorised", ("ONEFOLD_ADMIN_TOKEN",)),
    Mistake("GET for POST", "GET", "/v1/profiles/lookup", "admin", 405, "method_not_allowed", ("POST",)),
    Mistake("POST for PUT", "POST", "/v1/purposes", "admin", 405, "method_not_allowed", ("GET", "PUT")),
    Mistake("PATCH", "PATCH", "/v1/erasures", "privacy", 405, "method_not_allowed", ("supports",)),
    Mistake("a misspelt path", "GET", "/v1/erasure", "privacy", 404, "not_found", ("/v1/erasures?",)),
    Mistake("a path in the singular", "GET", "/v1/profile/user_id:ann", "admin", 404, "not_found", ("/v1/profiles/{ref}?",)),
    Mistake("another path", "GET", "/nowhere", None, 404, "not_found", ("/openapi.json",)),
    Mistake(
        "a form", "POST", "/v1/erasures", "privacy", 400, "invalid_json", ("form fields", "line 1, column 1"),
        raw=b"identifiers=user_id%3Aann", headers={"Content-Type": "application/x-www-form-urlencoded"},
    ),
    Mistake("no body", "POST", "/v1/erasures", "privacy", 400, "empty_body", ("JSON object",)),
    *(
        Mistake(f"json: {words[0]}", "POST", "/v1/erasures", "privacy", 400, "invalid_json", words, raw=raw)
        for raw, words in (
            (b'{"identifiers": ["user_id:ann"],\n}', ("trailing comma", "line 2, column 1")),
            (b'\xef\xbb\xbf{"identifiers": []}', ("byte order mark", "line 1, column 1")),
            (b'{"identifiers": [NaN]}', ("NaN", "line 1, column 18")),
            (b"{'identifiers': []}", ("single quotes", "line 1, column 2")),
            (b'{"identifiers": ["\xff"]}', ("UTF-8", "line 1, column 19")),
        )
    ),
    Mistake(
        "gzip", "POST", "/v1/erasures", "privacy", 415, "unsupported_encoding", ("without Content-Encoding", "/v1/batch"),
        raw=b"x", headers={"Content-Encoding": "gzip"},
    ),
    Mistake(
        "an empty idempotency key", "POST", "/v1/erasures", "privacy", 422, "invalid_request", ("idempotency-key", "1 to 255"),
        {"identifiers": ANN}, headers={"Idempotency-Key": ""},
    ),
    Mistake("no confirmation", "DELETE", "/v1/spaces/spc_" + "0" * 32, "operator", 404, "space_not_found", ("no such",)),
]  # fmt: skip
