"""A domain in other letters than ASCII is looked at before the codec, whose time grows with the text."""

import pytest

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
