# ruff: noqa: E501 (a row of the table is a line)
"""Mistakes in values of clients: times, regions, placeholders, repeated fields, types of rules, ids of an alias."""

from typing import Any

from tests.support.http.mistakes import ANN, CONSENT, DSR, HOLD, Mistake

FUTURE = "2999-01-01T00:00:00Z"
BLOCKED = ("placeholder", "blocked in every space", "identifiers[0]")


def repeated(name: str, method: str, path: str, raw: bytes, *words: str, key: str = "privacy") -> Mistake:
    """A field that the body has twice."""
    return Mistake(name, method, path, key, 422, "repeated_field", ("more than once", *words), raw=raw)


def rules(name: str, document: Any, *words: str, method: str = "PUT", path: str = "/v1/rules") -> Mistake:
    """A type of the rules that is like a known one."""
    return Mistake(
        f"rules: {name}", method, path, "admin", 422, "bad_rules", ("no call has brought", "To keep", *words), document
    )


VALUE_MISTAKES = [
    # Times.
    Mistake(
        "captured in the future", "POST", "/v1/consent", "privacy", 422, "invalid_decisions", ("captured_at", "future"),
        {**CONSENT, "captured_at": FUTURE},
    ),
    Mistake("captured at zero", "POST", "/v1/consent", "privacy", 422, "invalid_decisions", ("captured_at", "1970-01-01", "never set"), {**CONSENT, "captured_at": "1970-01-01T00:00:00Z"}),
    Mistake("captured on a wrong weekday", "POST", "/v1/consent", "privacy", 422, "invalid_decisions", ("captured_at", "weekday"), {**CONSENT, "captured_at": "Sun, 31 Jan 2026 12:00:00 GMT"}),
    Mistake("consent of the future", "GET", f"/v1/consent/user_id:ann?at={FUTURE}", "privacy", 400, "invalid_parameter", ("`at`", "future")),
    # Regions.
    *(
        Mistake(f"jurisdiction {region}", "POST", "/v1/consent", "privacy", 422, "invalid_decisions", ("jurisdiction", hint), {**CONSENT, "jurisdiction": region})
        for region, hint in (("XX-99", "no XX-99"), ("UK", "GB?"), ("US-CAL", "US-CA?"), ("TX", "US-TX?"))
    ),
    *(
        Mistake(f"region {region}", "PUT", "/v1/purposes", "admin", 422, "invalid_purposes", ("regions", hint), {"purposes": [], "regions": {region: "allow"}})
        for region, hint in (("UK", "GB?"), ("US-XX", "US?"), ("XX", "no XX"), ("US_CA", "US-CA?"), ("us", "mean US?"), ("us-ca", "mean US-CA?"), ("de", "mean DE?"))
    ),
    *(
        Mistake(f"the answer of a region: {rules}", "PUT", "/v1/purposes", "admin", 422, "invalid_purposes", (place, '"deny" or "allow"'), {"purposes": [], "regions": {"US": "allow", "DE": rules}})
        for rules, place in (("no", "regions.DE must"), (False, "regions.DE must"), (None, "regions.DE must"), ({"ads": "yes"}, "regions.DE.ads must"), ({"ads": True}, "regions.DE.ads must"))
    ),
    # Lists that name nobody.
    *(
        Mistake(f"nobody at {path}", "POST", path, "privacy", 422, "no_identifiers", ("identifiers is empty", "at least one"), {**body, "identifiers": []})
        for path, body in (("/v1/erasures", {}), ("/v1/holds", HOLD), ("/v1/exports", {}), ("/v1/suppressions", {}), ("/v1/suppressions/lift", {}))
    ),
    Mistake("too many for an export", "POST", "/v1/exports", "privacy", 422, "too_many_identifiers", ("more than 1,000", "send several"), {"identifiers": ["user_id:u"] * 1_001}),
    Mistake(
        "too many subjects", "POST", "/v1/regulations", "privacy", 422, "too-many-identifiers", ("subjectIds names more than 5,000",),
        {"regulationType": "DELETE_ONLY", "subjectType": "USER_ID", "subjectIds": ["u"] * 5_001},
    ),
    # An id of a profile that was copied wrongly.
    *(
        Mistake(f"the id of a profile: {text[:5]}", "POST", "/v1/erasures", "privacy", 400, "bad_identifier", ("identifiers[0]", words), {"identifiers": [text]})
        for text, words in (("PRF_0197C1A2B3C47D5E8F90A1B2C3D4E5F6", "small letters"), ("Prf_0197", "small letters"), (" prf_0197c1a2b3c47d5e8f90a1b2c3d4e5f6 ", "the id of a profile"))
    ),
    Mistake("the id of a profile in a path", "GET", "/v1/profiles/PRF_0197C1A2B3C47D5E8F90A1B2C3D4E5F6", "profiles", 400, "bad_identifier", ("small letters",)),
    # Flags.
    *(
        Mistake(f"minor {minor}", "POST", "/v1/consent", "privacy", 422, "invalid_request", ("minor", "true or false, without quotes, or null"), {**CONSENT, "minor": minor})
        for minor in ("true", 1)
    ),
    Mistake("captured at a small number", "POST", "/v1/consent", "privacy", 422, "invalid_decisions", ("captured_at", "out of range", "seconds since 1970"), {**CONSENT, "captured_at": 5}),
    # Times of a list.
    *(
        Mistake(f"since after until: {path}", "GET", f"{path}?since=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z", "admin", 400, "invalid_parameter", ("`since`", "later than `until`"))
        for path in ("/v1/rejections", "/v1/rejections/summary")
    ),
    # Reasons that nobody can read.
    *(
        Mistake(f"{path}: {text!r}", "POST", path, "privacy", 422, "invalid_request", ("reason", words), {**body, "reason": text})
        for path, body in (("/v1/holds", HOLD), ("/v1/erasures/{erasure}/extend", {}))
        for text, words in ((" ", "blank"), (" \u200b\u00a0", "blank"), ("case\0 1", "control character"), ("\x1b[2J", "control character"))
    ),
    # Placeholders.
    *(
        Mistake(f"{path}: {text}", "POST", path, "privacy", 400, "bad_identifier", BLOCKED, {**body, "identifiers": [text]})
        for path, body in (("/v1/erasures", {}), ("/v1/holds", HOLD), ("/v1/exports", {}), ("/v1/suppressions", {}))
        for text in ("user_id:null", "user_id: Undefined ", "anonymous_id:00000000-0000-0000-0000-000000000000", "email:test@test.com")
    ),
    Mistake(
        "the consent of nobody", "POST", "/v1/consent", "privacy", 400, "bad_identifier", ("identifier has a placeholder",),
        {**CONSENT, "identifier": "user_id:null"},
    ),
    Mistake(
        "a regulation of nobody", "POST", "/v1/regulations", "privacy", 422, "bad-regulation", ("subjectIds[0]", "placeholder"),
        {"regulationType": "DELETE_ONLY", "subjectType": "USER_ID", "subjectIds": ["undefined"]},
    ),
    Mistake(
        "an OpenDSR request of nobody", "POST", "/opendsr/v1/opendsr_requests", "privacy", 400, "bad_regulation", ("subject_identities[0]", "placeholder"),
        {**DSR, "subject_identities": [{"identity_type": "controller_customer_id", "identity_value": "null", "identity_format": "raw"}]},
    ),
    *(
        Mistake(f"idempotency key {value} at {path}", "POST", path, "privacy", 422, code, ("idempotency-key", "placeholder"), body, headers={"Idempotency-Key": value})
        for path, code, body in (
            ("/v1/erasures", "invalid_request", {"identifiers": ANN}),
            ("/v1/exports", "invalid_request", {"identifiers": ANN}),
            ("/v1/regulations", "invalid-request", {"regulationType": "DELETE_ONLY", "subjectType": "USER_ID", "subjectIds": ["ann"]}),
        )
        for value in ("null", "Undefined", '"undefined"')
    ),
    # Repeated fields.
    repeated("identifiers twice", "POST", "/v1/erasures", b'{"identifiers": ["user_id:x"], "identifiers": ["user_id:y"]}', "`identifiers`"),
    repeated("a decision twice", "POST", "/v1/consent", b'{"identifier": "user_id:ann", "decisions": {"Marketing": false, "Marketing": true}}', "`decisions.Marketing`"),
    repeated("a limit twice", "PUT", "/v1/rules", b'{"limits": {"email": {"max": 1, "max": 9}}}', "`limits.email.max`", key="admin"),
    repeated("a class twice", "PUT", "/v1/purposes", b'{"purposes": [{"id": "M", "class": "ads", "class": "analytics"}]}', "`purposes[0].class`", key="admin"),
    repeated("traits twice", "PUT", "/v1/destinations/x", b'{"purposes": ["Marketing"], "traits": ["a"], "traits": ["b"]}', "`traits`", key="admin"),
    repeated("a proof twice", "POST", "/v1/consent", b'{"identifier": "user_id:ann", "decisions": {"Marketing": false}, "evidence": {"page": 1, "page": 2}}', "`evidence.page`"),
    Mistake(
        "subjects twice", "POST", "/v1/regulations", "privacy", 422, "repeated-field", ("`subjectIds`",),
        raw=b'{"regulationType": "DELETE_ONLY", "subjectType": "USER_ID", "subjectIds": ["x"], "subjectIds": ["y"]}',
    ),
    # Types of rules.
    rules("userid", {"limits": {"userid": {"max": 1}}}, "limits names the type userid", "user_id?"),
    rules("mail", {"blocked": {"mail": ["x"]}}, "blocked", "email?"),
    rules("anonymous", {"priority": ["user_id", "anonymousid"]}, "priority", "anonymous_id?"),
    rules("a custom type", {"limits": {"cardnumber": {"max": 1}}}, "card.number?"),
    rules("group", {"blocked": {"groupid": ["x"]}}, "group_id?"),
    rules("a patch", {"limits": {"emial": {"max": 1}}}, "email?", method="PATCH"),
    rules("a simulation", {"limits": {"phones": {"max": 1}}}, "phone?", method="POST", path="/v1/rules/simulate"),
    # Decisions.
    *(
        Mistake(f"decisions {decisions}", "POST", "/v1/consent", "privacy", 422, "invalid_request", words, {**CONSENT, "decisions": decisions})
        for decisions, words in (
            ({"Marketing": "no"}, ("decisions.Marketing", "true or false, without quotes")),
            ({"Marketing": 1, "Product": None}, ("decisions.Marketing, decisions.Product", "true or false")),
            (["Marketing"], ("decisions", "object of names", "true or false")),
            (False, ("decisions", "object of names", "true or false")),
        )
    ),
    # Calls.
    *(
        Mistake(f"alias: {sorted(body)}", "POST", "/v1/alias", "write", 400, code, words, body)
        for body, code, words in (
            ({"userId": "u1"}, "missing_previous_id", ("previousId",)),
            ({"userId": "u1", "from": "a1"}, "missing_previous_id", ("from is not read; send previousId",)),
            ({"userId": "u1", "anonymousId": "b1", "previous_id": "a1"}, "missing_previous_id", ("previous_id is not read",)),
            ({"anonymousId": "b1", "previousId": "a1"}, "missing_user_id", ("userId",)),
        )
    ),
]  # fmt: skip
