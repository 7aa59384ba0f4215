"""Decides which internet addresses may be connected to: those that the lists show to be public.

The lists are the special-purpose registries of IANA, and the addresses that clouds serve their
metadata from. Of IPv6 only global unicast is public, so IPv4-mapped, NAT64 and the like are out;
6to4 and Teredo carry an IPv4 address of anybody's choice and are out as well.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from identity.values.errors import BadCallback

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_NOT_PUBLIC_4: Final = tuple(
    IPv4Network(each)
    for each in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' own; a cloud's metadata in it
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's platform, though the address is public
        "169.254.0.0/16",  # the link; clouds' metadata in it
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_GLOBAL_6: Final = IPv6Network("2000::/3")
_NOT_PUBLIC_6: Final = tuple(
    IPv6Network(each)
    for each in (
        "2001::/23",  # protocols, Teredo in it
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    return address in _GLOBAL_6 and not any(address in network for network in _NOT_PUBLIC_6)


def require_public(found: Iterable[str], allowed: Iterable[Network] = ()) -> list[str]:
    """The addresses that a name led to, if every one is public or in an `allowed` network. BadCallback."""
    networks = tuple(allowed)
    addresses = []
    for text in found:
        try:
            address = ip_address(text)
        except ValueError:
            raise BadCallback from None
        if not is_public(address) and not any(address in network for network in networks):
            raise BadCallback("The host of the callback has an address that is not public; use a public one.")
        addresses.append(str(address))
    return addresses
