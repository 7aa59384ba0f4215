"""Google consent mode: the types that an object names, and the answers that count."""

from typing import Any

import pytest

from identity.planning.consent.signals import google
from identity.values.errors import BadSignal


@pytest.mark.parametrize(
    ("mode", "stated"),
    [
        ({"ad_storage": "granted"}, {"ads": True}),
        ({"ad_storage": "granted", "ad_user_data": "granted", "ad_personalization": "denied"}, {"ads": False}),
        ({"analytics_storage": "granted", "functionality_storage": "denied"}, {"analytics": True, "functional": False}),
        ({"personalization_storage": "granted"}, {"personalisation": True}),
        ({"security_storage": "granted"}, {}),
    ],
)
def test_google_consent_mode_grants_a_class_if_all_its_types_are_granted(
    mode: dict[str, str], stated: dict[str, bool]
) -> None:
    """An absent type states nothing."""
    assert google.statements(google.decode(mode)) == stated


@pytest.mark.parametrize(
    "mode",
    [
        {"ad_storage": "Granted"}, {"ad_storage": True}, {1: "granted"}, {"ads": "granted"},
        {"ad_storage": ["granted"]}, {"ad_storage": "granted "}, {"ad_storage": 1}, {"ad_storage": "yes"},
    ],
)  # fmt: skip
def test_an_answer_other_than_granted_never_grants(mode: dict[object, object]) -> None:
    """An unknown type, or a value other than the two, is listed."""
    found = google.decode(mode)

    assert (found.granted, len(found.unread)) == ({}, 1)


@pytest.mark.parametrize("answer", ["denied", "Denied", "DENIED ", False])
def test_a_denial_may_have_capitals_and_blanks(answer: object) -> None:
    """Since a denial is never too much."""
    assert google.decode({"ad_storage": answer}).granted == {"ad_storage": False}


@pytest.mark.parametrize("mode", [None, {}, [], "granted"])
def test_a_value_that_is_no_consent_mode_is_refused(mode: object) -> None:
    """An empty object, or none."""
    with pytest.raises(BadSignal):
        google.decode(mode)


@pytest.mark.parametrize(
    "signal",
    [
        {"adStorage": "denied"},
        {"AD_STORAGE": False},
        {"default": {"ad_storage": "denied"}},
        {"update": {"ad_storage": "granted", "adStorage": "denied"}},
        {"ad_storage": "granted", "update": {"ad_storage": "denied"}},
        {"update": {"ad_storage": "denied"}, "ad_storage": "granted"},
    ],
)
def test_a_denial_counts_in_another_spelling_and_in_a_command(signal: dict[str, Any]) -> None:
    """In any order; the member is listed."""
    mode = google.decode(signal)
    assert mode.granted == {"ad_storage": False}
    assert len(mode.unread) == 1


@pytest.mark.parametrize(
    "signal", [{"adStorage": "granted"}, {"update": {"ad_storage": "granted"}}, {"other": {"ad_storage": "denied"}}]
)
def test_no_grant_counts_there(signal: dict[str, Any]) -> None:
    """Nor a denial in an object of another name."""
    assert google.decode(signal).granted == {}
