"""`onefold` on a clock that was set back by a year: `python -m tests.end_to_end.attacks.clock_set_back serve`."""

import time

YEAR = 365 * 24 * 3_600

_time, _time_ns = time.time, time.time_ns
vars(time).update(time=lambda: _time() - YEAR, time_ns=lambda: _time_ns() - YEAR * 10**9)

if __name__ == "__main__":
    from app.cli import main

    main()
