"""The type of a JSON object with keys of the customer: traits, properties, rules, bodies of calls.

An object with keys of Onefold has a struct instead, so that its shape is checked.
"""

from typing import Any, TypeAlias

JsonObject: TypeAlias = dict[str, Any]
