"""The processes of a benchmark run, each on a loopback port of its own, and what they use of the machine."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import socket
import subprocess
import time


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads that the process has had."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system = int(fields[11]), int(fields[12])
    return (user + system) / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    found = []
    for directory in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # ended meanwhile
            parent = int((directory / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid:
                found.append(int(directory.name))
    return found


class Service:
    """One server process; its output goes to a file in its directory."""

    name = ""

    def __init__(self, directory: pathlib.Path):
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.port = free_port()
        self.process: subprocess.Popen | None = None

    def command(self) -> list:
        raise NotImplementedError

    def environment(self) -> dict:
        return {"PATH": os.environ["PATH"]}

    def spawn(self):
        with open(self.directory / f"{self.name}.log", "ab") as log:
            self.process = subprocess.Popen([str(word) for word in self.command()], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, cwd=self.directory,
                                            env=self.environment())

    def __enter__(self):
        self.spawn()
        try:
            self.wait_until(self.answers)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def wait_until(self, condition, seconds: float = 20, pause: float = 0.01):
        end = time.monotonic() + seconds
        while not condition():
            if self.process.poll() is not None or time.monotonic() > end:
                log = (self.directory / f"{self.name}.log").read_text(errors="replace")
                raise RuntimeError(f"{self.name} does not answer:\n{log[-2000:]}")
            time.sleep(pause)

    def answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.process.pid)

    def rss_mb(self) -> float:
        return self.memory_mb("VmRSS")

    def own_memory_mb(self) -> float:
        """Without what is mapped from files."""
        return self.memory_mb("RssAnon")

    def memory_mb(self, kind: str) -> float:
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{kind}:\s+(\d+) kB", status)[1]) / 1024

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Nginx(Service):
    """Two workers that answer /health from their configuration, as the service does from its code."""

    name = "nginx"

    def command(self) -> list:
        # Where it may write is compiled in and may belong to root.
        built = subprocess.run(["nginx", "-V"], capture_output=True, text=True, check=True).stderr
        kinds = re.findall(r"--http-([a-z-]+)-temp-path", built)
        temporary = "\n".join(f"  {kind.replace('-', '_')}_temp_path {self.directory}/{kind};"
                              for kind in kinds)
        configuration = self.directory / "nginx.conf"
        configuration.write_text(f"""\
daemon off;
{"user root;" if os.geteuid() == 0 else ""}
worker_processes 2;
pid {self.directory}/nginx.pid;
error_log stderr error;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
{temporary}
  server {{
    listen 127.0.0.1:{self.port};
    location /health {{ default_type application/json; return 200 '{{"status":"ok"}}'; }}
  }}
}}
""")
        return ["nginx", "-p", self.directory, "-e", "stderr", "-c", configuration]

    def cpu_seconds(self) -> float:
        return sum(map(cpu_seconds, children(self.process.pid)))


class Redis(Service):
    name = "redis-server"

    def command(self) -> list:
        return ["redis-server", "--bind", "127.0.0.1", "--port", self.port, "--dir", self.directory,
                "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"]


class Mongo(Service):
    """A SecantusDB, which speaks MongoDB's protocol; it is written in Python, and slow for that."""

    name = "secantusdb"

    def __init__(self, program: pathlib.Path, directory: pathlib.Path):
        super().__init__(directory)
        self.program = program

    def command(self) -> list:
        return [self.program, "--host", "127.0.0.1", "--port", self.port, "--storage-path",
                self.directory / "storage", "--cache-size", "512M"]


class Provider(Service):
    """A provider of models that answers each call after some milliseconds."""

    name = "provider"

    def __init__(self, program: pathlib.Path, directory: pathlib.Path, latency_ms: int, dims: int):
        super().__init__(directory)
        self.arguments = [program, self.port, latency_ms, dims]

    def command(self) -> list:
        return self.arguments


class Maas(Service):
    """The service on one engine: two event loops, no access log, no model unless `settings` name one."""

    def __init__(self, binary: pathlib.Path, directory: pathlib.Path, redis: Redis | None = None, **settings):
        super().__init__(directory)
        self.binary = binary
        self.redis = redis
        self.settings = settings
        self.engine = "redis" if redis else "sqlite"
        self.name = f"maas on {self.engine}"

    def command(self) -> list:
        return [self.binary, "serve", "--port", self.port]

    def environment(self) -> dict:
        settings = {"MAAS_WORKERS": "2", "MAAS_ACCESS_LOG_SAMPLE": "0", "MAAS_LOCAL_MODEL": "none",
                    "MAAS_DATA_DIR": str(self.directory / "data")}
        if self.redis:
            settings["REDIS_URL"] = f"redis://127.0.0.1:{self.redis.port}"
        given = {name: str(value) for name, value in self.settings.items()}
        return {**super().environment(), **settings, **given}

    def answers(self) -> bool:
        """Whether /health says 200."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
                connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
                return connection.recv(4096).startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    def seconds_to_start(self) -> float:
        """From the start of the process to its first answer; it is stopped again."""
        began = time.monotonic()
        self.spawn()
        try:
            self.wait_until(self.answers, pause=0.0002)
            return time.monotonic() - began
        finally:
            self.stop()

    def is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == 200

    def fill(self, prefix: str, sessions: int, messages: int):
        """Sessions of so many messages of 120 characters."""
        content = ("The assistant answered at some length. " * 4)[:120]
        body = json.dumps({"messages": [{"role": "assistant", "content": content}] * messages})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            for number in range(sessions):
                connection.request("POST", f"/stm/{prefix}{number}/messages", body,
                                   {"Content-Type": "application/json"})
                reply = connection.getresponse()
                text = reply.read()
                if reply.status != 200:
                    raise RuntimeError(f"{self.name} answered an append with {reply.status}: {text[:300]!r}")
