"""Runs a command and says what it cost, as JSON on standard output.

It is a small process of its own because Linux counts the memory of whoever starts a command as the command's.
"""

import json
import resource
import subprocess
import sys
import time


def main() -> int:
    """Run the words of the command line; leaves as they leave."""
    began = time.perf_counter()
    code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=False).returncode
    seconds, used = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    json.dump({"seconds": seconds, "processor": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss / 1024}, sys.stdout)
    return code


if __name__ == "__main__":
    sys.exit(main())
