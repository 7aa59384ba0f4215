# ruff: noqa: E501 (a row of the table is a line)
"""Mistakes in rules documents, paths, ids and lists of privacy requests, each with the answer that helps."""

import gzip
from typing import Any

from tests.support.http.mistakes import Mistake


def rules(name: str, document: Any, *words: str, method: str = "PUT") -> Mistake:
    """A rules document that is refused."""
    return Mistake(f"rules: {name}", method, "/v1/rules", "admin", 422, "bad_rules", words, document)


def unmerge(name: str, identifiers: list[str], *words: str) -> Mistake:
    """An unmerge that changes nothing."""
    document = {"identifiers": identifiers}
    return Mistake(f"unmerge: {name}", "POST", "/v1/profiles/unmerge", "admin", 422, "not_one_profile", words, document)


def regulation(name: str, document: dict[str, Any], code: str, *words: str) -> Mistake:
    """A regulation with an empty part."""
    whole = {"regulationType": "DELETE_ONLY", "subjectType": "USER_ID", "subjectIds": ["ann"], **document}
    return Mistake(f"regulation: {name}", "POST", "/v1/regulations", "privacy", 422, code, words, whole)


def body(name: str, raw: bytes, *words: str, path: str = "/v1/erasures", key: str = "privacy") -> Mistake:
    """A body that is no JSON."""
    return Mistake(f"{path}: {name}", "POST", path, key, 400, "invalid_json", words, raw=raw)


def path(name: str, where: str, *words: str, method: str = "GET") -> Mistake:
    """A path that no route has."""
    return Mistake(f"path: {name}", method, where, "admin", 404, "not_found", words)


TEXT = '{"identifiers": ["user_id:ann"]}'

