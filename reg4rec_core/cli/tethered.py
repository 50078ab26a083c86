"""`python -m reg4rec_core.cli.tethered NICENESS COMMAND ...` is `reg4rec COMMAND ...` for as long as its starter lives.

The starter holds the other end of this process's standard input and never writes to it. When the starter ends, however
it ends, the pipe closes and this process ends with it. It gives way to other processes by NICENESS, 0 to 19.
"""

import os
import sys
import threading

LOST = 3
"""Exit code when the starter has gone."""


def end_with_starter() -> None:
    """Wait until standard input closes, then end this process at once."""
    while os.read(0, 1024):
        pass
    os._exit(LOST)


def main() -> None:
    os.nice(int(sys.argv[1]))
    threading.Thread(target=end_with_starter, daemon=True).start()
    from reg4rec_core.cli import main as command

    command(sys.argv[2:])


if __name__ == "__main__":
    main()
