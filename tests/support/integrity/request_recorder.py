"""Takes the requests of the leak scan in place of a server, to see what they carry."""

from collections.abc import Mapping
from typing import Any

from app.commands.leak_scan.planted_values import PlantedValues
from app.commands.leak_scan.planter import PlantedPerson, Planter

PERSON = PlantedPerson(
    user="zuser", anonymous="zanonymous", email="zmail@zdomain.example", phone="+4915", group="zgroup"
)


class Recorder:
    """Takes every request, answers with all that was sent so far, and with an id of each kind."""

    def __init__(self, status: int = 200) -> None:
        self.sent = ""
        self.routes: set[tuple[str, str]] = set()
        self.status = status

    def __call__(
        self, key: str, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """The status of the recorder."""
        self.routes.add((method, path.partition("?")[0]))
        self.sent += repr((key, method.lower(), path, body, headers))
        ids = "".join(f"{prefix}_{'0' * 32} " for prefix in ("exp", "ers", "job"))
        return self.status, f'{self.sent} {ids} "done"'.encode()

    def send_raw(self, content: bytes) -> bytes:
        """No answer."""
        self.sent += repr(content)
        return b""


def recording(status: int = 200) -> tuple[Planter, Recorder]:
    """A planter, and the recorder that answers it."""
    recorder = Recorder(status)
    return Planter(PlantedValues(), recorder), recorder


def unsent(planter: Planter, recorder: Recorder) -> set[str]:
    """The names of the values that no request carries."""
    sent = recorder.sent.replace("+", "")
    return {name for name, value in planter.values.by_name.items() if value not in sent}
