"""Names the route that does what a guessed path asks for, where the words of the path are not those of a route.

A path such as `/v1/profiles/{ref}/unmerge` is like no route by its letters; the words `profiles` and `unmerge` say what
is meant. An answer is a constant and repeats nothing of the request.
"""

import re
from typing import Final

_PEOPLE: Final = "(?:profiles?|users?|people|persons?|customers?|contacts?|identit(?:y|ies)|visitors?|leads?|subjects?)"
_OF_A_PERSON: Final = f"(?:{_PEOPLE}(?:/[^/]+)?/)?"
_PERSON: Final = f"{_PEOPLE}/[^/]+"
_ASKED: Final = (
    "claims?|(?:waiting|pending)(?:joins?|claims?|merges?)?|(?:join|merge)(?:requests?|proposals?|candidates?)"
)
_JOINS: Final = f"(?:joins?|{_ASKED})"
_NO: Final = "(?:refuses?|reject|deny|decline|dismiss|cancel|ignore|block|delete|remove|discard|no)"
_VERSION: Final = re.compile(r"^(?:api/)?(?:v[0-9]+/)?")
_LONGEST: Final = 400

_GUESSES: Final = tuple(
    (re.compile(pattern), answer)
    for pattern, answer in {
        f"{_OF_A_PERSON}(?:unmerge|split|separate|demerge|undomerge|unlink|detach|disconnect)(?:/.*)?": (
            "POST /v1/profiles/unmerge"
        ),
        f"{_JOINS}/[^/]+/{_NO}": "POST /v1/joins/{join_id}/refuse",
        f"{_JOINS}/[^/]+/[^/]+": "POST /v1/joins/{join_id}/confirm or POST /v1/joins/{join_id}/refuse",
        f"{_JOINS}/[^/]+": "GET /v1/joins/{join_id}",
        f"{_JOINS}": "GET /v1/joins (POST /v1/alias and POST /v1/identify merge)",
        f"{_PERSON}/(?:joins|{_ASKED})": "GET /v1/joins",
        f"{_OF_A_PERSON}(?:merge|mergeprofiles|combine|join|connect)(?:/.*)?": (
            "POST /v1/alias or POST /v1/identify (a call that names both people merges their profiles)"
        ),
        f"{_OF_A_PERSON}(?:links?|identifiers|externalids?|ids|aliases)/.+": (
            "DELETE /v1/identifiers/{ref} or GET /v1/profiles/{ref}/identifiers"
        ),
        "(?:identifiers?|externalids?)(?:/.*)?": "DELETE /v1/identifiers/{ref} or GET /v1/profiles/{ref}/identifiers",
        f"(?:gdpr/|privacy/|dsr/|dsar/)?{_OF_A_PERSON}(?:erase|delet(?:e|ions?)|remove|forget|forgetme|rtbf|anonymi[sz]e|"
        f"purge|destroy|gdpr|redact)(?:/[^/]*)?|{_PERSON}/erasures?": "POST /v1/erasures",
        f"{_OF_A_PERSON}(?:unsuppress|lift|unsuppressions?)(?:/.*)?": "POST /v1/suppressions/lift",
        "suppressions?/[^/]+(?:/.*)?": "POST /v1/suppressions/lift or DELETE /v1/suppressions",
        f"{_OF_A_PERSON}(?:suppress|suppressions?|optout|unsubscribe|blacklist|denylist)": "POST /v1/suppressions",
        f"{_OF_A_PERSON}(?:block|unblock)(?:/.*)?": "DELETE /v1/identifiers/{ref}?block=true or PATCH /v1/rules",
        "holds?/[^/]+/(?:release|lift|end|cancel|delete|remove|close|stop)": "DELETE /v1/holds/{hold_id}",
        "holds?/[^/]+/(?:members?|people|persons?|users|identifiers|subjects|profile)(?:/.*)?": (
            "GET /v1/holds/{hold_id}/profiles"
        ),
        f"{_OF_A_PERSON}(?:release|unhold|unfreeze)": "DELETE /v1/holds/{hold_id}",
        f"{_PERSON}/holds?|{_OF_A_PERSON}(?:legalholds?|litigationholds?|freeze|preserve)": "POST /v1/holds",
        "exports?/[^/]+/(?:file|result|content|data|json|csv|zip)": "GET /v1/exports/{export_id}/download",
        f"{_PERSON}/exports?|(?:gdpr/|privacy/)?{_OF_A_PERSON}(?:download|access|accessrequests?|d?sar|portability)": (
            "POST /v1/exports"
        ),
        f"(?:{_PERSON}/(?:consents?|preferences|purposes|permissions)|consents?/[^/]+/.*)": (
            "GET /v1/consent/{ref} or POST /v1/consent"
        ),
        "(?:consents?|preferences|permissions|optin)(?:/.*)?": "POST /v1/consent or GET /v1/consent/{ref}",
        f"{_PERSON}/(?:events?|calls|timeline|activit(?:y|ies)|audit|log|merges)": "GET /v1/profiles/{ref}/history",
        f"{_PERSON}/(?:externalids?|ids|aliases|identifier|identities|emails?|devices?)": (
            "GET /v1/profiles/{ref}/identifiers"
        ),
        f"{_PERSON}/(?:why|explanation|reasons?|links?|evidence|path)": "GET /v1/profiles/{ref}/explain",
        f"{_PERSON}/(?:tree|nodes|edges|network|svg)": "GET /v1/profiles/{ref}/graph",
        f"{_PERSON}/(?:traits?|attributes|properties|data|document|details|groups?|accounts?|metadata)(?:/.*)?": (
            "GET /v1/profiles/{ref}"
        ),
        f"{_PEOPLE}/(?:search|find|query|lookups?|resolve|match)(?:/.*)?|lookups?|search|find|resolve|query": (
            "POST /v1/profiles/lookup"
        ),
        "receipts?/[^/]+(?:/.*)?|receipts?|certificates?(?:/[^/]+)?": "GET /v1/erasures/{erasure_id}/receipt",
        "(?:privacy|gdpr|dsr|dsar|subject|access)?requests?(?:/.*)?|dsrs?(?:/.*)?": (
            "GET /v1/erasures/{erasure_id}, GET /v1/exports or GET /v1/regulations"
        ),
        "opendsr(?:/.*)?|opengdpr(?:/.*)?": "POST /opendsr/v1/requests",
        "(?:block(?:ed|s|list)?|denylist|blacklist|blockedidentifiers)(?:/.*)?": (
            "GET /v1/rules or DELETE /v1/identifiers/{ref}?block=true"
        ),
        "suppressed|suppressionlist": "POST /v1/suppressions",
        "(?:ledger|journal|audit(?:s|log|logs|trail)?|logs?|accesslogs?|activity)(?:/.*)?": (
            "GET /v1/profiles/{ref}/history (no route reads the ledger)"
        ),
        "(?:status|health|healthcheck|ready|readiness|live|livez|liveness|alive|up|ping|heartbeat|monitor)(?:/.*)?": (
            "GET /readyz or GET /healthz"
        ),
        "versions?|spec|swagger(?:json)?|schema": "GET /openapi.json",
        "jwks(?:json)?|signingkeys?|publickeys?|wellknown/.*": "GET /.well-known/onefold-keys.json",
        "history/.+": "GET /v1/profiles/{ref}/history",
        "graphs?/.+": "GET /v1/profiles/{ref}/graph",
        "explain(?:/.*)?": "GET /v1/profiles/{ref}/explain",
        "tokens?/[^/]+|apikeys?/[^/]+": "DELETE /v1/keys/{key_id}",
        f"{_PERSON}/simulate|simulate|simulations?|dryrun|preview|whatif": (
            "POST /v1/identities/simulate or POST /v1/rules/simulate"
        ),
        "(?:users?|people|persons?|customers?|contacts?|visitors?|leads?|subjects?)/[^/]+|profile/[^/]+": (
            "GET /v1/profiles/{ref}"
        ),
        "(?:users?|people|persons?|customers?|contacts?|visitors?|leads?|subjects?|identities)": "GET /v1/profiles",
        "(?:groups?|accounts?|companies|company|organi[sz]ations?)/[^/]+/(?:members?|users?|profiles?|people)": (
            "GET /v1/groups/{group_id} or DELETE /v1/groups/{group_id}/members/{ref}"
        ),
        "(?:groups?|accounts?|companies|company|organi[sz]ations?)/[^/]+/.+": (
            "DELETE /v1/groups/{group_id}/members/{ref} or GET /v1/groups/{group_id}"
        ),
        "(?:groups|accounts?|companies|company|organi[sz]ations?)(?:/[^/]+)?|group/[^/]+": "GET /v1/groups/{group_id}",
        "erasures?/[^/]+/(?:cancel|stop|abort|revoke|delete)": "DELETE /v1/regulations/{regulate_id}",
        "erasures?/[^/]+/(?:status|state|progress)": "GET /v1/erasures/{erasure_id}",
        "erasures?/[^/]+/(?:certificate|proof|confirmation)": "GET /v1/erasures/{erasure_id}/receipt",
        "erasures?/[^/]+/(?:postpone|delay|prolong|extension)": "POST /v1/erasures/{erasure_id}/extend",
        "regulations?/[^/]+/.+": "GET /v1/regulations/{regulate_id} or DELETE /v1/regulations/{regulate_id}",
        "(?:apikeys?|keys?|tokens?|writekeys?)/[^/]+/.+": "DELETE /v1/keys/{key_id} or POST /v1/keys",
        "apikeys?|tokens?|writekeys?|sources?": "POST /v1/keys or GET /v1/keys",
        "(?:workspaces?|tenants?|projects?)": "GET /v1/spaces or POST /v1/spaces",
        "spaces?/[^/]+/keys(?:/.*)?": "POST /v1/keys or GET /v1/keys (the space is that of the key of the request)",
        "spaces?/[^/]+/(?:profiles|rules|purposes|destinations|rejections|holds|erasures|exports|suppressions|consent|"
        "regulations|groups|identifiers|changes)(?:/.*)?": (
            "the path without /spaces/{space_id} (the key of the request names the space)"
        ),
        "spaces?/[^/]+/(?:delete|remove)": "DELETE /v1/spaces/{space_id}",
        "destinations?/[^/]+/(?:changes|feed|events|poll|stream)|feed|changelog|stream|updates": "GET /v1/changes",
        "changes?/[^/]+/(?:ack|acknowledge)|ack|acks|acknowledge|acknowledgements?": "POST /v1/changes/ack",
        "destinations?/[^/]+/(?:profiles?|users?|people)(?:/.*)?": "GET /v1/destination/profiles/{ref}",
        "destinations?/[^/]+/(?:delete|remove|disable)": "DELETE /v1/destinations/{name}",
        "destinations?/[^/]+/(?:start|enable|unpause|restart|retry|continue)": "POST /v1/destinations/{name}/resume",
        "destinations?/[^/]+/(?:secrets?|key|roll|regenerate|rotatesecret)": "POST /v1/destinations/{name}/rotate",
        "destinations?/[^/]+/(?:status|stats|health|audience|state)": "GET /v1/destinations/{name}",
        "webhooks?(?:/.*)?": "PUT /v1/destinations/{name}",
        "(?:rules/|profiles/)?(?:rebuild|reprocess|recompute|apply|replay)": "POST /v1/rules/rebuild",
        "rules/(?:preview|dryrun|test|try)": "POST /v1/rules/simulate",
        "rules/.+|settings|config|configuration": "GET /v1/rules, PUT /v1/rules or PATCH /v1/rules",
        "errors?|rejected|failures?|dropped|deadletters?|dlq": "GET /v1/rejections",
        "jobs?(?:/.*)?": "GET /v1/jobs/{job_id}",
        "events?|collect|capture|ingest|send|calls?|batches|bulk|messages": "POST /v1/batch or POST /v1/track",
    }.items()
)
_OTHER_METHODS: Final = tuple(
    (methods.split(), re.compile(pattern), answer)
    for methods, pattern, answer in (
        ("POST PUT PATCH", "profiles/(?:merge|combine|join)", "POST /v1/alias with both ids merges two profiles."),
        ("POST PUT PATCH", "profiles/(?:split|separate)", "POST /v1/profiles/unmerge splits a profile."),
        ("POST PUT PATCH", "profiles/(?:erase|delete|forget|remove)", "POST /v1/erasures erases a person."),
        ("POST PUT PATCH", "profiles/(?:search|find|query|resolve)", "POST /v1/profiles/lookup finds a profile."),
        ("POST PUT PATCH", "joins/[^/]+", "POST /v1/joins/{join_id}/confirm makes a join, and /refuse refuses one."),
        ("DELETE", "joins/[^/]+", "POST /v1/joins/{join_id}/refuse refuses a join."),
        ("POST PUT", "joins", "POST /v1/alias or POST /v1/identify with both ids joins two people."),
        ("DELETE", "profiles(?:/[^/]+)?", "POST /v1/erasures erases a person."),
        ("POST PUT PATCH", "profiles(?:/[^/]+)?", "POST /v1/identify sets traits of a person."),
        ("DELETE", "erasures/[^/]+", "DELETE /v1/regulations/{regulate_id} cancels a request."),
        ("POST PUT PATCH DELETE", "consent/[^/]+", "POST /v1/consent records decisions."),
        ("GET PUT PATCH DELETE", "consent", "GET /v1/consent/{ref} reads decisions."),
        ("POST PATCH", "destinations(?:/[^/]+)?", "PUT /v1/destinations/{name} makes or changes a destination."),
        ("POST PUT PATCH", "groups/[^/]+", "POST /v1/group sets traits of a group and adds a member."),
        ("GET PUT POST", "groups/[^/]+/members/[^/]+", "POST /v1/group adds a member."),
        ("GET", "identifiers/[^/]+", "GET /v1/profiles/{ref} reads a profile by an identifier."),
        ("POST PUT PATCH", "holds/[^/]+", "POST /v1/holds makes a hold, and DELETE ends one."),
        ("GET", "profiles/lookup", "GET /v1/profiles/{ref} reads one profile."),
        ("DELETE", "exports/[^/]+", "An export is destroyed by its download, and after 72 hours."),
    )
)


