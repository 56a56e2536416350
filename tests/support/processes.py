"""Starts and stops the real server and a real Redis on loopback ports, each in a directory of its own."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid

import httpx
import pymongo
import redis

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("MAAS_BINARY", REPOSITORY / "build/dev/maas"))
# Without a sanitizer, for what one can't stand: a preloaded library, a limit of memory.
RELEASE_BINARY = pathlib.Path(os.environ.get("MAAS_RELEASE_BINARY", REPOSITORY / "build/release/maas"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, seconds: float, what: str):
    """The first true result of `condition`, tried for `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := condition():
            return result
        time.sleep(0.01)
    raise TimeoutError(f"waited {seconds} s for {what}")


class Process:
    """A child process whose output goes to a file that a test can read."""

    def __init__(self, directory: pathlib.Path, name: str):
        self.directory = directory
        self.log_path = directory / f"{name}.log"
        self.process: subprocess.Popen | None = None

    def spawn(self, arguments: list, environment: dict | None = None):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [str(argument) for argument in arguments], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=environment, cwd=self.directory)

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def send(self, which: signal.Signals):
        self.process.send_signal(which)

    def kill(self):
        if self.running():
            self.process.kill()
            self.process.wait()

    def stop(self, seconds: float = 15) -> int:
        """Asks it to end and returns its exit code."""
        if self.running():
            self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


# Settings of a server that traces every request, and sends metrics, to a collector that isn't there.
TRACED = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_BSP_SCHEDULE_DELAY": "50",
          "OTEL_METRIC_EXPORT_INTERVAL": "100"}


class Server(Process):
    """One `maas serve`. `settings` are environment variables; nothing else of the test's environment is seen."""

    binary = BINARY

    def __init__(self, directory: pathlib.Path, name: str = "maas", **settings: str):
        super().__init__(directory, name)
        self.port = free_port()
        # No embedding model unless a test is about it: loading one takes longer than most tests.
        self.settings = {"MAAS_DATA_DIR": str(directory / "data"), "MAAS_WORKERS": "2", "MAAS_LOCAL_MODEL": "none",
                         **settings}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict:
        kept = {name: os.environ[name] for name in
                ("PATH", "HOME", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS") if name in os.environ}
        return {**kept, **self.settings}

    def spawn_server(self, *arguments: str):
        """Starts it without waiting for an answer."""
        self.spawn([self.binary, "serve", "--port", self.port, *arguments], self.environment())

    def start(self, *arguments: str) -> "Server":
        self.spawn_server(*arguments)
        self.wait_for_health()
        return self

    def wait_for_health(self, seconds: float = 20):
        def answers():
            if not self.running():
                raise RuntimeError(f"the server ended with {self.process.poll()}:\n{self.log()}")
            with contextlib.suppress(httpx.TransportError):
                return httpx.get(f"{self.url}/health", timeout=2).status_code == 200
        wait_until(answers, seconds, "the server to answer /health")

    def client(self, **options) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=30, **options)

    def run(self, *arguments: str, timeout: float = 30) -> subprocess.CompletedProcess:
        """Runs another command of the binary with the same settings."""
        return subprocess.run([str(self.binary), *arguments], env=self.environment(), cwd=self.directory,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)


@contextlib.contextmanager
def serving(directory: pathlib.Path, *arguments: str, **settings: str):
    """A server that is up inside the block and must end with exit code 0 after it; a sanitizer's report spoils that."""
    server = Server(directory, **settings)
    try:
        yield server.start(*arguments)
        assert server.stop() == 0, server.log()[-8000:]
    finally:
        server.kill()


class RedisServer(Process):
    """One redis-server without persistence, unless asked for by arguments."""

    def __init__(self, directory: pathlib.Path, *arguments: str, password: str = ""):
        super().__init__(directory, "redis")
        self.port = free_port()
        self.password = password
        self.arguments = arguments

    @property
    def url(self) -> str:
        user = f":{self.password}@" if self.password else ""
        return f"redis://{user}127.0.0.1:{self.port}"

    def connect(self) -> redis.Redis:
        return redis.Redis(host="127.0.0.1", port=self.port, password=self.password or None)

    def start(self) -> "RedisServer":
        arguments = ["redis-server", "--bind", "127.0.0.1", "--port", self.port, "--dir", self.directory,
                     "--save", "", "--maxmemory-policy", "noeviction", *self.arguments]
        if self.password:
            arguments += ["--requirepass", self.password]
        self.spawn(arguments)

        def answers():
            with contextlib.suppress(redis.ConnectionError):
                return self.connect().ping()
        wait_until(answers, 10, "redis-server to answer")
        return self


class MongoServer(Process):
    """One secantusd, which speaks MongoDB's protocol."""

    def __init__(self, directory: pathlib.Path, *arguments: str):
        super().__init__(directory, "mongodb")
        self.port = free_port()
        self.arguments = arguments

    @property
    def uri(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}"

    def connect(self, **options) -> pymongo.MongoClient:
        return pymongo.MongoClient(self.uri, serverSelectionTimeoutMS=500, **options)

    def spawn_alone(self):
        """Starts it without waiting for an answer."""
        program = pathlib.Path(sys.executable).with_name("secantusd-py")
        self.spawn([program, "--host", "127.0.0.1", "--port", self.port, "--storage-path", self.directory / "mongodb",
                    "--cache-size", "128M", *self.arguments])

    def start(self) -> "MongoServer":
        self.spawn_alone()

        def answers():
            with contextlib.suppress(pymongo.errors.ConnectionFailure), self.connect() as client:
                return client.admin.command("ping")
        wait_until(answers, 20, "secantusd to answer")
        return self


@contextlib.contextmanager
def mongo_database():
    """Settings of a database that nobody else uses, on the server that the environment names; None without one."""
    uri = os.environ.get("MAAS_TEST_MONGODB_URI")
    if not uri:
        yield None
        return
    name = f"blackbox-{uuid.uuid4()}"
    try:
        # Time enough for a sanitizer, a small machine and a server written in Python.
        yield {"MONGODB_URI": uri, "MONGODB_DB_NAME": name, "MONGODB_TIMEOUT_MS": "10000"}
    finally:
        # A server that was killed may have left a transaction open, which would hold this up.
        with contextlib.suppress(pymongo.errors.PyMongoError), pymongo.timeout(5), pymongo.MongoClient(uri) as client:
            client.drop_database(name)


def redis_available() -> bool:
    return shutil.which("redis-server") is not None
