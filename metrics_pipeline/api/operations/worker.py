"""One of several API processes: serves on a listener it was handed, until told to stop or its parent is gone.

Run as `python -m metrics_pipeline.api.operations.worker DESCRIPTOR` by `workers.Workers`, with the settings in the
environment and a pipe from the parent as standard input.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading

from metrics_pipeline.api.server import serve_on
from metrics_pipeline.errors import RunFailedError, UserError
from metrics_pipeline.settings import load_settings

FAILED = 1


def main() -> None:
    """Serve, with an exit status as the command has."""
    threading.Thread(target=_stop_without_parent, name="parent", daemon=True).start()
    try:
        with socket.socket(fileno=int(sys.argv[1])) as listener:
            serve_on(load_settings(), listener)
    except (UserError, RunFailedError) as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(FAILED)


def _stop_without_parent() -> None:
    """The pipe ends with the parent, however that ended: nobody keeps the port then."""
    # by its number: a thread inside sys.stdin's own lock would be in the way when the interpreter ends
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
