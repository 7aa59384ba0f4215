"""A guessed path is answered with the route that does what its words ask for."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.http.paths import guessed_paths
from app.http.paths.guessed_paths import guessed_route, route_for
from app.http.paths.known_paths import KnownPaths
from tests.support.http.api_document import api

_ROUTE = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/[\w{}/.-]+)")


def known() -> KnownPaths:
    """The paths of the application."""
    paths: KnownPaths = api().state.paths
    return paths


def hint(path: str) -> str | None:
    """What the answer to a path without a route names, as `error_responses` looks for it."""
    assert not known().methods(path), path
    return known().differently_begun(path) or guessed_route(path) or known().nearest(path)


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/v1/profiles/user_id:u1/unmerge", "POST /v1/profiles/unmerge"),
        ("/v1/unmerge", "POST /v1/profiles/unmerge"),
        ("/v1/profiles/user_id:u1/split", "POST /v1/profiles/unmerge"),
        ("/v1/profiles/user_id:u1/merge", "POST /v1/alias"),
        ("/v1/profiles/merge", None),
        ("/v1/merge", "POST /v1/alias"),
        ("/v1/profiles/user_id:u1/join", "POST /v1/alias"),
        ("/v1/join", "GET /v1/joins"),
        ("/v1/join/joi_1", "GET /v1/joins/{join_id}"),
        ("/v1/claims", "GET /v1/joins"),
        ("/v1/merge-requests", "GET /v1/joins"),
        ("/v1/profiles/user_id:u1/joins", "GET /v1/joins"),
        ("/v1/join/joi_1/confirm", "POST /v1/joins/{join_id}/confirm"),
        *((f"/v1/joins/joi_1/{word}", "POST /v1/joins/{join_id}/confirm") for word in ("accept", "approve", "allow")),
        *((f"/v1/joins/joi_1/{word}", "POST /v1/joins/{join_id}/refuse") for word in ("reject", "deny", "decline")),
        ("/v1/profiles/user_id:u1/erase", "POST /v1/erasures"),
        ("/v1/profiles/user_id:u1/delete", "POST /v1/erasures"),
        ("/v1/profiles/user_id:u1/erasures", "POST /v1/erasures"),
        ("/v1/erase", "POST /v1/erasures"),
        ("/v1/forget", "POST /v1/erasures"),
        ("/v1/gdpr/delete", "POST /v1/erasures"),
        ("/v1/erasure", "/v1/erasures"),
        ("/v1/erasures/era_1/cancel", "DELETE /v1/regulations/{regulate_id}"),
        ("/v1/erasures/era_1/status", "GET /v1/erasures/{erasure_id}"),
        ("/v1/erasures/era_1/receit", "/v1/erasures/{erasure_id}/receipt"),
        ("/v1/holds/hld_1/release", "DELETE /v1/holds/{hold_id}"),
        ("/v1/holds/hld_1/members", "GET /v1/holds/{hold_id}/profiles"),
        ("/v1/profiles/user_id:u1/hold", "POST /v1/holds"),
        ("/v1/groups/acme/members", "GET /v1/groups/{group_id}"),
        ("/v1/groups/acme/members/user_id:u1/remove", "DELETE /v1/groups/{group_id}/members/{ref}"),
        ("/v1/groups/acme/member/user_id:u1", "DELETE /v1/groups/{group_id}/members/{ref}"),
        ("/v1/groups", "GET /v1/groups/{group_id}"),
        ("/v1/accounts/acme", "GET /v1/groups/{group_id}"),
        ("/v1/profiles/user_id:u1/traits", "GET /v1/profiles/{ref}"),
        ("/v1/profiles/user_id:u1/events", "GET /v1/profiles/{ref}/history"),
        ("/v1/profiles/user_id:u1/external_ids", "GET /v1/profiles/{ref}/identifiers"),
        ("/v1/profiles/user_id:u1/identifiers/email:a@b.de", "DELETE /v1/identifiers/{ref}"),
        ("/v1/profiles/user_id:u1/consent", "GET /v1/consent/{ref}"),
        ("/v1/profiles/user_id:u1/export", "POST /v1/exports"),
        ("/v1/profiles/user_id:u1/suppress", "POST /v1/suppressions"),
        ("/v1/profiles/user_id:u1/anything", "/v1/profiles/{ref}"),
        ("/v1/profiles/search", None),
        ("/v1/search", "POST /v1/profiles/lookup"),
        ("/v1/users", "GET /v1/profiles"),
        ("/v1/users/u1", "GET /v1/profiles/{ref}"),
        ("/users/u1", "GET /v1/profiles/{ref}"),
        ("/v1/suppressions/email:a@b.de", "POST /v1/suppressions/lift"),
        ("/v1/unsuppress", "POST /v1/suppressions/lift"),
        ("/v1/exports/exp_1/file", "GET /v1/exports/{export_id}/download"),
        ("/v1/keys/key_1/revoke", "DELETE /v1/keys/{key_id}"),
        ("/v1/api-keys", "POST /v1/keys"),
        ("/v1/spaces/spa_1/keys", "POST /v1/keys"),
        ("/v1/spaces/spa_1/rules", "the path without /spaces/{space_id}"),
        ("/v1/destinations/mail/changes", "GET /v1/changes"),
        ("/v1/destinations/mail/retry", "POST /v1/destinations/{name}/resume"),
        ("/v1/feed", "GET /v1/changes"),
        ("/v1/ack", "POST /v1/changes/ack"),
        ("/v1/rebuild", "POST /v1/rules/rebuild"),
        ("/v1/rules/preview", "POST /v1/rules/simulate"),
        ("/v1/jobs", "GET /v1/jobs/{job_id}"),
        ("/v1/identifiers", "DELETE /v1/identifiers/{ref}"),
        ("/v1/errors", "GET /v1/rejections"),
        ("/v1/events", "POST /v1/batch"),
        *((f"/v1/{word}", "GET /v1/erasures/{erasure_id}/receipt") for word in ("receipts/x", "receipt/x")),
        *((f"/v1/{word}", "GET /v1/erasures/{erasure_id}, GET") for word in ("requests", "requests/x", "dsr")),
        *((f"/v1/{word}", "GET /v1/rules or DELETE /v1/identifiers") for word in ("blocked", "block-list", "blocks/x")),
        *((f"/v1/{word}", "GET /v1/profiles/{ref}/history") for word in ("ledger", "audit", "audit-log", "logs")),
        *((path, "GET /readyz") for path in ("/status", "/v1/status", "/v1/health", "/health", "/ping", "/livez")),
        ("/v1/jwks", "GET /.well-known/onefold-keys.json"),
        ("/v1/history/user_id:u1", "GET /v1/profiles/{ref}/history"),
        ("/v1//profiles/user_id:u1", "/v1/profiles/{ref}"),
        ("//v1/profiles", "/v1/profiles"),
        ("/v1/profiles//user_id:u1/history/", "/v1/profiles/{ref}/history"),
        ("/v1//users/u1", "GET /v1/profiles/{ref}"),
        ("/V1/Profiles/user_id:u1/Unmerge/", "POST /v1/profiles/unmerge"),
    ],
)
def test_a_guessed_path_is_answered_with_the_route_that_helps(path: str, route: str | None) -> None:
    """None: the path is that of a profile, whose method or name is wrong."""
    if route is None:
        assert known().methods(path)
    else:
        found = hint(path)
        assert found is not None
        assert found.startswith(route)


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        *(("DELETE", path, "POST /v1/erasures") for path in ("/v1/users/u1", "/v1/customers/c", "/v1//people/x")),
        *((method, "/v1/users/u1", "POST /v1/identify") for method in ("POST", "PUT", "PATCH")),
        ("GET", "/v1/users/u1", "GET /v1/profiles/{ref}"),
        ("POST", "/v1/users/search", "POST /v1/profiles/lookup"),
    ],
)
def test_a_guessed_path_is_answered_for_the_method(method: str, path: str, route: str) -> None:
    """Who deletes a user wants an erasure."""
    assert guessed_route(path, method) == route


def test_every_route_that_an_answer_names_exists() -> None:
    """With the method that is named."""
    answers = [answer for _, answer in guessed_paths._GUESSES]
    answers += [answer for _, _, answer in guessed_paths._OTHER_METHODS]
    answers += guessed_paths._CHANGES_OF_PEOPLE.values()
    routes = [found for answer in answers for found in _ROUTE.findall(answer)]
    assert len(routes) > len(answers)
    for method, template in routes:
        assert method in known()._methods[template], template


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("DELETE", "/v1/profiles/user_id:u1", "POST /v1/erasures"),
        ("PATCH", "/v1/profiles/user_id:u1", "POST /v1/identify"),
        ("POST", "/v1/profiles/merge", "POST /v1/alias"),
        ("POST", "/v1/profiles/split", "POST /v1/profiles/unmerge"),
        ("POST", "/v1/profiles/delete", "POST /v1/erasures"),
        ("POST", "/v1/profiles/search", "POST /v1/profiles/lookup"),
        ("POST", "/v1/joins/joi_1", "POST /v1/joins/{join_id}/confirm"),
        ("DELETE", "/v1/joins/joi_1", "POST /v1/joins/{join_id}/refuse"),
        ("POST", "/v1/joins", "POST /v1/alias"),
        ("DELETE", "/v1/erasures/era_1", "DELETE /v1/regulations/{regulate_id}"),
        ("PUT", "/v1/consent/user_id:u1", "POST /v1/consent"),
        ("POST", "/v1/destinations/mail", "PUT /v1/destinations/{name}"),
        ("POST", "/v1/destinations", "PUT /v1/destinations/{name}"),
        ("PUT", "/v1/groups/acme/members/user_id:u1", "POST /v1/group"),
        ("GET", "/v1/identifiers/user_id:u1", "GET /v1/profiles/{ref}"),
        ("GET", "/v1/profiles/lookup", "GET /v1/profiles/{ref}"),
    ],
)
def test_a_wrong_method_is_answered_with_the_route_that_does_the_like(method: str, path: str, route: str) -> None:
    """The path lacks the method."""
    assert method not in known().methods(path)
    assert (route_for(method, path) or "").startswith(route)


@given(st.text(max_size=500), st.sampled_from(["GET", "POST", "BREW"]))
def test_an_answer_is_a_constant(path: str, method: str) -> None:
    """For any path at all, also a long one."""
    assert guessed_route(path) in {None, *(answer for _, answer in guessed_paths._GUESSES)}
    assert route_for(method, path) in {None, *(answer for _, _, answer in guessed_paths._OTHER_METHODS)}
