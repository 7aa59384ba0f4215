"""Calls of people, of their server, and of an attacker with a public key who knows their user ids and addresses.

She does not know the ids of their devices.
"""

from typing import Any, Final

from hypothesis import strategies as st

PEOPLE: Final = ("ann", "bob")
MAILS: Final = {"ann": "ann@x.org", "bob": "bob@x.org"}
NAMED: Final = [
    *(("user_id", each) for each in PEOPLE),
    *(("email", each) for each in MAILS.values()),
    *(("anonymous_id", f"{device}-of-{each}") for each in PEOPLE for device in ("phone", "tablet")),
]
consents: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.dictionaries(st.sampled_from("PQ"), st.booleans(), max_size=2).map(lambda each: {"categoryPreferences": each}),
    st.sampled_from(["US", "DE"]).map(lambda each: {"jurisdiction": each}),
)


def call(ids: dict[str, str], traits: dict[str, str], consent: dict[str, Any]) -> dict[str, Any]:
    """An identify call."""
    return {"type": "identify", **ids, "traits": traits, "context": {"consent": consent} if consent else {}}


@st.composite
def of_others(draw: Any) -> tuple[dict[str, Any], bool]:
    """A call of a person with a device of hers, signed in or not, or a call of the server about her."""
    who = draw(st.sampled_from(PEOPLE))
    device = draw(st.sampled_from(["phone", "tablet"]))
    if draw(st.booleans()):
        return call({"userId": who}, {"email": MAILS[who]}, draw(consents)), True
    ids = {"anonymousId": f"{device}-of-{who}"} | ({"userId": who} if draw(st.booleans()) else {})
    return call(ids, {}, draw(consents)), False


@st.composite
def of_attacker(draw: Any) -> dict[str, Any]:
    """A call of the attacker."""
    ids = {}
    if draw(st.booleans()):
        ids["userId"] = draw(st.sampled_from([*PEOPLE, "mallory"]))
    if draw(st.booleans()):
        ids["anonymousId"] = draw(st.sampled_from(["evil", "evil-too"]))
    traits = {}
    if draw(st.booleans()):
        traits["email"] = draw(st.sampled_from([*MAILS.values(), "mallory@x.org"]))
    return call(ids, traits, draw(consents))
