"""The registry of places: unique, complete, and only ever growing."""

from identity.vault import seal
from identity.vault.seal import PLACES, SealPlace

FIRST_PLACES = {
    "DOCUMENT": (1, 1, 1, 256),
    "IDENTIFIER": (4, 2, 1, 64),
    "EVIDENCE": (3, 3, 1, 64),
    "EVENT": (3, 4, 1, 64),
    "GROUP_ID": (4, 5, 1, 64),
    "GROUP_TRAITS": (1, 5, 2, 256),
    "RULES": (8, 6, 1, 256),
    "TYPE_NAME": (8, 7, 1, 64),
    "REJECTION": (8, 8, 1, 64),
    "DESTINATION": (8, 9, 1, 256),
    "JOB": (8, 10, 1, 256),
    "ASIDE": (3, 12, 1, 256),
    "REQUEST": (8, 13, 1, 256),
    "HOLD": (8, 14, 1, 256),
}


def test_places_are_distinct() -> None:
    """No two places share table and column."""
    assert len({place.where for place in PLACES}) == len(PLACES)


def test_every_place_is_registered() -> None:
    """A place that exists is in the registry."""
    assert {id(value) for value in vars(seal).values() if isinstance(value, SealPlace)} == set(map(id, PLACES))


def test_places_only_grow() -> None:
    """The ids of a place that was ever used stay as they are."""
    now = {name: (p.purpose, p.table, p.column, p.step) for name in FIRST_PLACES for p in [getattr(seal, name)]}
    assert now == FIRST_PLACES
