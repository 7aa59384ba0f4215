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


@pytest.mark.parametrize("mode", [{1: "granted"}, {"ads": "granted"}, {"adStorage": None}, {"update": "granted"}])
def test_a_member_that_is_no_type_states_nothing(mode: dict[object, object]) -> None:
    """An unknown type is listed."""
    found = google.decode(mode)

    assert (found.granted, len(found.unread)) == ({}, 1)


@pytest.mark.parametrize(
    "answer", ["Granted", "granted ", "declined", "yes", "no", "", True, 0, 1, ["granted"], {"value": "denied"}, {}]
)
@pytest.mark.parametrize("name", ["ad_storage", "ad_user_data", "ad_personalization", "analytics_storage"])
def test_a_type_whose_answer_cannot_be_read_counts_as_denied(name: str, answer: object) -> None:
    """So the class gets no grant from the types beside it; the type is listed. In another spelling as well."""
    beside = dict.fromkeys([each for each in google.CLASSES if each != name], "granted")
    class_ = google.CLASSES[name]
    for mode in ({**beside, name: answer}, {name: answer}):
        found = google.decode(mode)
        assert (google.statements(found)[class_], found.unread) == (False, (name,))
    for other in ({name.replace("_", "-"): answer}, {"update": {name: answer}}):
        assert google.statements(google.decode({**beside, **other}))[class_] is False


def test_an_absent_answer_states_nothing() -> None:
    """Null is absent: an update of the other types changes nothing of this one."""
    found = google.decode({"ad_storage": None, "ad_user_data": "granted"})

    assert (found.granted, found.unread) == ({"ad_user_data": True}, ())


@pytest.mark.parametrize("answer", ["denied", "Denied", "DENIED ", False])
def test_a_denial_may_have_capitals_and_blanks(answer: object) -> None:
    """Since a denial is never too much."""
    assert google.decode({"ad_storage": answer}).granted == {"ad_storage": False}


@pytest.mark.parametrize("mode", [None, {}, [], [{}], "granted", "G100", True, ["consent", "update", {}]])
def test_a_value_that_is_no_consent_mode_and_denies_nothing_is_refused(mode: object) -> None:
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
    "signal", [{"adStorage": "granted"}, {"update": {"ad_storage": "granted"}}, {"other": {"ad_storage": "granted"}}]
)
def test_no_grant_counts_there(signal: dict[str, Any]) -> None:
    """The member is listed alone."""
    assert google.decode(signal).granted == {}