_CHANGES_OF_PEOPLE: Final = {
    "DELETE": "POST /v1/erasures",
    **dict.fromkeys(("POST", "PUT", "PATCH"), "POST /v1/identify"),
}
_READS_OF_PEOPLE: Final = frozenset({"GET /v1/profiles", "GET /v1/profiles/{ref}"})


def guessed_route(path: str, method: str = "GET") -> str | None:
    """The route that a path without one means by its words; None where no words of the table are in the path."""
    words = _words(path)
    if words is None:
        return None
    found = next((answer for pattern, answer in _GUESSES if pattern.fullmatch(words)), None)
    return _CHANGES_OF_PEOPLE.get(method, found) if found in _READS_OF_PEOPLE else found


def route_for(method: str, path: str) -> str | None:
    """What does for a path that which a method asks for that the path lacks; None without a hint."""
    words = _words(path)
    if words is None:
        return None
    return next(
        (answer for methods, pattern, answer in _OTHER_METHODS if method in methods and pattern.fullmatch(words)), None
    )


def _words(path: str) -> str | None:
    """The parts of a path in small letters, without its version; None for a path that is too long to compare."""
    if len(path) > _LONGEST:
        return None
    return _VERSION.sub("", re.sub("/{2,}", "/", path.lower()).strip("/").replace("-", "").replace("_", ""))
