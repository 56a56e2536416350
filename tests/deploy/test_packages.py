"""What `make package` makes: a Debian package that leans on the release's libraries, and an archive that leans on
nothing but the C library. scripts/try_packages installs them."""

import hashlib
import os
import pathlib
import re
import subprocess
import tarfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "build" / "release" / "packages"
C_LIBRARY = re.compile(r"(/lib\w*/ld-linux.*|linux-vdso|lib(c|m|dl|rt|pthread|resolv))\.so[.\d]*$")


def output(*command, **options) -> str:
    ran = subprocess.run([str(part) for part in command], text=True, capture_output=True, timeout=600, **options)
    assert ran.returncode == 0, ran.stderr or ran.stdout
    return ran.stdout


@pytest.fixture(scope="module")
def packages():
    output(ROOT / "scripts" / "package")
    return PACKAGES


@pytest.fixture(scope="module")
def debian(packages):
    (package,) = packages.glob("maas_*.deb")
    return package


@pytest.fixture(scope="module")
def archive(packages, tmp_path_factory):
    """The archive's folder, unpacked where nobody expects it."""
    (file,) = packages.glob("maas-*.tar.gz")
    folder = tmp_path_factory.mktemp("a place with spaces")
    with tarfile.open(file) as tar:
        tar.extractall(folder)
    (top,) = folder.iterdir()
    assert top.name == file.name.removesuffix(".tar.gz")
    return top


def test_checksums_are_those_of_the_files(packages):
    sums = list(packages.glob("*.sha256"))
    assert len(sums) == 2
    for file in sums:
        told, name = file.read_text().split()
        assert hashlib.sha256((packages / name).read_bytes()).hexdigest() == told


def test_the_package_asks_for_libraries_of_the_release(debian):
    needed = output("dpkg-deb", "--field", debian, "Depends")
    for library in ("libc6 ", "libssl3", "libsqlite3-0", "libmongoc-1.0-0", "libcurl4", "libprometheus-cpp-core"):
        assert library in needed
    assert "opentelemetry" not in needed, "its few libraries come along: their package brings gRPC"


def test_the_package_puts_files_where_they_belong(debian):
    files = {line.split()[5]: line.split()[0] for line in output("dpkg-deb", "--contents", debian).splitlines()}
    assert files["./usr/bin/maas"] == "-rwxr-xr-x"
    assert files["./etc/maas/maas.env"] == "-rw-------", "keys will be in it"
    assert files["./usr/lib/systemd/system/maas.service"] == "-rw-r--r--"
    assert {"./usr/lib/maas/model/model.onnx", "./usr/lib/maas/model/libonnxruntime.so", "./usr/share/doc/maas/copyright",
            "./usr/share/doc/maas/docs/scaling.md"} <= set(files)
    assert {name.split("/")[1] for name in files} == {"etc", "usr"}


def test_upgrades_keep_what_the_administrator_wrote(debian, tmp_path):
    output("dpkg-deb", "--control", debian, tmp_path)
    assert (tmp_path / "conffiles").read_text().split() == ["/etc/maas/maas.env"]
    for script in ("postinst", "prerm", "postrm"):
        assert os.access(tmp_path / script, os.X_OK)
        output("sh", "-n", tmp_path / script)


def test_the_example_settings_of_the_service_are_settings(tmp_path):
    text = (ROOT / "deploy" / "debian" / "maas.env").read_text()
    everything = re.sub(r"^#(?=[A-Z_]+=)", "", text, flags=re.M)
    assert everything.count("=") > 7
    (tmp_path / "maas.env").write_text(everything.replace("LLM_API_KEY=\n", "LLM_API_KEY=k\n"))
    ran = subprocess.run([ROOT / "build/release/maas", "config", "--env-file", tmp_path / "maas.env"], text=True,
                         capture_output=True, timeout=60, env={})
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "MAAS_DATA_DIR=/var/lib/maas\n" in ran.stdout


def test_the_service_runs_with_the_settings_of_its_file():
    unit = (ROOT / "deploy" / "debian" / "maas.service").read_text()
    assert "LoadCredential=maas.env:/etc/maas/maas.env" in unit
    assert "ExecStart=/usr/bin/maas serve --env-file ${CREDENTIALS_DIRECTORY}/maas.env" in unit
    assert "StateDirectory=maas\n" in unit


def test_the_archive_runs_from_any_folder_without_other_libraries(archive, tmp_path):
    program = archive / "bin" / "maas"
    # "name => file (address)"; the libraries of its libraries are listed, too.
    libraries = re.findall(r"^\t(\S+) (?:=> )?(.*?)(?: \(0x\w+\))?$",
                           output("ldd", program, env={"PATH": os.environ["PATH"]}), re.M)
    assert len(libraries) > 20
    foreign = [(name, file) for name, file in libraries if not C_LIBRARY.match(name)
               and not pathlib.Path(os.path.normpath(file)).is_relative_to(archive)]
    assert foreign == []
    told = output(program, "check", cwd=tmp_path, env={"PATH": os.environ["PATH"]})
    assert re.search(r"embedder +local +ok", told), "it does not find the model that came along"
