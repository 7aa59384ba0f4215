"""The bytes of one address without a known key are bounded in each second."""

from app.server.address_budget import AddressBudget


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 5.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def test_an_address_that_used_its_bytes_has_no_room_until_the_next_second() -> None:
    """Other addresses have theirs."""
    clock = Clock()
    budget = AddressBudget(100, clock)

    budget.charge("a", 60)
    assert budget.has_room("a")
    budget.charge("a", 60)
    assert not budget.has_room("a")
    assert budget.has_room("b")
    clock.now += 1.0
    assert budget.has_room("a")


def test_a_budget_of_zero_bounds_nothing() -> None:
    """As with every other limit of the settings."""
    budget = AddressBudget(0)
    budget.charge("a", 10**9)

    assert budget.has_room("a")
