"""The type of a JSON object whose keys belong to the customer: traits, properties, rules, bodies of calls.

An object with keys of our own has a struct instead.
"""

from typing import Any, TypeAlias

JsonObject: TypeAlias = dict[str, Any]
