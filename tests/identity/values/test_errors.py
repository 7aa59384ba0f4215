"""Errors: the docstring of each is its message, so no value of a call slips into one."""

import inspect

import pytest

from identity.values import errors
from identity.values.errors import OnefoldError

ERRORS = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, OnefoldError)]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_an_error_says_its_docstring_in_whole_sentences(error: type[OnefoldError]) -> None:
    """Every class has one of its own, with a stable code in lower case."""
    message = str(error())

    assert message == vars(error)["__doc__"]
    assert message.endswith(".")
    assert error.code == error.code.lower()
    assert error.code.replace("_", "").isalpha()


def test_the_code_is_the_name_of_the_class_unless_it_is_set() -> None:
    """A subclass has a code of its own."""
    assert (errors.KeyRenamed.code, errors.TooManyAsked.code) == ("key_renamed", "too_many_identifiers")
    assert str(errors.BadCall("The call is empty.")) == "The call is empty."
