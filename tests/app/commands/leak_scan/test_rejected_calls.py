"""Values in calls that are not taken: the scan is void unless the list of rejections names them."""

from collections.abc import Mapping
from typing import Any

import pytest

from app.commands.leak_scan.planted_values import PlantedValues
from app.commands.leak_scan.planter import Planter
from app.commands.leak_scan.rejected_calls import plant_refused_requests, plant_rejected_calls
from identity.values.errors import DatabaseUnavailable
from tests.support.integrity.request_recorder import PERSON, Recorder, recording, unsent


class Forgetful(Recorder):
    """Answers nothing of what was sent."""

    def __call__(
        self, key: str, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """An empty list."""
        super().__call__(key, method, path, body, headers)
        return 200, b"[]"


def test_every_rejected_call_has_to_be_listed() -> None:
    """A server that lists nothing ends the scan, which would find nothing by mistake."""
    planter, recorder = recording()
    plant_rejected_calls(planter, PERSON)
    assert unsent(planter, recorder) == set()

    with pytest.raises(DatabaseUnavailable, match="rejections"):
        plant_rejected_calls(Planter(PlantedValues(), Forgetful()), PERSON)


def test_what_cannot_be_read_is_sent_to_every_collection_route() -> None:
    """Broken bodies, wrong keys, unknown addresses, and bytes that are no HTTP."""
    planter, recorder = recording(400)
    plant_refused_requests(planter)

    assert unsent(planter, recorder) == set()
    assert {path for _, path in recorder.routes} >= {"/v1/identify", "/v1/batch", "/v1/import", "/v1/track"}
    assert len(planter.refusals) > len(recorder.routes)