DOCUMENT_MISTAKES = [
    rules("a field", {"limit": {}}, "`limit`", "Did you mean limits?"),
    rules("a field like none", {"x": 1}, "`x`", "Known are", "shared_limit"),
    rules("a limit as a number", {"limits": {"phone": {"max": 3}, "email": 5}}, "`limits.email`", '{"max": 5}'),
    rules("a limit of none", {"limits": {"email": {"max": 0}}}, "max in `limits.email`", "from 1 to 2,147,483,647"),
    rules("a field of a limit", {"limits": {"email": {"maximum": 3}}}, "`limits.email`", "`maximum`", "Did you mean max?"),
    rules("a window", {"limits": {"email": {"max": 100, "days": 7}}}, "max in `limits.email`", "1 to 64 where days is given"),
    rules("days alone", {"limits": {"email": {"days": 7}}}, "`limits.email` has no max"),
    rules("a window by default", {"default_limit": {"max": 3, "days": 3}}, "`default_limit`", "`days`"),
    rules("no type", {"limits": {"E-mail": {"max": 1}}}, "`limits.E-mail`", "Did you mean email?"),
    rules("a pattern", {"blocked": {"email": ["info@.*", "a(b"]}}, "Pattern 1 of `blocked.email`", "missing )", "character 2"),
    rules("a pattern alone", {"blocked": {"email": "x"}}, "`blocked.email` must be a list"),
    rules("a number as a pattern", {"blocked": {"*": ["x", 3]}}, "Pattern 1 of `blocked.*` must be text"),
    rules("a type twice", {"priority": ["user_id", "email", "email"]}, "`priority[2]`", "`priority[1]`"),
    rules("small letters", {"region": "de"}, "`region`", "Did you mean DE?"),
    rules("a name of a country", {"region": "Germany"}, "`region`", "two capital letters"),
    rules("text for a flag", {"promote_property_email": "true"}, "`promote_property_email`", "without quotes"),
    rules("a bound", {"max_merges": -1}, "`max_merges`", "from 0 to"),
    rules("a choice", {"alias_rename": "all"}, "`alias_rename`", '"server" or "any"'),
    rules("a patch of a field", {"limit": {}}, "`limit`", "Did you mean limits?", method="PATCH"),
    rules("a patch that is a list", [], '{"region": "DE"}', method="PATCH"),
    unmerge("nobody", ["user_id:ann", "user_id:nobody"], "identifiers[1] is not on any profile", "Nothing was changed"),
    unmerge("two people", ["user_id:ann", "user_id:bob"], "identifiers[1] is not on the profile of identifiers[0]"),
    unmerge("everything", ["user_id:ann", "anonymous_id:a1", "email:ann@example.org"], "all identifiers", "leave out at least one"),
    regulation("an empty subject", {"subjectIds": ["ann", ""]}, "bad-regulation", "subjectIds[1] is empty", "value alone"),
    regulation("no subject", {"subjectIds": []}, "bad-regulation", "subjectIds is empty"),
    regulation("an empty type", {"subjectType": ""}, "bad-regulation", "subjectType is empty", "USER_ID"),
    regulation("no kind", {"regulationType": ""}, "bad-regulation", "regulationType must be one of", "DELETE_ONLY"),
    Mistake("at=tomorrow", "GET", "/v1/consent/user_id:ann?at=tomorrow", "privacy", 400, "invalid_parameter", ("`at`", "RFC 3339")),
    Mistake("since=monday", "GET", "/v1/rejections?since=monday", "admin", 400, "invalid_parameter", ("`since`", "RFC 3339")),
    Mistake("a source", "GET", "/v1/rejections?source=web", "admin", 400, "invalid_parameter", ("`source`", "/v1/keys")),
    Mistake("a reason", "GET", "/v1/rejections?reason=odd", "admin", 400, "invalid_parameter", ("`reason`",)),
    *(
        Mistake(f"no whole profile id: {text}", "GET", f"/v1/profiles/{text}", "admin", 400, "bad_identifier", ("prf_", "32"))
        for text in ("prf_zzz", "prf_", "prf_" + "0" * 31, "prf_" + "A" * 32)
    ),
    Mistake(
        "a profile id for an identifier", "POST", "/v1/erasures", "privacy", 400, "bad_identifier",
        ("identifiers[0] is the id of a profile", "type:value"), {"identifiers": ["prf_" + "0" * 32]},
    ),
    *(
        Mistake(f"{method} {where}", method, where, key, 405, "method_not_allowed", ("supports POST.",))
        for method, where, key in (
            ("GET", "/v1/profiles/lookup", "admin"),
            ("PUT", "/v1/profiles/lookup", "profiles"),
            ("GET", "/v1/profiles/unmerge", None),
            ("GET", "/v1/destination/profiles/lookup", "mail"),
            ("DELETE", "/v1/profiles/unmerge", "admin"),
        )
    ),
    path("no such word", "/v1/nope", "see /openapi.json for all routes."),
    path("the version alone", "/v1", "see /openapi.json for all routes."),
    path("without the version", "/profiles/user_id:ann", "/v1/profiles/{ref}?"),
    path("another version", "/v2/profiles", "/v1/profiles?"),
    path("a slash behind", "/v1/profiles/", "/v1/profiles?"),
    path("the version for a probe", "/v1/healthz", "/healthz?"),
    path("a last part", "/v1/profiles/user_id:ann/histroy", "/v1/profiles/{ref}/history?"),
    path("a plural", "/v1/destinations/mail/exports", "/v1/destinations/{name}/export?"),
    path("a plural of a call", "/v1/tracks", "/v1/track?", method="POST"),
    Mistake(
        "a scope by the name of its key", "POST", "/v1/keys", "admin", 400, "bad_request",
        ("`profiles`", "Did you mean profiles:read?"), {"name": "k", "scopes": ["profiles"]},
    ),
    body("gzip without its header", gzip.compress(TEXT.encode()), "compressed (gzip)", "Content-Encoding"),
    body("gzip for a batch", gzip.compress(b'{"batch": []}'), "compressed (gzip)", "Content-Encoding: gzip", path="/v1/batch", key="write"),
    body("UTF-16", TEXT.encode("utf-16-le"), "UTF-16", "UTF-8"),
    body("UTF-16 for a batch", '{"batch": []}'.encode("utf-16-be"), "UTF-16", "UTF-8", path="/v1/batch", key="write"),
    body("UTF-32", TEXT.encode("utf-32"), "UTF-32", "UTF-8"),
]  # fmt: skip
