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
    ("lines", "opts_out"),
    [
        ([b"1"], True),
        ([b"0", b"1"], True),
        ([b"true", b"1"], True),
        ([], False),
        ([b""], False),
        ([b"0", b"0"], False),
        ([b"true"], None),
        ([b"false"], None),
        ([b"0", b"2"], None),
        ([b"1, 1"], None),
        ([b"\xff"], None),
    ],
)
def test_the_lines_of_a_header_opt_out_state_nothing_or_cannot_be_read(
    lines: list[bytes],
    opts_out: bool | None,  # noqa: FBT001
) -> None:
    """An opt-out counts beside any other line."""
    assert gpc.read_header(lines) is opts_out


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
