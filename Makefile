# Two commands do everything on a fresh machine that has Rust: `make demo` and `make test`.

CARGO ?= cargo

.PHONY: demo test bench lint fuzz packages servers build

demo: packages build
	./target/release/rashomon test --out results

test: packages servers
	$(CARGO) test --workspace --doc
	$(CARGO) test --workspace --tests

bench: build
	scripts/bench

# Each fuzz target for so many seconds. cargo-fuzz (`cargo install cargo-fuzz`) wants a nightly compiler, or a stable one
# that is told to pass for it.
FUZZ_SECONDS ?= 600
FUZZ_TARGETS = $(basename $(notdir $(wildcard fuzz/src/*.rs)))

fuzz:
	for target in $(FUZZ_TARGETS); do \
		RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run --fuzz-dir fuzz $$target -- -max_total_time=$(FUZZ_SECONDS) || exit 1; \
	done

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

build:
	$(CARGO) build --release

# The servers of real systems, unpacked into a cache folder; without them, and without a network, their tests are skipped.
servers:
	$(CARGO) run --quiet -- install || echo 'the tests of these systems are skipped'

# What the sandbox needs from the system; installs it as root, else says which command does.
packages:
	scripts/packages iptables iproute2
