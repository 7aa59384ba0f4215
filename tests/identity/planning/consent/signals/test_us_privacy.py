"""The US Privacy string: four characters, of which one answer denies."""

import pytest

from identity.planning.consent.signals import us_privacy
from identity.planning.consent.signals.classes import Statements
from identity.values.errors import BadSignal

OUT: Statements = {"ads": False, "sale_share": False}


@pytest.mark.parametrize(
    "text", ["", "1", "1YN", "1YNNN", "2YNN", "1YXN", "1Y YN", "1Y\u2013N", "1" * 1_000_000, b"1YYN", 1]
)
def test_malformed_us_privacy_strings_are_refused(text: object) -> None:
    """Anything but version 1 in four characters."""
    with pytest.raises(BadSignal):
        us_privacy.decode(text)


@pytest.mark.parametrize("text", ["1YYN", "1yyn", "1yYn", " 1YYN", "1YYN\n"])
def test_small_letters_and_blanks_opt_out_as_well(text: str) -> None:
    """As browsers and forms write them."""
    assert us_privacy.statements(us_privacy.decode(text)) == OUT
