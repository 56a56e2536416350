"""Certificates for servers of the tests, made with openssl."""

import pathlib
import subprocess


def make_certificates(directory: pathlib.Path, names: str = "IP:127.0.0.1"):
    """An authority, ca.pem, and what it vouches for: server.pem with server.key, for these subjectAltNames."""
    new = ["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes"]
    sign = ["openssl", "x509", "-req", "-days", "2"]
    (directory / "names").write_text(f"subjectAltName={names}\n")
    for command in [
        [*new, "-x509", "-days", "2", "-subj", "/CN=test CA", "-keyout", "ca.key", "-out", "ca.pem"],
        [*new, "-subj", "/CN=test server", "-keyout", "server.key", "-out", "server.csr"],
        [*sign, "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
         "-extfile", "names", "-out", "server.pem"],
    ]:
        subprocess.run(command, cwd=directory, check=True, capture_output=True, timeout=60)
