"""`make test`: every test but the long ones, in lanes beside each other, as most of them wait for servers.

Each lane is a pytest of its own with a Postgres of its own. What a lane says is shown whole when it ends;
the status is that of the worst of them. A folder that is in no lane is in the last.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).parent
LANES = (
    ("app",),
    ("sdk", "fuzz", "identity", "benchmarks", "leaks", "end_to_end"),
)
_LOOK = 0.5


def lanes() -> list[list[str]]:
    """The paths of each lane; together they are everything there is."""
    named = {name for lane in LANES for name in lane}
    there = sorted(
        path.name
        for path in TESTS.iterdir()
        if path.name not in named and (path.name.startswith("test_") or any(path.rglob("test_*.py")))
    )
    return [[str(TESTS / name) for name in lane] for lane in (*LANES, there)]


def main() -> int:
    """Runs all lanes; 0 where every test passed."""
    with tempfile.TemporaryDirectory() as folder:
        running = {}
        for nr, paths in enumerate(lanes()):
            print(f"lane {nr + 1}: {' '.join(Path(path).name for path in paths)}", flush=True)  # noqa: T201
            log = Path(folder) / str(nr)
            with log.open("wb") as out:
                command = [
                    sys.executable,
                    "-m",
                    "pytest",
                    "-o",
                    f"cache_dir=.pytest_cache/{nr}",
                    "--durations=12",
                    *paths,
                ]
                running[subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)] = log
        worst = 0
        while running:
            time.sleep(_LOOK)
            for process in [each for each in running if each.poll() is not None]:
                sys.stdout.write(running.pop(process).read_text(errors="replace"))
                sys.stdout.flush()
                worst = max(worst, abs(process.returncode))
        return min(worst, 255)


if __name__ == "__main__":
    sys.exit(main())
