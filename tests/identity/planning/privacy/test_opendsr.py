"""OpenDSR requests: strict, and an error names a field but never its value."""

from typing import Any

import pytest

from identity.planning.privacy.opendsr import IDENTITIES, format_request_id, parse_request_id, read
from identity.planning.resolution.event_time import CLOCK_ERROR, format_time
from identity.values.calls import MICRO
from identity.values.enums import Law
from identity.values.errors import BadRegulation
from identity.values.stamps import Micros

NOW = 1_790_000_000 * MICRO
ID = "8f2b1c6e-4d3a-4f5b-9c7d-0a1b2c3d4e5f"
ANN = {"identity_type": "email", "identity_value": "ann@x.org", "identity_format": "raw"}


def body(**changed: Any) -> dict[str, Any]:
    """A valid request of now with some fields changed."""
    return {
        "subject_request_id": ID,
        "subject_request_type": "erasure",
        "submitted_time": format_time(Micros(NOW)),
        "subject_identities": [ANN],
        **changed,
    }


def test_a_request_is_read_with_the_identifiers_of_the_person() -> None:
    """The law is optional, as in the published example."""
    subject = read(body(), Micros(NOW))

    assert (subject.identifiers, subject.regulation, subject.submitted_at) == (["email:ann@x.org"], Law.GDPR, NOW)
    assert format_request_id(subject.id) == ID


def test_an_id_may_have_capitals() -> None:
    """The answer has the id as the standard writes it."""
    assert format_request_id(parse_request_id(ID.upper())) == ID


def test_a_clock_that_is_a_little_ahead_does_not_move_the_deadline() -> None:
    """The deadline never runs from a time after the receipt."""
    assert read(body(submitted_time=format_time(Micros(NOW + CLOCK_ERROR))), Micros(NOW)).submitted_at == NOW
    with pytest.raises(BadRegulation, match="submitted_time"):
        read(body(submitted_time=format_time(Micros(NOW + CLOCK_ERROR + MICRO))), Micros(NOW))


@pytest.mark.parametrize(("law", "first"), [("gdpr", "2018-05-25T00:00:00Z"), ("ccpa", "2020-01-01T00:00:00Z")])
def test_nobody_asks_for_a_right_before_its_law(law: str, first: str) -> None:
    """A zero of a clock sets no deadline, under neither law; a request that is only late counts from its time."""
    moment = read(body(regulation=law, submitted_time=first), Micros(NOW)).submitted_at
    assert format_time(moment) == first.replace("Z", ".000Z")
    for old in (format_time(Micros(moment - 1_000)), "1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "1601-01-01"):
        with pytest.raises(BadRegulation, match=f"submitted_time (lies before {first[:10]}|must be)"):
            read(body(regulation=law, submitted_time=old), Micros(NOW))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("user_id", "Did you mean controller_customer_id?"),
        ("userId", "Did you mean controller_customer_id?"),
        ("android.idfa", "Did you mean android_advertising_id?"),
        ("mail", "Did you mean email?"),
        ("anonymous_id", "OpenDSR has no name for anonymous_id: erase the person with POST /v1/erasures."),
    ],
)
def test_a_type_of_ours_is_answered_with_its_name_in_opendsr(name: str, meant: str) -> None:
    """The two have different names for the same thing."""
    identity = {"identity_type": name, "identity_value": "u1", "identity_format": "raw"}
    with pytest.raises(BadRegulation) as refused:
        read(body(subject_identities=[identity]), Micros(NOW))
    assert meant in str(refused.value)


@pytest.mark.parametrize("law", [[], {}, None, 1, "GDPR", "lgpd"])
def test_an_unknown_law_is_named_whatever_its_type(law: Any) -> None:
    """Nothing but the name of a law is one."""
    with pytest.raises(BadRegulation, match="regulation must be one of gdpr, ccpa"):
        read(body(regulation=law), Micros(NOW))


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"subject_request_id": "ann@x.org"}, "subject_request_id"),
        ({"subject_request_id": ID.replace("-4f", "-1f")}, "subject_request_id"),
        ({"subject_request_type": "ann@x.org"}, "subject_request_type"),
        ({"submitted_time": "ann@x.org"}, "submitted_time"),
        ({"regulation": "ann@x.org"}, "regulation"),
        ({"subject_identities": []}, "subject_identities"),
        ({"subject_identities": ["ann@x.org"]}, r"subject_identities\[0\]"),
        (
            {"subject_identities": [ANN, {**ANN, "identity_format": "sha256"}]},
            r"subject_identities\[1\].identity_format",
        ),
        ({"subject_identities": [{**ANN, "identity_type": "mail"}]}, r"identity_type.*Did you mean email"),
        ({"subject_identities": [{**ANN, "identity_value": " "}]}, "identity_value"),
        ({"status_callback_urls": "ann@x.org"}, "status_callback_urls"),
        ({"status_callback_urls": ["https://x.org"] * 11}, "status_callback_urls"),
        ({"status_callback_urls": [1]}, "status_callback_urls"),
        ({"status_callback_urls": ["https://x.org/" + "x" * 2_000]}, "status_callback_urls.*2,000"),
        ({"controller_id": "x" * 256}, "controller_id.*255"),
    ],
)
def test_an_error_names_the_field_and_never_its_value(changed: dict[str, Any], field: str) -> None:
    """A message can reach a log."""
    with pytest.raises(BadRegulation, match=field) as refused:
        read(body(**changed), Micros(NOW))

    assert "ann" not in str(refused.value)


@pytest.mark.parametrize("type_", IDENTITIES)
def test_every_supported_identity_is_an_identifier(type_: str) -> None:
    """A value of any case and form is handed on as it is."""
    subject = read(body(subject_identities=[{**ANN, "identity_type": type_, "identity_value": "X 1"}]), Micros(NOW))

    assert subject.identifiers == [f"{IDENTITIES[type_]}:X 1"]
