# Two commands do everything on a fresh machine that has Rust: `make demo` and `make test`.

CARGO ?= cargo

.PHONY: demo test bench lint packages build

demo: packages build
	./target/release/rashomon test --out results

test: packages
	$(CARGO) test --workspace --doc
	$(CARGO) test --workspace --tests

bench: build
	scripts/bench

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

build:
	$(CARGO) build --release

# What the sandbox needs from the system; installs it as root, else says which command does.
packages:
	scripts/packages iptables iproute2
