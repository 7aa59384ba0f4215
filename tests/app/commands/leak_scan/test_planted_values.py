"""A value that is found names its place: no two values are equal, and no kind is lost."""

import re

from app.commands.leak_scan.planted_values import PlantedValues


def test_values_of_one_kind_are_numbered_and_differ() -> None:
    """The second value of a kind has a name of its own."""
    values = PlantedValues()
    made = [values.new("event name") for _ in range(3)]

    assert values.by_name == dict(zip(("event name", "event name 2", "event name 3"), made, strict=True))
    assert len(set(made)) == 3


def test_a_value_has_a_form_that_every_format_carries() -> None:
    """Letters and digits, small ones where a server takes no others."""
    values = PlantedValues()

    assert re.fullmatch(r"[A-Za-z0-9]{24}", values.new("trait value"))
    assert re.fullmatch(r"[a-z0-9]{24}", values.new("identifier type", small=True))
    assert re.fullmatch(r"\+4915[1-9]{9}", values.phone())


def test_unkeyed_hashes_of_identifiers_are_searched_in_every_spelling() -> None:
    """As sent and as normalised; other values are searched as they are."""
    values = PlantedValues()
    user = values.new("user id", hashed=True)
    values.new("event name")
    phone = values.phone()

    assert values.hashed == {user, user.lower(), phone, phone.removeprefix("+")}
