"""Global Privacy Control: the values of the header that opt out."""

import pytest

from identity.planning.consent.signals import gpc


@pytest.mark.parametrize(
    "value", ["0", "true", "1,1", '"1"', "01", "", " 1", "1 ", "\uff11", b"0", b"1,1", None, 1, True]
)
def test_other_values_of_the_header_are_no_opt_out(value: object) -> None:
    """Even similar ones."""
    assert not gpc.is_opt_out_header(value)


@pytest.mark.parametrize("value", ["1", b"1"])
def test_the_value_1_of_the_header_is_an_opt_out(value: object) -> None:
    """As text or bytes."""
    assert gpc.is_opt_out_header(value)


@pytest.mark.parametrize(
    ("value", "opts_out"),
    [
        (True, True),
        (1, True),
        (" TRUE ", True),
        (None, False),
        ("", False),
        (0, False),
        ("2", None),
        (2, None),
        ([], None),
    ],
)  # fmt: skip
def test_a_field_opts_out_states_nothing_or_cannot_be_read(value: object, opts_out: bool | None) -> None:  # noqa: FBT001
    """The three results stay apart, so that an unreadable field is listed."""
    assert gpc.read_field(value) is opts_out
