"""Explains invalid parameters: what each may be, with its bounds, and never its value."""

from collections.abc import Sequence
from typing import Any, Literal, get_args, get_origin

from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute


def describe_faults(route: object, faults: Sequence[Any]) -> str:
    """One sentence for each parameter that the framework refused: what is allowed, never the value."""
    fields = _described(route) if isinstance(route, APIRoute) else {}
    sentences = []
    for fault in faults:
        where, name = (*map(str, fault["loc"][:2]), "")[:2]
        place = {"header": "header", "path": "part of the path"}.get(where, "query parameter")
        allowed = fields.get((where, name.lower()), "have another value")
        missing = " is missing; it" if fault["type"] == "missing" else ""
        sentences.append(f"The {place} `{name}`{missing} must {allowed}.")
    return " ".join(dict.fromkeys(sentences))


def _described(route: APIRoute) -> dict[tuple[str, str], str]:
    return {
        (place_of(field), field.alias.lower()): _allowed(bare(field.field_info.annotation), field.field_info.metadata)
        for field in get_flat_params(route.dependant)
    }


def place_of(field: Any) -> str:
    """The part of a request that holds a parameter: `query`, `header` or `path`."""
    return str(field.field_info.in_.value)


def bare(annotation: Any) -> Any:
    """An annotation without None."""
    kinds = [each for each in get_args(annotation) if each is not type(None)]
    optional = type(None) in get_args(annotation) and len(kinds) == 1
    return kinds[0] if optional else annotation


def _allowed(kind: Any, limits: Sequence[Any]) -> str:
    """What a parameter must be, in words that follow `must`."""
    if get_origin(kind) is Literal:
        return f"be one of {', '.join(map(str, get_args(kind)))}"
    if kind is bool:
        return "be true or false"
    low, high = _limit(limits, "ge"), _limit(limits, "le")
    if kind in (int, float):
        number = "a whole number" if kind is int else "a number"
        return f"be {number} from {low:,} to {high:,}" if low is not None and high is not None else f"be {number}"
    least, most = _limit(limits, "min_length") or 0, _limit(limits, "max_length")
    if most is None:
        return f"have {least} characters or more" if least else "be text"
    return f"have {least} to {most:,} characters"


def _limit(limits: Sequence[Any], name: str) -> Any:
    return next((getattr(each, name) for each in limits if hasattr(each, name)), None)
