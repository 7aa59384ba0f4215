"""A destination as the API answers it: its secrets are shown once, and one that may receive nothing is warned of."""

import json
from typing import Any

import msgspec
import pytest

from app.schemas.destinations import destination_put, destination_secret, gap_explained
from identity.operations.destinations.explain_missing_trait import MissingTrait
from identity.operations.destinations.manage_destinations import DestinationSecrets
from identity.values.ids import DestinationId, ProfileId

ID = DestinationId(b"d" * 16)
PUBLIC = f"dst_{ID.hex()}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (DestinationSecrets(ID, 2), {}),
        (DestinationSecrets(ID, 2, secret="s", callback_secret="c"), {"secret": "s", "callback_secret": "c"}),
    ],
)
def test_only_a_new_secret_is_shown(value: DestinationSecrets, expected: dict[str, Any]) -> None:
    """A change that made none has no field for one."""
    shown = json.loads(msgspec.json.encode(destination_put(value)))

    assert shown == {"destination_id": PUBLIC, "version": 2, **expected}


def test_a_destination_that_lists_nothing_is_warned_of() -> None:
    """It would receive empty profiles."""
    (warning,) = destination_put(DestinationSecrets(ID, 1, lists_nothing=True)).warnings

    assert warning.code == "nothing_listed"


def test_a_rotation_always_has_a_secret() -> None:
    """And a callback secret where the destination has a callback."""
    assert destination_secret(DestinationSecrets(ID, 1, secret="s")).callback_secret is None
    assert destination_secret(DestinationSecrets(ID, 1, secret="s", callback_secret="c")).secret == "s"


@pytest.mark.parametrize(("profile", "expected"), [(ProfileId(b"p" * 16), "prf_" + "70" * 16), (None, None)])
def test_a_gap_names_the_person_where_there_is_one(profile: ProfileId | None, expected: str | None) -> None:
    """The identifier may lead nowhere."""
    shown = gap_explained(MissingTrait(destination=ID, trait="plan", profile=profile, stopped_at="linked", gates=[]))

    assert (shown.destination_id, shown.profile_id, shown.stopped_at) == (PUBLIC, expected, "linked")
