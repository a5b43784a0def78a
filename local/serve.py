"""The gateway over HTTP: as many requests at once as there are execution environments."""

import errno
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

ENVIRONMENTS = 4
# API Gateway has given up on a function by then.
TIMEOUT_SECONDS = 30
# Workers of a run that was killed notice it within a second.
ORPHANS_LEAVE_SECONDS = 3


def listen(port: int) -> socket.socket:
    """Take the port, before anything else is started."""
    deadline = time.monotonic() + ORPHANS_LEAVE_SECONDS
    while True:
        try:
            return socket.create_server(("127.0.0.1", port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def serve(listener: socket.socket, template: Path, when_ready: Callable[[], None], is_demo: bool = False) -> None:
    """Serve until a signal comes, then exit the process."""
    parent = os.getpid()
    try:
        _Arbiter(_Application(listener, template, when_ready, is_demo)).run()
    except SystemExit as end:
        # A forked worker ends here too, and must not stop what its parent has started.
        if os.getpid() != parent:
            os._exit(int(end.code or 0) & 0xFF)
        raise


class _Arbiter(Arbiter):  # type: ignore[misc]
    # Ctrl-C lets the requests under way end; a terminal that is closed ends the run, where gunicorn
    # would reload and live on without it.
    handle_int = handle_hup = Arbiter.handle_term


class _Application(BaseApplication):  # type: ignore[misc]
    def __init__(self, listener: socket.socket, template: Path, when_ready: Callable[[], None], is_demo: bool) -> None:
        self.listener = listener
        self.is_demo = is_demo
        self.template = template
        self.when_ready = when_ready
        super().__init__()

    def load_config(self) -> None:
        settings = {
            "bind": f"fd://{self.listener.detach()}",
            # One request at a time in each, as Lambda has it; each imports the handlers itself.
            "worker_class": "sync",
            "workers": ENVIRONMENTS,
            "timeout": TIMEOUT_SECONDS,
            "loglevel": "warning",
            "accesslog": "-",
            "access_log_format": '"%(r)s" %(s)s %(M)s ms',
            "control_socket_disable": True,
            "post_fork": _post_fork,
            "post_worker_init": self._post_worker_init,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        from local.gateway import Gateway  # noqa: PLC0415 (in the worker, not before it is forked)
        from local.sign_in import SignIn  # noqa: PLC0415

        gateway = Gateway(self.template)
        return SignIn(gateway) if self.is_demo else gateway

    def _post_worker_init(self, worker: Any) -> None:
        for number in (signal.SIGINT, signal.SIGHUP):
            # The terminal sends them to every process; the arbiter alone decides.
            signal.signal(number, signal.SIG_IGN)
        if worker.age == 1:
            self.when_ready()


def _post_fork(_arbiter: Any, worker: Any) -> None:
    # How often an idle worker looks whether its parent is alive.
    worker.timeout = 1.0
