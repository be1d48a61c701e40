# The one entry point. `make help` lists the targets.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

CARGO ?= cargo
# Where Cargo puts its output; follows CARGO_TARGET_DIR if it is set.
TARGET_DIR = $(shell $(CARGO) metadata --format-version 1 --no-deps --offline 2>/dev/null | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
NPM := npm --prefix web
# The binary that clients and browsers are tested with. `make test` has built it already.
DEBUG_BUILD = $(CARGO) build -p frontdesk --locked
WEB_SOURCES = $(shell git ls-files -co --exclude-standard web proto 2>/dev/null)
DEMO_DIR ?= data/demo

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

web/node_modules/.installed: web/package.json web/package-lock.json
	$(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

web/dist/.built: web/node_modules/.installed $(WEB_SOURCES)
	$(NPM) run build
	@touch $@

.PHONY: web
web: web/dist/.built ## Build the web apps into web/dist

.PHONY: build
build: web ## Build the release binary `frontdesk` with the web apps inside
	$(CARGO) build --release --locked -p frontdesk

.PHONY: run
run: ## Build, then serve a demo on http://127.0.0.1:8080
	@test -e "$(TARGET_DIR)/release/frontdesk" || echo "The first build takes several minutes; later ones take seconds. The demo starts when it is done."
	@$(MAKE) --no-print-directory build
	@exec "$(TARGET_DIR)/release/frontdesk" serve --demo --data-dir "$(DEMO_DIR)"

.PHONY: run-cluster
run-cluster: $(if $(FRONTDESK_BIN),,build) ## Build, then serve a cluster of three nodes on http://127.0.0.1:8090
	@exec scripts/run-cluster

.PHONY: check
check: web ## Format, lints, types, generated files, dependency rules
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(CARGO) xtask check
	$(NPM) run check
	scripts/check-deploy

# A set of services of its own, which begins and ends with it: a broker that has met the topics of many runs needs more
# memory than it is given.
.PHONY: test
test: export FRONTDESK_SERVICES := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/frontdesk/test-services
test: export FRONTDESK_SERVICES_PORT := 17100
test: tools web ## Every suite
	@scripts/services remove
	@trap 'scripts/services stop' EXIT; $(CARGO) test --workspace --locked --lib --bins --tests
	@$(MAKE) --no-print-directory clients DEBUG_BUILD=
	@$(MAKE) --no-print-directory test-sdk DEBUG_BUILD=
	$(NPM) test
	$(NPM) run sizes
	@$(MAKE) --no-print-directory e2e DEBUG_BUILD=

# The part of `make test` that is about clusters, with a set of services of its own as well.
.PHONY: test-cluster
test-cluster: export FRONTDESK_SERVICES := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/frontdesk/test-services
test-cluster: export FRONTDESK_SERVICES_PORT := 17100
test-cluster: tools web ## Nodes on Kafka, Redis and MariaDB under faults of 10 s
	@scripts/services remove
	@trap 'scripts/services stop' EXIT; \
	$(CARGO) test --locked -p frontdesk --test it -- --include-ignored cluster:: && \
	$(CARGO) test --locked -p frontdesk-storage-cluster -p frontdesk-mysql -p frontdesk-catalog

# Not part of `make test`: C++ is compiled first, 20 minutes of one core. RocksDB that is there already is
# taken instead where ROCKSDB_LIB_DIR and ROCKSDB_STATIC=1 say so (docs/testing.md).
.PHONY: test-rocksdb
test-rocksdb: tools ## The history and the spool on RocksDB: suites, kills, damage, the server killed
	@scripts/install-tools rocksdb
	$(CARGO) clippy --locked --no-deps -p frontdesk-storage-embedded -p frontdesk-storage-cluster --features frontdesk-storage-cluster/rocksdb --all-targets -- -D warnings
	$(CARGO) test --locked -p frontdesk-storage-embedded --features rocksdb
	$(CARGO) test --locked -p frontdesk-storage-cluster --features rocksdb --test on_rocksdb
	$(CARGO) test --locked -p frontdesk --features rocksdb --bins --test it -- config:: crash:: durability::

# Hours. The result is written to docs/results; see docs/testing.md.
.PHONY: test-long
test-long: build ## The long tier: soak, power loss, clocks, ...; ONLY=r07 runs one
	@scripts/test-long

.PHONY: clients
clients: ## The example clients in Python and Go against the real binary
	$(DEBUG_BUILD)
	FRONTDESK_BIN="$(TARGET_DIR)/debug/frontdesk" tests/clients/run

.PHONY: test-sdk
test-sdk: ## The SDKs in TypeScript, Python and Go, and their example bots, against the real binary
	$(DEBUG_BUILD)
	FRONTDESK_BIN="$(TARGET_DIR)/debug/frontdesk" sdk/test

.PHONY: e2e
e2e: tools web ## The real binary in a real browser
	$(DEBUG_BUILD)
	FRONTDESK_BIN="$(TARGET_DIR)/debug/frontdesk" $(NPM) run e2e

# Half an hour. Figures and plots are then written from the result, see docs/benchmarks.md.
.PHONY: bench
bench: build ## Measure every goal on this machine and write docs/benchmarks.md; CLUSTER=node.toml for goal 16
	@mkdir -p docs/benchmarks
	"$(TARGET_DIR)/release/frontdesk" bench goals --json $(if $(CLUSTER),--cluster "$(CLUSTER)") --commit "$$(git describe --always --dirty)" > "$(TARGET_DIR)/bench.json"
	"$(TARGET_DIR)/release/frontdesk" bench reference --json --commit "$$(git describe --always --dirty)" > "$(TARGET_DIR)/reference.json"
	@mv "$(TARGET_DIR)/bench.json" docs/benchmarks/result.json
	@mv "$(TARGET_DIR)/reference.json" docs/benchmarks/reference.json
	$(CARGO) xtask docs

.PHONY: screenshots
screenshots: tools web ## Pictures of every view; those that documents show anew
	$(DEBUG_BUILD)
	FRONTDESK_BIN="$(TARGET_DIR)/debug/frontdesk" $(NPM) run screenshots

.PHONY: tools
tools: ## Install what the tests need beside Rust, Node and a C compiler
	@scripts/install-tools

.PHONY: services
services: ## Start Redis, MariaDB and Kafka for tests of a cluster (docs/testing.md)
	@scripts/services start
	@scripts/services status

.PHONY: services-stop
services-stop: ## Stop what `make services` started
	@scripts/services stop

.PHONY: fmt
fmt: ## Format everything
	$(CARGO) fmt --all
