"""The methods of a path, and the route that a wrong path means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.http.paths.known_paths import KnownPaths

ROUTES = [
    ("/healthz", ["GET"]),
    ("/v1/profiles", ["GET"]),
    ("/v1/profiles/lookup", ["POST"]),
    ("/v1/profiles/{ref}", ["GET"]),
    ("/v1/profiles/{ref}/history", ["GET"]),
    ("/v1/purposes", ["GET"]),
    ("/v1/purposes", ["PUT"]),
    ("/v1/destinations/{name}/export", ["POST"]),
    ("/v1/track", ["POST"]),
    ("/v1/t", ["POST"]),
    ("/v1/a", ["POST"]),
]
KNOWN = KnownPaths(ROUTES)


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/purposes", {"GET", "HEAD", "PUT"}),
        ("/v1/profiles/user_id:u1", {"GET", "HEAD"}),
        ("/v1/profiles/lookup", {"POST"}),
        ("/v1/profiles/a/b", set()),
        ("/v1/profiles/", set()),
        ("/v1/nothing", set()),
    ],
)
def test_a_path_has_the_methods_of_its_own_routes(path: str, methods: set[str]) -> None:
    """A constant path has none of a route with a parameter."""
    assert KNOWN.methods(path) == methods


@pytest.mark.parametrize(
    ("path", "method", "shadowed"),
    [
        ("/v1/profiles/lookup", "GET", True),
        ("/v1/profiles/lookup", "PUT", True),
        ("/v1/profiles/lookup", "POST", False),
        ("/v1/profiles/lookups", "GET", False),
        ("/v1/profiles/{ref}", "POST", False),
    ],
)
def test_a_constant_path_is_no_value_of_a_parameter(path: str, method: str, *, shadowed: bool) -> None:
    """So a wrong method there is a wrong method."""
    assert KNOWN.shadowed(path, method) is shadowed


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("/v1/profile", "/v1/profiles"),
        ("/v1/profiles/", "/v1/profiles"),
        ("/v2/profiles", "/v1/profiles"),
        ("/api/profiles", "/v1/profiles"),
        ("/profiles/user_id:u1", "/v1/profiles/{ref}"),
        ("/v1/profle/user_id:u1", "/v1/profiles/{ref}"),
        ("/v1/profiles/user_id:u1/histroy", "/v1/profiles/{ref}/history"),
        ("/v1/profiles/user_id:u1/hist", "/v1/profiles/{ref}/history"),
        ("/v1/destinations/mail/exports", "/v1/destinations/{name}/export"),
        ("/V1/Profiles", "/v1/profiles"),
        ("/V1/Profiles/user_id:u1/History", "/v1/profiles/{ref}/history"),
        ("/v1/healthz", "/healthz"),
        ("/health", "/healthz"),
        ("/v1/tracks", "/v1/track"),
        ("/v1/purposes/x", "/v1/purposes"),
        ("/v1", None),
        ("/", None),
        ("/v1/nope", None),
        ("/v1/users", None),
        ("/v1/b", None),
        ("/status", None),
    ],
)
def test_a_wrong_path_means_the_most_similar_route(path: str, near: str | None) -> None:
    """Or none, where none is similar: a route of one letter is similar to nothing."""
    assert KNOWN.nearest(path) == near


@given(st.text(max_size=60).map(lambda text: "/" + text))
def test_a_suggestion_is_a_template_and_repeats_nothing(path: str) -> None:
    """For any path at all."""
    assert KNOWN.nearest(path) in {None, *(template for template, _ in ROUTES)}
