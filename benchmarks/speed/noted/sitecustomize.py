"""What a process spends on starting, noted by itself: Python runs a module of this name before anything else.

Only where `CHURN_BENCHMARK_NOTES` names a folder. Starting is what lies between the birth of the process and this
module, and the seconds of all imports of the main thread, wherever they stand.
"""

import os


def _note(folder: str) -> None:
    """Time every import from now on, and leave a note in the folder when the process ends."""
    import atexit
    import builtins
    import json
    import resource
    import sys
    import threading
    import time
    from pathlib import Path

    ticks = int(Path("/proc/self/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[19])
    born = ticks / os.sysconf("SC_CLK_TCK")
    spent, depth = time.clock_gettime(time.CLOCK_BOOTTIME) - born, 0
    original, main = builtins.__import__, threading.get_ident()

    def timed(*arguments: object, **more: object) -> object:
        nonlocal spent, depth
        if depth or threading.get_ident() != main:
            return original(*arguments, **more)
        depth, began = 1, time.perf_counter()
        try:
            return original(*arguments, **more)
        finally:
            depth, spent = 0, spent + time.perf_counter() - began

    def leave() -> None:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        # Not ru_maxrss, which counts what the process was before it became this program.
        peak = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
        used = resource.getrusage(resource.RUSAGE_SELF)
        note = {
            "command": sys.orig_argv[1:],
            "wall_s": time.clock_gettime(time.CLOCK_BOOTTIME) - born,
            "cpu_s": used.ru_utime + used.ru_stime,
            "peak_mb": int(peak) / 1024,
            "start_s": spent,
        }
        (Path(folder) / f"{os.getpid()}.json").write_text(json.dumps(note), encoding="utf-8")

    builtins.__import__ = timed  # type: ignore[assignment]
    atexit.register(leave)


if os.environ.get("CHURN_BENCHMARK_NOTES"):
    _note(os.environ["CHURN_BENCHMARK_NOTES"])
