"""`onefold` with short timeouts, as a program of the tests."""

from typing import Final

from app.cli import main
from app.http import body, protocol

SECONDS: Final = 2.0

vars(protocol).update(HEAD_SECONDS=SECONDS, REST_SECONDS=SECONDS)
vars(body).update(BODY_SECONDS=SECONDS)

__all__ = ["main"]
