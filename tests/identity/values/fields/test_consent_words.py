"""A name states an answer to a request for consent by its words, whatever their order and their joints."""

import pytest

from identity.values.fields.consent_words import GRANTS, OPT_OUTS, REFUSALS, stated_by_words

NAMES = {
    OPT_OUTS: "opt_out_tracking has_opted_out_tracking hasOptedOut isOptedOut optOutAll analyticsOptOut "
    "marketingOptOut adsOptOut optOutAnalytics OPT-OUT-ALL gdpr.optedout optsOut",
    GRANTS: "optIn opt_in optedIn marketingOptIn gdprOptIn cookieConsentGiven isConsentGiven didConsent "
    "acceptedConsent consentResult consentedToAll ccpaConsent hs_consent acceptAll all_accepted consentEnabled",
    REFUSALS: "consent_revoked_at rejectAll deniedConsents rejectedCategories optOutAt opt_out_date refusedCookies "
    "withdrawnConsents consent-withdrawal-date",
}
OTHERS = (
    "consentId consent_version consentBannerShown consentRequired requiresConsent consentMethod consentExpired "
    "emailOptIn sms_opt_out newsletterOptIn doubleOptIn optOutUrl termsAccepted orderAccepted rejected deniedCount "
    "adoption adoptInterval adopted_in option optimizely optional optInterval content accepted acceptLanguage "
    "consentManagerEnabled consentDate identity plan"
)


@pytest.mark.parametrize(("right", "name"), [(right, name) for right, names in NAMES.items() for name in names.split()])
def test_a_name_states_an_answer_by_its_words(right: str, name: str) -> None:
    """In one of the three ways in which an answer denies."""
    assert stated_by_words(name) == right


@pytest.mark.parametrize("name", OTHERS.split())
def test_the_name_of_another_thing_states_no_answer(name: str) -> None:
    """The banner, the proof, messages to a person, and words with the same letters."""
    assert stated_by_words(name) is None
