"""Ids of purposes that look alike, or stand for another thing than they show."""

import pytest

from identity.planning.consent.alike_purposes import _FOREIGN, _LATIN, require_distinct_ids
from identity.planning.consent.purposes import compile_purposes
from identity.values.errors import BadPurposes


def check(*ids: str) -> None:
    """Check a new document of these ids."""
    require_distinct_ids(compile_purposes({"purposes": [{"id": id_, "class": "ads"} for id_ in ids]}, 1))


@pytest.mark.parametrize(
    "id_", ["*", "ads*", "m\u0430rketing", "\u0410DS", "\u03bfffers", "\u3164", "\u2800", "\u034f", "\ufe0f"]
)
def test_an_id_that_shows_another_thing_is_refused(id_: str) -> None:
    """A pattern, a mix of scripts that look alike, and an id that shows nothing."""
    with pytest.raises(BadPurposes, match=r"purposes\[0\].id"):
        check(id_)


@pytest.mark.parametrize(
    "ids",
    [
        ("cop", "\u0441\u043e\u0440"),
        ("COP", "\u0441\u043e\u0440"),
        ("co-p", "\u0421\u041e\u0420"),
        ("\u0441\u043e\u0440", "cop"),
        ("vova", "\u03bd\u03bf\u03bd\u03b1"),
        ("\u0441\u043e\u0440", "\u03f2\u03bf\u03c1"),
    ],
)
def test_an_id_in_letters_of_another_script_looks_alike(ids: tuple[str, str]) -> None:
    """In both orders, in capitals, and of two scripts beside Latin."""
    with pytest.raises(BadPurposes, match=r"purposes\[1\].id looks like purposes\[0\].id"):
        check(*ids)


def test_ids_of_one_script_each_are_taken() -> None:
    """Latin letters beside Chinese and Japanese ones are no mix of letters that look alike."""
    check(
        "marketing",
        "\u0440\u0435\u043a\u043b\u0430\u043c\u0430",
        "\u03b4\u03b9\u03b1\u03c6",
        "A/B\u6d4b\u8bd5",
        "\u00b5-target",
        "Werbung \u00fcber E-Mail",
    )


def test_each_foreign_letter_has_one_letter_of_latin() -> None:
    """The two lists of the skeleton are of one length."""
    assert len(_FOREIGN) == len(_LATIN) == len(set(_FOREIGN))
