"""The address that a request comes from, for the bounds of one address.

A header counts only where a proxy of the operator sent it: any client can write `X-Forwarded-For`. An IPv6 client has
its whole network of 64 bits, so that network is its address.
"""

from collections.abc import Iterable, MutableMapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Final

Network = IPv4Network | IPv6Network

_OF_A_CLIENT: Final = 64


def client_address(scope: MutableMapping[str, Any], proxies: Sequence[Network]) -> str:
    """The address of a request: of the connection, or the last one in X-Forwarded-For that no proxy has."""
    peer = scope.get("client")
    return forwarded_address(peer[0] if peer else "", scope["headers"] if proxies else (), proxies)


def forwarded_address(peer: str, headers: Iterable[tuple[bytes, bytes]], proxies: Sequence[Network]) -> str:
    """The address behind a peer; `headers` are those of the request."""
    found = _parsed(peer)
    if found is None:
        return peer
    named = b",".join(value for name, value in headers if name == b"x-forwarded-for").split(b",")
    for text in reversed(named):
        if not is_proxy(found, proxies):
            break
        before = _parsed(text.strip().decode("latin-1"))
        if before is None:
            break
        found = before
    return _bounded(found)


def is_proxy(address: IPv4Address | IPv6Address, proxies: Sequence[Network]) -> bool:
    """Whether an address is one of a proxy of the operator."""
    return any(address in network for network in proxies)


def peer_is_proxy(peer: str, proxies: Sequence[Network]) -> bool:
    """Whether a connection comes from a proxy of the operator, which holds the connections of many clients."""
    found = _parsed(peer)
    return found is not None and is_proxy(found, proxies)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def _bounded(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((address, _OF_A_CLIENT), strict=False))
