"""The address of a request is that of the connection, or what a proxy of the operator says."""

from ipaddress import ip_network

import pytest

from app.server.client_address import client_address, peer_is_proxy

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def _address(peer: str | None, *forwarded: str, proxies: tuple[object, ...] = PROXIES) -> str:
    headers = [(b"x-forwarded-for", each.encode()) for each in forwarded]
    scope = {"client": None if peer is None else (peer, 1), "headers": headers}
    return client_address(scope, proxies)  # type: ignore[arg-type]


def test_a_header_of_a_client_does_not_count() -> None:
    """Anybody can write it."""
    assert _address("192.0.2.1", "198.51.100.7") == "192.0.2.1"
    assert _address("10.0.0.1", "198.51.100.7", proxies=()) == "10.0.0.1"


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (["198.51.100.7"], "198.51.100.7"),
        (["192.0.2.9, 198.51.100.7"], "198.51.100.7"),
        (["198.51.100.7, 10.1.1.1"], "198.51.100.7"),
        (["198.51.100.7", "10.1.1.1"], "198.51.100.7"),
        (["nobody"], "10.0.0.1"),
        (["198.51.100.7, nobody"], "10.0.0.1"),
        ([], "10.0.0.1"),
        (["10.9.9.9"], "10.9.9.9"),
    ],
)
def test_behind_a_proxy_the_last_foreign_address_counts(forwarded: list[str], address: str) -> None:
    """What stands before that address was written by the client."""
    assert _address("10.0.0.1", *forwarded) == address


def test_an_ipv6_client_is_its_network() -> None:
    """A host has 2^64 addresses; a mapped IPv4 address is the IPv4 address."""
    assert _address("2001:db8::1") == _address("2001:db8::ffff:2") == "2001:db8::/64"
    assert _address("2001:db8:0:1::1") == "2001:db8:0:1::/64"
    assert _address("::ffff:192.0.2.1") == "192.0.2.1"
    assert _address("fe80::1%eth0") == "fe80::/64"


def test_a_connection_without_an_address_is_one_of_its_own() -> None:
    """Such as one of a socket in the file system."""
    assert _address(None) == ""
    assert not peer_is_proxy("", PROXIES)
    assert peer_is_proxy("10.2.3.4", PROXIES)
