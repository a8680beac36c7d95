"""`python clocked.py OUT COMMAND ...`: runs the command and writes what it took to OUT; ends as it ended.

A process of its own, and a small one, since a child's peak memory counts what its parent had when it was started.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path


def main(out: Path, command: list[str]) -> int:
    """The command's exit code."""
    began = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    took = {
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_s": round(used.ru_utime + used.ru_stime, 1),
        "peak_mb": round(used.ru_maxrss / 1024),
    }
    if process.returncode == 0:
        out.write_text(json.dumps(took), encoding="utf-8")
    return process.returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
