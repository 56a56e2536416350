# The commands of this project; each installs what it needs first.
.PHONY: run build test faults package arm64 format bench bench-report bench-ready soak microbench tsan fuzz clean

FUZZ_SECONDS ?= 300
FAULT_RESTARTS ?= 100
SOAK_MINUTES ?= 30
OPTIONS ?=
BENCH_SECONDS ?=
VERSION ?=

# Installs, builds and starts the server on the embedded database. Options: make run OPTIONS="--port 9000"
run: build
	exec build/release/maas serve $(OPTIONS)

# Leaves the release binary at build/release/maas, and the embedding model beside it.
build:
	@scripts/setup build
	@scripts/build release
	@scripts/model

# A Debian package and an archive of the server with its model, with checksums, in build/release/packages.
package:
	@scripts/setup package
	@scripts/package $(VERSION)

# Everything that can fail: unit and contract tests under sanitizers, black-box tests, checks.
test:
	@scripts/setup test
	@scripts/build release
	@scripts/build dev
	@scripts/model test
	@scripts/run_tests

# Engines, models, disk and process that fail under load, and a hundred restarts: `make test` has ten.
faults:
	@scripts/setup test
	@scripts/build release
	MAAS_BINARY=$(CURDIR)/build/release/maas MAAS_FAULT_RESTARTS=$(FAULT_RESTARTS) .deps/venv/bin/python -m pytest \
	  -c tests/blackbox/pytest.ini -o timeout=1200 -p no:cacheprovider tests/faults

# The contract suite and a mixed load under ThreadSanitizer.
tsan:
	@scripts/setup test
	@scripts/build tsan
	@scripts/run_tsan

# Everything compiled for 64-bit ARM, and the unit and contract tests of that run by QEMU.
arm64:
	@scripts/setup arm64
	@scripts/build arm64
	ctest --test-dir build/arm64 -j2 --timeout 900 --exclude-regex '^structure' --output-on-failure

format:
	@scripts/setup format
	git ls-files '*.cpp' '*.hpp' | xargs .deps/venv/bin/clang-format -i

# Load on the release binary beside nginx and redis-benchmark, what traces cost beside none, its long-term
# memory beside numpy and SQLite FTS5, what it adds to models beside a stub of their provider, its embeddings
# beside Python; writes bench/results.json.
bench: bench-ready
	.deps/bench-venv/bin/python bench/run_all.py --no-page --only load tracing ltm models embeddings $(OPTIONS)

# These, and how cost, memory and latency grow with load and with what there is; writes docs/benchmarks.md.
# Options: make bench-report OPTIONS="--only growth", OPTIONS=--quick
bench-report: bench-ready
	.deps/bench-venv/bin/python bench/run_all.py $(if $(BENCH_SECONDS),--seconds $(BENCH_SECONDS)) $(OPTIONS)

bench-ready: build
	@scripts/setup bench
	@scripts/setup model
	@scripts/setup test
	@scripts/build bench provider embedding_rounds benchmarks
	@scripts/model test

# Agents for SOAK_MINUTES at half of the server's capacity: memory, latency, descriptors and spans have to stay as they
# are. Writes its part of docs/benchmarks.md.
soak: build
	@scripts/setup bench
	@scripts/build bench provider
	.deps/bench-venv/bin/python bench/soak.py --minutes $(SOAK_MINUTES)

# The parts that do the work, each beside a baseline.
microbench:
	@scripts/setup bench
	@scripts/build bench benchmarks
	build/bench/bench/benchmarks

fuzz:
	@scripts/setup fuzz
	@scripts/build fuzz
	@scripts/run_fuzz $(FUZZ_SECONDS)

clean:
	rm -rf build
