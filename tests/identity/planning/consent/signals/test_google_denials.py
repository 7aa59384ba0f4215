"""A part of a Google consent mode that cannot be read denies the types that it may deny, and grants none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.consent.signals import google
from identity.planning.consent.signals.google_denials import CLASSES, PARTS, denied_within, types_like

ADS, ALL = set(PARTS["ads"]), set(CLASSES)
WORDS = st.sampled_from(["ad_storage", "adStorge", "ads", "default", "x", "granted", "denied", "type", "region"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS | st.text(st.characters(), max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
)


def denied(signal: object) -> set[str]:
    """The types that a consent mode denies; it grants none, and has a member that is listed."""
    mode = google.decode(signal)
    assert not any(mode.granted.values())
    assert mode.unread
    return set(mode.granted)


@pytest.mark.parametrize(
    ("name", "types"),
    [
        *((name, {"personalization_storage"}) for name in ("personalisation_storage", "personalisationStorage")),
        *((name, {"ad_personalization"}) for name in ("ad_personalisation", "adPersonalisation", "adsPersonalization")),
        *((name, {"ad_storage"}) for name in ("ad_storge", "ads_storage", "ad_storages", "adStoarge", "ad_storage_v2")),
        *((name, {"ad_user_data"}) for name in ("ad_userdata", "ads_user_data", "ad_usr_data", "userData")),
        *((name, {"analytics_storage"}) for name in ("analitics_storage", "analytics", "gcm[analytics_storage]")),
        ("functional", {"functionality_storage"}),
        ("personalization", {"ad_personalization", "personalization_storage"}),
        ("ads", ADS),
        ("storage", ALL - {"ad_user_data", "ad_personalization"} | {"security_storage"}),
    ],
)
@pytest.mark.parametrize("answer", ["denied", False, "no", ["granted"], {"value": "denied"}])
def test_a_misspelt_type_denies_each_type_that_it_may_mean(name: str, types: set[str], answer: object) -> None:
    """By any answer but a grant, also where the type itself is granted beside it, and in a command."""
    assert denied({name: answer}) == types
    assert denied(["consent", "update", {name: answer}]) == types
    granted = google.decode({**dict.fromkeys(types, "granted"), name: answer}).granted
    assert granted == dict.fromkeys(types, False)
    assert google.decode({name: "granted", "ad_storage": "granted"}).granted == {"ad_storage": True}


@pytest.mark.parametrize(
    ("signal", "types"),
    [
        (["consent", "update", {"ad_storage": "denied", "analytics_storage": "granted"}], {"ad_storage"}),
        ([["consent", "default", {"ad_storage": "denied"}], ["consent", "update", {"ad_user_data": False}]],
         {"ad_storage", "ad_user_data"}),
        ({"consent": ["update", {"ad_storage": "denied"}]}, {"ad_storage"}),
        ({"gtag": {"consent": {"update": {"ad_storage": "denied"}}}}, {"ad_storage"}),
        ([["ad_storage", "denied"], ["analytics_storage", "granted"]], {"ad_storage"}),
        ([{"type": "ad_storage", "value": "denied"}, {"type": "ad_user_data", "value": "granted"}], {"ad_storage"}),
        ({"denied": ["ad_storage"], "granted": ["analytics_storage"]}, {"ad_storage"}),
        ({"denied": "ad_storage"}, {"ad_storage"}),
        ('{"ad_storage":"denied"}', {"ad_storage"}),
        ("ad_storage=denied", {"ad_storage"}),
        (["ad_storage"], {"ad_storage"}),
        *((signal, ALL) for signal in ("denied", "Denied ", False, ["denied"], {"marketing": "no"}, {"all": False})),
        ({"\u0430d_storage": "denied"}, ALL),
    ],
)  # fmt: skip
def test_another_form_denies_what_it_names_or_all(signal: object, types: set[str]) -> None:
    """The value or the member is listed."""
    assert denied(signal) == types


@pytest.mark.parametrize(
    "member",
    [
        {"version": 2}, {"version": "2", "cmp": "acme"}, {"waitForUpdate": False}, {"wait_for_updte": 500},
        {"regions": ["DE"]}, {"ad_storage_v2": "granted"}, {"granted": ["ad_user_data"]}, {"denied": []},
        {"mode": "advanced"}, {"security": "denied"}, {"denied": None},
    ],
)  # fmt: skip
def test_a_member_that_denies_no_type_voids_no_grant(member: dict[str, object]) -> None:
    """The member is listed."""
    mode = google.decode({"ad_storage": "granted", **member})
    assert google.statements(mode) == {"ads": True}
    assert mode.unread == tuple(member)


@given(VALUES)
def test_any_value_denies_known_types_alone(value: object) -> None:
    """Whatever its form."""
    assert denied_within(value) <= google.TYPES


@given(st.text(st.characters(), max_size=80))
def test_a_name_stands_for_known_types_alone(name: str) -> None:
    """Or for none."""
    assert set(types_like(name)) <= google.TYPES
