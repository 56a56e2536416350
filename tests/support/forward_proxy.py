"""A proxy that connects to whatever host it is asked for, as HTTPS_PROXY names one."""

import base64
import socket
import socketserver
import threading


class ForwardProxy:
    """Answers CONNECT by a tunnel, inside its `with` block. `login`: user:password, without which it refuses."""

    def __init__(self, login: str = "", refusal: str = ""):
        self.login = login
        self.refusal = refusal  # a status line that every request is answered with, such as "502 Bad Gateway"
        self.asked: list[str] = []  # request lines
        proxy = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                proxy._serve(self)

        class Listener(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._listener = Listener(("127.0.0.1", 0), Handler)

    def url(self, login: str = "") -> str:
        return f"http://{login + '@' if login else ''}127.0.0.1:{self._listener.server_address[1]}"

    def __enter__(self) -> "ForwardProxy":
        threading.Thread(target=self._listener.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown()
        self._listener.server_close()

    def _serve(self, handler: socketserver.StreamRequestHandler):
        request_line = handler.rfile.readline().decode().strip()
        headers = {}
        while line := handler.rfile.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        self.asked.append(request_line)
        wanted = "Basic " + base64.b64encode(self.login.encode()).decode()
        if self.refusal:
            return handler.wfile.write(f"HTTP/1.1 {self.refusal}\r\nContent-Length: 0\r\n\r\n".encode())
        if self.login and headers.get("proxy-authorization") != wanted:
            return handler.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                                       b"Proxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n")
        host, _, port = request_line.split()[1].rpartition(":")
        with socket.create_connection((host, int(port)), 10) as upstream:
            handler.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=copy, args=(upstream, handler.connection), daemon=True)
            back.start()
            copy(handler.connection, upstream)
            back.join()


def copy(source: socket.socket, target: socket.socket):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # one of both has gone, and that is all that there is to it
