"""A domain is looked at by its length and its letters before the codec, whose time grows with the text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.values.identifiers import EMAIL, normalise
from identity.values.plain_text import UnusableValue


@pytest.mark.parametrize(
    "domain",
    [".".join(["\u00e9"] * 120), "\u00e9" * 240 + ".de", ".".join(["\u6f22" * 59] * 4), "xn--" + "a" * 240 + ".de"],
)
def test_a_domain_beyond_the_longest_is_not_encoded(domain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The codec takes milliseconds for each, and every one of its results would be too long."""
    monkeypatch.setattr("idna.alabel", None)

    with pytest.raises(UnusableValue):
        normalise(EMAIL, f"a@{domain}", "US")


def test_the_longest_domain_is_encoded() -> None:
    """Labels of 63 characters in ASCII, and 253 in all."""
    label = "\u00e9" + "a" * 55
    domain = ".".join([label] * 3 + ["de"])

    found = normalise(EMAIL, f"a@{domain}", "US")

    assert [len(each) for each in found.partition("@")[2].split(".")] == [63, 63, 63, 2]


@given(st.lists(st.text("ab1-", max_size=5) | st.sampled_from(["a" * 63, "a" * 64, "xn--a"]), max_size=6))
def test_a_domain_of_plain_labels_is_kept_if_each_label_is_one(labels: list[str]) -> None:
    """A label has 1 to 63 letters, digits and hyphens, no hyphen at its ends and no prefix of an encoded name."""
    domain = ".".join(labels)
    usable = len(labels) > 1 and all(
        0 < len(label) <= 63 and label[0] != "-" != label[-1] and not label.startswith("xn--") for label in labels
    )
    try:
        kept = normalise(EMAIL, f"ann@{domain}", "") == f"ann@{domain}"
    except UnusableValue:
        kept = False
    assert kept == (usable and len(domain) <= 253)
