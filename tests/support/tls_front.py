"""nginx in front of a server that speaks plain HTTP/1.1: TLS with an authority of its own, and HTTP/2."""

import contextlib
import os
import pathlib
import socket

from support.certificates import make_certificates
from support.processes import Process, free_port, wait_until


class TlsFront(Process):
    """Its certificate is for 127.0.0.1, not for any name. `http2=False`: it speaks HTTP/1.1 alone."""

    def __init__(self, directory: pathlib.Path, behind: str, http2: bool = True):
        directory.mkdir(parents=True, exist_ok=True)
        super().__init__(directory, "nginx")
        self.port = free_port()
        make_certificates(directory)
        kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        paths = "\n".join(f"  {kind}_temp_path {directory}/{kind};" for kind in kinds)
        (directory / "nginx.conf").write_text(f"""\
daemon off;
{"user root;" if os.geteuid() == 0 else ""}
worker_processes 1;
pid {directory}/nginx.pid;
error_log stderr error;
events {{ worker_connections 512; }}
http {{
{paths}
  log_format calls '$server_protocol $connection';
  access_log {directory}/calls.log calls;
  server {{
    listen 127.0.0.1:{self.port} ssl {"http2" if http2 else ""};
    ssl_certificate {directory}/server.pem;
    ssl_certificate_key {directory}/server.key;
    location / {{ proxy_pass {behind}; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
""")

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca_file(self) -> str:
        return str(self.directory / "ca.pem")

    def __enter__(self) -> "TlsFront":
        self.spawn(["nginx", "-p", self.directory, "-e", "stderr", "-c", self.directory / "nginx.conf"])
        wait_until(self._accepts, 10, "nginx")
        return self

    def __exit__(self, *_):
        self.stop()

    def _accepts(self) -> bool:
        assert self.running(), self.log()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def calls(self) -> list[tuple[str, str]]:
        """Of each call that was answered the protocol and the number of its connection."""
        return [tuple(line.split()) for line in (self.directory / "calls.log").read_text().splitlines()]
