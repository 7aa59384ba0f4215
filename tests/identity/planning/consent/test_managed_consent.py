"""The ids of a consent manager of RudderStack: the denied ones deny, and one that cannot be read denies all."""

from typing import Any

import pytest

from identity.planning.resolution.extract import extract
from identity.planning.resolution.resolution_rules import DEFAULT_RULES
from identity.values.calls import MICRO, Call, Source
from identity.values.stamps import Micros

NOW = Micros(1_735_689_600 * MICRO)
GRANTED = {"categoryPreferences": {"Ads": True}}


def read(body: dict[str, Any]) -> Call:
    """The call in a body of a browser."""
    return extract(body, kind="page", rules=DEFAULT_RULES, received=NOW, sent_at=None, source=Source(1))


def test_the_denied_ids_of_a_consent_manager_of_rudderstack_deny() -> None:
    """Beside a statement of categories too; the allowed ids of a call without one are granted."""
    managed = {"allowedConsentIds": ["Mail"], "deniedConsentIds": ["Ads"], "provider": "custom"}
    assert read({"context": {"consentManagement": managed}}).consent == {"Mail": True, "Ads": False}
    assert read({"context": {"consentManagement": managed, "consent": GRANTED}}).consent == {"Ads": False}
    assert read({"context": {"consentManagement": {"deniedConsentIds": "Ads"}}}).consent == {}


@pytest.mark.parametrize(
    "body",
    [
        *({"context": {name: {"deniedConsentIds": ["Ads"]}}} for name in ("consent_management", "ConsentManagement")),
        *(
            {"context": {"consentManagement": {name: ["Ads"]}}}
            for name in ("deniedConsentIDs", "denied_consent_ids", "DeniedConsentIds", "deniedConsentId")
        ),
        *(
            {"context": {"consentManagement": value}}
            for value in (["Ads"], "denied", {"deniedConsentIds": "Ads"}, {"deniedConsentIds": ["Mail", 5]})
        ),
        {"consentManagement": {"deniedConsentIds": ["Ads"]}},
        {"context": {"consent": {"consentManagement": {"deniedConsentIds": ["Ads"]}}}},
    ],
)
def test_a_consent_manager_that_cannot_be_read_denies_all(body: dict[str, Any]) -> None:
    """By its spelling, its form or its place; the call lists it."""
    call = read(body)
    assert call.consent == {}
    assert [name.partition(":")[0] for name in call.invalid_signals] == ["consent"]
