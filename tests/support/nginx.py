"""The CRM's domain: a real nginx with the configuration that `local.proxy` hands out, before a CRM and the API."""

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from local import proxy
from local.environment import TEMPLATE
from local.gateway import Gateway
from local.sam import free_port

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
CONFIGURATION = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass {crm}; }}
        location /crm/ {{ proxy_pass {crm}; }}
        include {folder}/hosting.conf;
    }}
}}
"""


@contextmanager
def fronted(crm: Any, folder: Path) -> Iterator[int]:
    """The port on which nginx stands before this CRM, a WSGI application, and the API, while the block lasts."""
    port = free_port()
    with _serving(crm) as crm_url, _serving(Gateway(TEMPLATE)) as api_url:
        (folder / "hosting.conf").write_text(proxy.nginx(api_url))
        configuration = folder / "nginx.conf"
        configuration.write_text(CONFIGURATION.format(folder=folder, port=port, crm=crm_url))
        process = subprocess.Popen([str(NGINX), "-c", str(configuration), "-p", str(folder)])
        try:
            _wait_until_it_listens(port)
            yield port
        finally:
            process.terminate()
            process.wait()


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        pass


@contextmanager
def _serving(application: Any) -> Iterator[str]:
    """The URL of the WSGI application while the block lasts."""
    server = make_server("127.0.0.1", 0, application, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _wait_until_it_listens(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert time.monotonic() < deadline, "nginx does not listen"
            time.sleep(0.02)
        else:
            return
