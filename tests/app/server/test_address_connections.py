"""Connections of one address are bounded, and few of those without room are on trial."""

from ipaddress import ip_network

from app.server.address_connections import MOST_ON_TRIAL, AddressConnections


def test_an_address_has_room_for_so_many_connections() -> None:
    """An ended one makes room; other addresses and proxies have their own."""
    connections = AddressConnections(2, (ip_network("10.0.0.0/8"),))

    assert [connections.enter("192.0.2.1") for _ in range(3)] == [True, True, False]
    assert connections.enter("192.0.2.2")
    assert all(connections.enter("10.0.0.1") for _ in range(9))
    for _ in range(2):
        connections.leave("192.0.2.1")
    assert connections.enter("192.0.2.1")


def test_the_addresses_of_one_ipv6_network_share_their_room() -> None:
    """A host has 2^64 of them."""
    connections = AddressConnections(1)

    assert connections.enter("2001:db8::1")
    assert not connections.enter("2001:db8::2")


def test_a_bound_of_zero_bounds_nothing() -> None:
    """As with every other limit of the settings."""
    connections = AddressConnections(0)

    assert all(connections.enter("192.0.2.1") for _ in range(50))


def test_of_the_connections_on_trial_the_oldest_gives_way() -> None:
    """One whose trial has ended does not."""
    connections = AddressConnections(1)
    gone: list[int] = []
    for at in range(MOST_ON_TRIAL):
        connections.try_out(at, lambda at=at: gone.append(at))  # type: ignore[misc]
    connections.end_trial(0)
    for at in range(MOST_ON_TRIAL, MOST_ON_TRIAL + 2):
        connections.try_out(at, lambda at=at: gone.append(at))  # type: ignore[misc]

    assert gone == [1]
    assert connections.on_trial == MOST_ON_TRIAL
