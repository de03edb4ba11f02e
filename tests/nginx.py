"""A real nginx on loopback with the checkout's own deploy/nginx.conf, all its files in a folder of the test's."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

MISSING = "this needs nginx: as root, type apt-get install -y nginx-light"
ROOT = Path(__file__).resolve().parent.parent
AROUND = """
daemon off; master_process on; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log; {user}
events {{ worker_connections 256; }}
http {{
    access_log off; sendfile on;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port}; server_name localhost;
        location /_static/ {{ alias {media}/; default_type video/mp4; }}
        include {folder}/colloquy.conf;
    }}
}}
"""


@dataclass(frozen=True)
class Nginx:
    """Where it answers. Below `/_static/` it sends the folder to anybody."""

    port: int
    master: int

    @property
    def worker(self) -> int:
        """The process that reads files."""
        return int(Path(f"/proc/{self.master}/task/{self.master}/children").read_text().split()[0])


def program() -> str | None:
    """nginx, if there is one."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


@contextmanager
def running(folder: Path, app_port: int, media: Path) -> Iterator[Nginx]:
    """nginx before what listens on `app_port`, with the films in `media`. Fails the test where nginx is missing."""
    command = program()
    if command is None:
        pytest.fail(MISSING, pytrace=False)
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    (folder / "colloquy.conf").write_text(_own(app_port, media), encoding="utf-8")
    user = "user root;" if os.geteuid() == 0 else ""
    text = AROUND.format(folder=folder, port=port, media=media, user=user)
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    options = ["-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    process = subprocess.Popen([command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(process, port, folder)
        yield Nginx(port, process.pid)
    finally:
        process.terminate()
        process.wait(20)


def _own(app_port: int, media: Path) -> str:
    """What the checkout hands to people, with the two values that it tells them to replace."""
    text = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    for told, here in (("127.0.0.1:8000", f"127.0.0.1:{app_port}"), ("/srv/colloquy/instance/media", str(media))):
        assert text.count(told) == 1, told
        text = text.replace(told, here)
    return text


def _wait(process: "subprocess.Popen[bytes]", port: int, folder: Path) -> None:
    until = time.monotonic() + 20
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None or time.monotonic() > until:
            log = folder / "error.log"
            pytest.fail(f"nginx did not start: {log.read_text() if log.exists() else ''}", pytrace=False)
        time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
