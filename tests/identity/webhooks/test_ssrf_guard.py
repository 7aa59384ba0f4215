"""Addresses: only those of the public internet, or of a network that the operator opened, are connected to."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.values.errors import BadCallback
from identity.webhooks.ssrf_guard import is_public, require_public

ADDRESSES = st.integers(0, 2**32 - 1).map(IPv4Address) | st.integers(0, 2**128 - 1).map(IPv6Address)
GOOD = st.ip_addresses(network="8.0.0.0/8") | st.ip_addresses(network="2a00::/12")
BAD = st.sampled_from(("10.0.0.0/8", "127.0.0.0/8", "fc00::/7", "::/96")).flatmap(
    lambda each: st.ip_addresses(network=each)
)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254", "168.63.129.16",
        "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1",
        "192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
        "255.255.255.255", "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1",
        "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1",
        "2001:20::1", "2002:7f00:1::", "2002:a00:1::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1",
        "fe80::1%lo", "fec0::1", "ff02::1", "4000::1",
    ],
)  # fmt: skip
def test_no_special_purpose_address_is_public(address: str) -> None:
    """No address of this kind is public."""
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"]
)
def test_a_global_address_is_public(address: str) -> None:
    """Those of the internet are."""
    assert require_public([address]) == [address]


@given(ADDRESSES | st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_no_address_is_public_that_python_holds_to_be_special(address: IPv4Address | IPv6Address) -> None:
    """No address is public that Python's own tables hold to be something else."""
    if is_public(address):
        assert address.is_global
        kinds = (address.is_multicast, address.is_reserved, address.is_loopback, address.is_link_local)
        assert not any(kinds)


@given(GOOD, BAD, st.booleans())
def test_one_private_address_refuses_the_whole_name(
    good: IPv4Address | IPv6Address,
    bad: IPv4Address | IPv6Address,
    first: bool,  # noqa: FBT001
) -> None:
    """A name is refused for any one address that is not public, wherever in the list it stands."""
    found = [str(bad), str(good)] if first else [str(good), str(bad)]
    with pytest.raises(BadCallback):
        require_public(found)


def test_an_allowed_network_may_be_called_and_no_other() -> None:
    """An operator may open a network, and only that."""
    assert require_public(["10.1.0.1", "8.8.8.8"], [IPv4Network("10.1.0.0/16")]) == ["10.1.0.1", "8.8.8.8"]
    with pytest.raises(BadCallback):
        require_public(["10.2.0.1"], [IPv4Network("10.1.0.0/16")])
