"""The settings that browser and mobile SDKs load at their start, in the format of Segment."""

from msgspec import Struct

from identity.values.json import JsonObject


class SdkSettings(Struct, rename="camel"):
    """The settings of an SDK: one integration, this server, and no other source of code."""

    integrations: JsonObject
    plan: JsonObject
    edge_function: JsonObject
    enabled_middleware: JsonObject
    metrics: JsonObject
    legacy_video_plugins_enabled: bool
    remote_plugins: list[JsonObject]
    middleware_settings: JsonObject
    consent_settings: JsonObject
