"""Reads a JSON document as the shape of a request, and explains what is wrong with another document.

Invariant: a field that no shape has is refused, at any depth, with the nearest known field; a field ignored in silence
would let a typo pass for a decision. A message names fields and allowed values, never a value of the request.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any, Final, TypeVar

import msgspec
from msgspec import inspect

from app.http.error_responses import Unreadable
from identity.values.plain_text import unreadable
from identity.values.unknown_names import hint, shown

Shape = TypeVar("Shape", bound=msgspec.Struct)
UNKNOWN: Final = "unknown_field"
_NAMED: Final = 3
_PLACE: Final = re.compile(r"(.*?)(?: - at `\$?(.*)`)?", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(.*)`")
_FLAG: Final = re.compile(r"Expected `bool( \| null)?`")
_STEP: Final = re.compile(r"\.?([^.\[\]]+)|\[[^\]]*\]")


def read_shape(document: Any, shape: type[Shape]) -> Shape:
    """A document as a shape. Unreadable, whose message names the place, the fault and the allowed values."""
    # The first ones are enough: the search for the nearest name of thousands would take long.
    unknown = list(islice(unknown_fields(document, _info(shape)), _NAMED + 1))
    if unknown:
        more = " More fields are unknown." if len(unknown) > _NAMED else ""
        raise Unreadable(UNKNOWN, " ".join(unknown[:_NAMED]) + more, 422)
    try:
        return msgspec.convert(document, shape)
    except msgspec.ValidationError as error:
        raise Unreadable("invalid_request", explain(str(error), _info(shape), document), 422) from None


def require_readable(**texts: str) -> None:
    """Refuse a field, by its name, whose text no person can read. Unreadable."""
    for field, text in texts.items():
        fault = unreadable(text)
        if fault is not None:
            raise Unreadable("invalid_request", f"{field} {fault}.", 422)


def unknown_fields(document: Any, info: inspect.Type, path: str = "") -> Iterator[str]:
    """A sentence for each field that a closed shape does not have, at any depth."""
    for each in _alternatives(info):
        if isinstance(each, inspect.StructType) and isinstance(document, dict):
            fields = {field.encode_name: field.type for field in each.fields}
            for name, value in document.items():
                if name in fields:
                    yield from unknown_fields(value, fields[name], f"{path}.{name}" if path else name)
                elif each.forbid_unknown_fields:
                    where = f" in {path}" if path else ""
                    field = shown(name, "with an unusual name", fields)
                    yield f"The field {field}{where} is unknown. {hint(name, fields)}"
        elif isinstance(each, inspect.DictType) and isinstance(document, dict):
            for value in document.values():
                yield from unknown_fields(value, each.value_type, f"{path}[...]")
        elif isinstance(each, inspect.ListType) and isinstance(document, list):
            for at, value in enumerate(document):
                yield from unknown_fields(value, each.item_type, f"{path}[{at}]")


def explain(fault: str, info: inspect.Type, document: Any = None) -> str:
    """The message for a fault that msgspec found, with the allowed values in place of the given one."""
    found = _PLACE.fullmatch(fault)
    text, path = (fault, "") if found is None else (found[1], (found[2] or "").lstrip("."))
    where = path or "The body"
    missing = _MISSING.fullmatch(text)
    if missing is not None:
        return f"The field `{missing[1]}` is missing{f' in {path}' if path else ''}."
    if text.startswith("Invalid enum value"):
        allowed = [str(value) for value in _literals(info, path)]
        return f"{where} must be one of {', '.join(allowed)}."
    allowed_kind = ""
    if (flag := _FLAG.match(text)) is not None:
        or_null = ", or null" if flag[1] else ""
        where, allowed_kind = _of_names(where, document), f"; send true or false, without quotes{or_null}"
    elif text.startswith("Expected `object`") and _holds_flags(info, path):
        allowed_kind = "; send an object of names, each with true or false"
    return f"{where}: {text[:1].lower()}{text[1:]}{allowed_kind}."


def _of_names(where: str, document: Any) -> str:
    """A place with the names of the members that are neither true nor false, where it is any member of an object."""
    holder = document.get(where.removesuffix("[...]")) if isinstance(document, dict) else None
    if not where.endswith("[...]") or not isinstance(holder, dict):
        return where
    wrong = [name for name, value in holder.items() if not isinstance(value, bool)]
    named = [shown(name, "...").strip("`") for name in wrong[:_NAMED]]
    return ", ".join(f"{where.removesuffix('[...]')}.{name}" for name in named)


def _holds_flags(info: inspect.Type, path: str) -> bool:
    """Whether a place takes an object whose members are true or false."""
    values = [each.value_type for each in _at(info, path) if isinstance(each, inspect.DictType)]
    return any(isinstance(each, inspect.BoolType) for value in values for each in _alternatives(value))


def _literals(info: inspect.Type, path: str) -> list[Any]:
    """The values that a place allows, where it allows a list of them."""
    return [value for each in _at(info, path) if isinstance(each, inspect.LiteralType) for value in each.values]


def _at(info: inspect.Type, path: str) -> list[inspect.Type]:
    """The types that a place allows."""
    here = list(_alternatives(info))
    for step in _STEP.finditer(path):
        here = [inner for each in here for inner in _step(each, step[1])]
    return here


def _step(info: inspect.Type, name: str | None) -> Iterator[inspect.Type]:
    if isinstance(info, inspect.StructType):
        for field in info.fields:
            if field.encode_name == name:
                yield from _alternatives(field.type)
    elif isinstance(info, inspect.ListType):
        yield from _alternatives(info.item_type)
    elif isinstance(info, inspect.DictType):
        yield from _alternatives(info.value_type)


def _alternatives(info: inspect.Type) -> Iterator[inspect.Type]:
    if isinstance(info, inspect.Metadata):
        yield from _alternatives(info.type)
    elif isinstance(info, inspect.UnionType):
        for each in info.types:
            yield from _alternatives(each)
    else:
        yield info


@cache
def _info(shape: type) -> inspect.Type:
    return inspect.type_info(shape)
