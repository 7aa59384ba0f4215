"""Every route with the scopes that may call it, and a request to it that is complete."""

from typing import Any

from app.http import ingest_endpoint
from app.http.auth import Operator, Public, Scopes
from app.http.collection.sender import SCOPES
from app.http.openapi import guard, native
from app.routes import opendsr
from tests.support.http.api_document import api

PROFILE_API = "/v1/spaces/{space_id}/collections/{collection}/profiles"
# Scopes with which the routes of the contract may be called; a route that is missing here fails.
CONTRACT: dict[tuple[str, str], object] = {
    ("POST", "/v1/spaces"): Operator,
    ("GET", "/v1/spaces"): Operator,
    ("DELETE", "/v1/spaces/{space_id}"): Operator,
    ("GET", "/metrics"): Operator,
    ("GET", "/healthz"): Public,
    ("GET", "/readyz"): Public,
    ("GET", "/openapi.json"): Public,
    ("GET", "/docs"): Public,
    ("GET", "/docs/{name}"): Public,
    ("GET", "/.well-known/onefold-keys.json"): Public,
    ("GET", "/v1/projects/{write_key}/settings"): Public,
    ("POST", "/v1/m"): Public,
    ("POST", "/v1/callbacks/{destination_id}"): Public,
    ("POST", "/v1/keys"): {"admin"},
    ("GET", "/v1/keys"): {"admin"},
    ("DELETE", "/v1/keys/{key_id}"): {"admin"},
    ("POST", "/v1/identity-keys"): {"admin"},
    ("GET", "/v1/identity-keys"): {"admin"},
    ("DELETE", "/v1/identity-keys/{key_id}"): {"admin"},
    ("GET", "/v1/rules"): {"admin"},
    ("PATCH", "/v1/rules"): {"admin"},
    ("PUT", "/v1/rules"): {"admin"},
    ("POST", "/v1/rules/rebuild"): {"admin"},
    ("POST", "/v1/rules/simulate"): {"admin"},
    ("GET", "/v1/jobs/{job_id}"): {"admin", "privacy"},
    ("GET", "/v1/profiles"): {"admin", "privacy"},
    ("POST", "/v1/profiles/lookup"): {"profiles:read", "admin", "privacy"},
    ("GET", "/v1/profiles/{ref}"): {"profiles:read", "admin", "privacy"},
    ("GET", "/v1/profiles/{ref}/identifiers"): {"profiles:read", "admin", "privacy"},
    ("GET", "/v1/profiles/{ref}/history"): {"profiles:read", "admin", "privacy"},
    ("GET", "/v1/profiles/{ref}/explain"): {"profiles:read", "admin", "privacy"},
    ("GET", "/v1/profiles/{ref}/graph"): {"profiles:read", "admin", "privacy"},
    ("POST", "/v1/identities/simulate"): {"import", "admin"},
    ("POST", "/v1/profiles/unmerge"): {"privacy", "admin"},
    ("DELETE", "/v1/identifiers/{ref}"): {"privacy", "admin"},
    ("GET", "/v1/joins"): {"privacy", "admin"},
    ("GET", "/v1/joins/{join_id}"): {"privacy", "admin"},
    ("POST", "/v1/joins/{join_id}/confirm"): {"privacy", "admin"},
    ("POST", "/v1/joins/{join_id}/refuse"): {"privacy", "admin"},
    ("GET", "/v1/rejections"): {"admin"},
    ("GET", "/v1/rejections/summary"): {"admin"},
    **{
        at: {"privacy"}
        for at in (
            ("POST", "/v1/erasures"),
            ("GET", "/v1/erasures"),
            ("GET", "/v1/erasures/{erasure_id}"),
            ("GET", "/v1/erasures/{erasure_id}/receipt"),
            ("POST", "/v1/erasures/{erasure_id}/extend"),
            ("POST", "/v1/regulations"),
            ("GET", "/v1/regulations"),
            ("GET", "/v1/regulations/{regulate_id}"),
            ("DELETE", "/v1/regulations/{regulate_id}"),
            ("GET", "/v1/suppressions"),
            ("POST", "/v1/suppressions"),
            ("DELETE", "/v1/suppressions"),
            ("POST", "/v1/suppressions/lift"),
            ("GET", "/v1/holds"),
            ("POST", "/v1/holds"),
            ("GET", "/v1/holds/{hold_id}"),
            ("DELETE", "/v1/holds/{hold_id}"),
            ("POST", "/v1/consent"),
            ("GET", "/v1/consent/{ref}"),
            ("GET", "/v1/exports"),
            ("POST", "/v1/exports"),
            ("GET", "/v1/exports/{export_id}"),
            ("GET", "/v1/exports/{export_id}/download"),
        )
    },
    ("GET", "/v1/holds/{hold_id}/profiles"): {"legal:read"},
    **{
        place: {"admin"}
        for place in (
            ("GET", "/v1/purposes"),
            ("PUT", "/v1/purposes"),
            ("GET", "/v1/destinations"),
            ("GET", "/v1/destinations/{name}"),
            ("PUT", "/v1/destinations/{name}"),
            ("POST", "/v1/destinations/{name}/rotate"),
            ("POST", "/v1/destinations/{name}/resume"),
            ("DELETE", "/v1/destinations/{name}"),
            ("GET", "/v1/destinations/{name}/explain"),
            ("POST", "/v1/destinations/{name}/export"),
        )
    },
    **{
        place: {"destination:<id>"}
        for place in (
            ("POST", "/v1/destination/profiles/lookup"),
            ("GET", "/v1/destination/profiles/{ref}"),
            ("GET", "/v1/changes"),
            ("POST", "/v1/changes/ack"),
        )
    },
    ("GET", "/opendsr/v1/discovery"): {"privacy"},
    ("GET", "/opendsr/v1/status"): {"privacy"},
    **{("POST", f"/opendsr/v1/{name}"): {"privacy"} for name in opendsr.NAMES},
    **{
        (method, f"/opendsr/v1/{name}/{{subject_request_id}}"): {"privacy"}
        for method in ("GET", "DELETE")
        for name in opendsr.NAMES
    },
    ("GET", "/v1/groups/{group_id}"): {"profiles:read", "admin"},
    ("DELETE", "/v1/groups/{group_id}"): {"privacy", "admin"},
    ("DELETE", "/v1/groups/{group_id}/members/{ref}"): {"privacy", "admin"},
    ("GET", PROFILE_API): {"admin", "privacy"},
    **{
        ("GET", f"{PROFILE_API}/{{ref}}/{what}"): {"profiles:read", "admin", "privacy"}
        for what in ("traits", "external_ids", "events", "metadata", "links")
    },
    **{("POST", path): {"write", "import", "admin"} for path in ingest_endpoint.ROUTES},
}
NATIVE = {(method, route.path): guard(route) for route in native(api()) for method in route.methods or ()}
DECLARED = {
    **NATIVE,
    **{("POST", path): Scopes(*SCOPES) for path in ingest_endpoint.ROUTES},
}
KEYED = [
    (method, path, tuple(sorted(found.scopes)))
    for (method, path), found in DECLARED.items()
    if isinstance(found, Scopes)
]
BODIES: dict[str, Any] = {
    "/v1/keys": {"name": "k", "scopes": ["write"]},
    "/v1/identity-keys": {"name": "k", "algorithm": "HS256"},
    "/v1/rules": {},
    "/v1/rules/simulate": {},
    "/v1/profiles/lookup": {"identifiers": ["user_id:u1"]},
    "/v1/identities/simulate": {"type": "track", "event": "E", "userId": "u1"},
    "/v1/profiles/unmerge": {"identifiers": ["nobody"]},
    "/v1/spaces": {"name": "s"},
    "/v1/erasures": {"identifiers": ["user_id:nobody"]},
    "/v1/erasures/{erasure_id}/extend": {"reason": "many requests"},
    "/v1/regulations": {"regulationType": "DELETE_ONLY", "subjectType": "USER_ID", "subjectIds": ["nobody"]},
    **{f"/opendsr/v1/{name}": [] for name in opendsr.NAMES},
    "/v1/suppressions": {"identifiers": ["user_id:nobody"]},
    "/v1/suppressions/lift": {"identifiers": ["user_id:nobody"]},
    "/v1/exports": {"identifiers": ["user_id:nobody"]},
    "/v1/consent": {"identifier": "user_id:nobody", "decisions": {"Ads": True}},
    "/v1/purposes": {"purposes": []},
    "/v1/destinations/{name}": {"purposes": ["Ads"]},
    "/v1/destination/profiles/lookup": {"identifiers": ["user_id:nobody"]},
    "/v1/changes/ack": {"cursor": "nowhere"},
    "/v1/holds": {"identifiers": ["user_id:nobody"], "reason": "case 12"},
}
UNKNOWN = {
    "ref": "user_id:nobody",
    "key_id": "key_nobody",
    "job_id": "job_nobody",
    "erasure_id": "ers_nobody",
    "hold_id": "hld_nobody",
    "join_id": "jon_nobody",
    "export_id": "exp_nobody",
    "regulate_id": "req_nobody",
    "subject_request_id": "nobody",
    "group_id": "nobody",
    "name": "nobody",
    "space_id": "spc_" + "0" * 32,
    "collection": "users",
}


def body_of(path: str) -> Any:
    """A body that the route would take."""
    if path in ingest_endpoint.ROUTES:
        kind = ingest_endpoint.ROUTES[path].kind
        call = {"userId": "u1", "event": "E", "groupId": "g1", "previousId": "u0"}
        return call if kind else {"batch": [{**call, "type": "track", "event": "E"}]}
    return BODIES.get(path)


def fill(path: str, **parts: str) -> str:
    """A template with its parts filled in."""
    query = "?from=user_id:u1&to=user_id:u2&identifier=user_id:u1&trait=plan" if path.endswith("/explain") else ""
    return path.format(**{**UNKNOWN, **parts}) + query
