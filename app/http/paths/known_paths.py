"""The paths of all routes: which methods a path has, and which route a wrong path probably means.

A constant path is its own, also where a route with a parameter would match it: nobody is called `lookup`, so a GET of
`/v1/profiles/lookup` uses the wrong method. A suggestion is a template and repeats nothing of the request.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from identity.values.unknown_names import closest

PREFIX: Final = "/v1"
_CLOSE: Final = 0.75
_SLASHES: Final = re.compile("/{2,}")
_PARAMETER: Final = re.compile(r"\{[^}]*\}")


class KnownPaths:
    """The templates of all routes with their methods; a HEAD is served wherever a GET is."""

    def __init__(self, routes: Iterable[tuple[str, Iterable[str]]]) -> None:
        self._methods: dict[str, set[str]] = {}
        for template, methods in routes:
            self._methods.setdefault(template, set()).update(methods)
        for known in self._methods.values():
            if "GET" in known:
                known.add("HEAD")
        self._patterns = {template: _pattern(template) for template in self._methods if "{" in template}

    def methods(self, path: str) -> frozenset[str]:
        """The methods of a path; none where no route has the path."""
        if path in self._methods:
            return frozenset(self._methods[path])
        found = [self._methods[each] for each, pattern in self._patterns.items() if pattern.fullmatch(path)]
        return frozenset(set().union(*found))

    def shadowed(self, path: str, method: str) -> bool:
        """Whether a path is a constant one that lacks a method, and a route with a parameter would take the request."""
        own = self._methods.get(path)
        return own is not None and "{" not in path and method not in own

    def nearest(self, path: str) -> str | None:
        """The template that a path without a route probably means; None where none is similar."""
        return self.differently_begun(path) or _most_similar(path, self._methods)

    def differently_begun(self, path: str) -> str | None:
        """The template that a path has with single slashes, none at its end, or with or without the version."""
        path_ = _SLASHES.sub("/", path).rstrip("/")
        for tried in (path_, PREFIX + path_, path_.removeprefix(PREFIX)):
            if tried != path and self.methods(tried):
                return self._template(tried)
        return None

    def _template(self, path: str) -> str:
        if path in self._methods:
            return path
        return next(each for each, pattern in self._patterns.items() if pattern.fullmatch(path))


def _pattern(template: str) -> re.Pattern[str]:
    parts = _PARAMETER.split(template)
    return re.compile("[^/]+".join(map(re.escape, parts)))


def _most_similar(path: str, templates: Mapping[str, object]) -> str | None:
    """The template with as many parts whose constant parts are most similar.

    Else the longest that begins like the path, or one that begins as the path and ends with a parameter.
    """
    parts = path.lower().strip("/").split("/")
    if parts[0] in ("v2", "v3", "api"):
        parts[0] = PREFIX.strip("/")
    whole = {each: _likeness(parts, each.strip("/").split("/")) for each in templates}
    begin = {each: _likeness(parts[: len(short)], short) for each in templates if (short := each.strip("/").split("/"))}
    best = max(sorted(whole), key=whole.__getitem__, default=None)
    if best is not None and whole[best] >= _CLOSE:
        return best
    close = [each for each, likeness in begin.items() if likeness >= _CLOSE]
    ends = [
        each for each in templates if each.endswith("}") and _likeness(parts, each.strip("/").split("/")[:-1]) >= _CLOSE
    ]
    return max(sorted(close), key=_specific, default=min(ends, default=None))


def _specific(template: str) -> tuple[int, int]:
    """The number of parts of a template, and of its constant parts."""
    parts = template.split("/")
    return len(parts), sum(not each.startswith("{") for each in parts)


def _likeness(parts: list[str], template: list[str]) -> float:
    """How like its least similar part is, from 0 to 1; parts of a single letter, and parameters, are like no other."""
    if len(parts) != len(template) or all(each == PREFIX.strip("/") for each in template):
        return 0.0
    likeness = [
        float(bool(part)) if known.startswith("{") else closest(part, known)
        for part, known in zip(parts, template, strict=True)
    ]
    return min(likeness)
