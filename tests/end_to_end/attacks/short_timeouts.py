"""`onefold` with short timeouts: `python -m tests.end_to_end.attacks.short_timeouts serve`."""

from typing import Final

from app.cli import main
from app.http import body, protocol

SECONDS: Final = 2.0

vars(protocol).update(HEAD_SECONDS=SECONDS, REST_SECONDS=SECONDS)
vars(body).update(BODY_SECONDS=SECONDS)

if __name__ == "__main__":
    main()
