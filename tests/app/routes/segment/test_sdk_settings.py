"""The settings of an SDK name this server, and no integration that loads code from another host."""

import pytest
from starlette.requests import Request

from app.routes.segment import sdk_settings
from identity.values.errors import BadInput


def request(**headers: str) -> Request:
    """A request with these headers."""
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "scheme": "http", "server": ("inner", 80), "path": "/", "headers": named})


def test_the_address_is_that_of_the_request_whatever_a_proxy_header_claims() -> None:
    """Anybody can send the headers of a proxy, so only `Host` counts."""
    forged = request(host="here:8100", x_forwarded_host="evil.example", forwarded="host=evil.example")

    assert sdk_settings._here(forged, None) == ("http", "here:8100")


def test_the_public_address_of_the_deployment_comes_first() -> None:
    """Behind a proxy `Host` names an inner server."""
    assert sdk_settings._here(request(host="inner"), "https://onefold.example") == ("https", "onefold.example")


@pytest.mark.parametrize("host", ["", "evil.example/path", "a b", 'x"', "user@evil.example", "x" * 300])
def test_a_host_that_is_no_host_name_is_refused(host: str) -> None:
    """Such a name would be part of an address that a browser calls."""
    with pytest.raises(BadInput):
        sdk_settings._here(request(host=host), None)


def test_one_integration_is_named_which_is_this_server() -> None:
    """With a second integration a browser loads code from another host."""
    settings = sdk_settings._settings("key", "https", "onefold.example")

    assert list(settings.integrations) == ["Segment.io"]
    assert settings.integrations["Segment.io"]["apiHost"] == "onefold.example/v1"
    assert settings.remote_plugins == []
    assert settings.middleware_settings == {"routingRules": []}
