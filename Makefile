# The commands of this repository. `make` alone lists them.

CARGO ?= cargo
# Tools that `make verify` installs for itself.
TOOLS := target/tools
DENY := $(TOOLS)/bin/cargo-deny
PYTHON := $(TOOLS)/python/bin
CARGO_LAMBDA := $(TOOLS)/lambda/bin/cargo-lambda
EMULATOR := $(TOOLS)/deploy/bin/ministack
# cargo-deny on the product, and on the fuzz targets with their own lock file. Not each needs every exception.
each_workspace = for manifest in Cargo.toml fuzz/Cargo.toml; do \
		$(DENY) --locked --config deny.toml --manifest-path $$manifest check \
			--allow license-exception-not-encountered --allow unmatched-skip $(1) || exit 1; \
	done

# The demo page, as `make run` serves it.
DEMO := frontend/demo/dist/index.html

# Settings may stand in a file `.env` of shell assignments; `.env.example` lists them.
WITH_SETTINGS := set -a; if [ -f .env ]; then . ./.env; fi; set +a;

.DEFAULT_GOAL := help
.PHONY: help run api-page reset test verify nightly soak mutants fuzz fuzzers audit bench latency first-sync speed cost-model build package deploy fmt lint doc unit page kill conformance browser postgresql deny schemas tried deploy-check others

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(DEMO) ## Start the whole product on this machine, with a simulated Google
	@$(WITH_SETTINGS) exec $(CARGO) run --locked --package local-stack

api-page: frontend/node_modules/.package-lock.json ## Render openapi.yaml as a page, frontend/demo/dist/assets/api.html
	npm run api-page --prefix frontend

reset: ## Forget what `make run` has kept
	@$(WITH_SETTINGS) rm -rf -- "$${LOCAL_DATA:-data}"

test: unit page conformance ## Run all tests that need Rust and Node alone

verify: lint doc schemas deny kill deploy-check fuzzers postgresql browser tried tests/conformance/node/node_modules/.package-lock.json ## Check the rest, and install what that takes: lints, documentation, Python clients, Schemathesis, the template on an emulator of AWS, Chromium, PostgreSQL, cargo-deny, cfn-lint
	tests/conformance/python/run.sh

audit: $(DENY) ## Look for known vulnerabilities (asks github.com and the npm registry)
	@$(call each_workspace,advisories)
	npm audit --prefix tests/conformance/node
	npm audit --prefix frontend
	npm audit --prefix tests/host-app

bench: ## Measure the decisions that could grow with a calendar's age or size, and fail if a series costs too much
	$(CARGO) bench --locked --package calendar-sync --bench decisions

# How many changes of each kind `make latency` measures.
CHANGES := 200
latency: ## Measure how long a change takes to the other side, and fail if a second is not enough for 95 of 100
	$(CARGO) run --locked --package calendar-tests --example latency $(CHANGES)

# How many events the calendar of `make first-sync` has.
EVENTS := 25000
first-sync: ## Measure the first sync of a large calendar with 200 lessons, and fail if these take two minutes
	$(CARGO) run --locked --package calendar-tests --example first_sync $(EVENTS)

speed: $(DEMO) ## Measure how soon the page shows something on a slow phone and answers with 1,000 events (after `make browser`)
	npm run speed --prefix frontend

cost-model: ## Work out what a million connections cost
	python3 infra/cost-model/model.py

build: ## Build the functions for this machine, as they are released
	$(CARGO) build --locked --release --package calendar-functions --bins

# For the processors of template.yaml where Rust has that target (`rustup target add`), else for this machine's kind, which
# shows about the same sizes.
GRAVITON := aarch64-unknown-linux-gnu
LAMBDA_TARGET = $(if $(wildcard $(shell rustc --print sysroot)/lib/rustlib/$(GRAVITON)),$(GRAVITON),$(shell uname -m)-unknown-linux-gnu)
package: $(CARGO_LAMBDA) ## Build all functions for Lambda at once, zip them under target/lambda and print their sizes
	PATH="$(CURDIR)/$(dir $(CARGO_LAMBDA)):$$PATH" $(CARGO) lambda build --locked --release --package calendar-functions --bins \
		--target $(LAMBDA_TARGET) --output-format zip
	cd target/lambda && wc -c */bootstrap.zip

# An environment of samconfig.toml.
STAGE := test
deploy: package ## Build the functions for Lambda and deploy them to the environment STAGE
	sam build
	sam deploy --config-env $(STAGE)

fmt: frontend/node_modules/.package-lock.json ## Format the code
	$(CARGO) fmt --all
	npm run format --prefix frontend

lint: ## Check formatting and lints
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- --deny warnings
	$(MUTANTS) --check

MUTANTS := tests/convergence/mutants/run.sh

TEST := $(CARGO) test --locked --workspace
SUITES = $(shell $(CARGO) metadata --locked --no-deps --format-version 1 | node -p \
	'JSON.parse(require("fs").readFileSync(0)).packages.flatMap((each) => each.targets).filter(({ kind }) => kind[0] === "test").map(({ name }) => name).join(" ")')
# Tests of the whole wait for schedules and queues. The suites that wait longest run beside all others, of which three
# tests share a processor.
WAITING := interruptions redaction roles
.PHONY: $(WAITING)
# `make verify` takes the time that dying at every point takes.
EVERY_DEATH := whatever_the_moment_of_death
# Programs, examples and documentation hold no tests.
unit:
	$(TEST) --lib --test '*' --no-run
	$(MAKE) --jobs --output-sync=target $(WAITING) others

$(WAITING):
	$(TEST) --test $@

others:
	$(if $(SUITES),,$(error cargo metadata names no suite))
	RUST_TEST_THREADS=$$((3 * $$(getconf _NPROCESSORS_ONLN))) \
		$(TEST) --lib $(addprefix --test , $(filter-out $(WAITING), $(SUITES))) -- --skip $(EVERY_DEATH)

nightly: soak mutants fuzz bench ## Do what takes too long for each change: new random histories, all mutants, fuzzing, and the bound of each series

# How long `make soak` plays, in minutes.
MINUTES := 10
soak: ## Play random histories through the engine, with new seeds, for MINUTES
	$(CARGO) run --locked --package convergence -- --minutes $(MINUTES)

mutants: ## Spoil the engine in many ways, one at a time, and check that histories and tests find each one out
	$(MUTANTS)

# How long `make fuzz` tries each target, in seconds.
SECONDS := 60
TARGETS := requests google_calendar google_login messages recurrence
HOST := $(shell rustc -vV | sed -n 's/^host: //p')
fuzz: fuzzers ## Send malformed input to everything that reads input, guided by coverage, for SECONDS each (needs a C++ compiler)
	@for target in $(TARGETS); do \
		mkdir -p fuzz/found/$$target && \
		fuzz/target/$(HOST)/release/$$target -max_total_time=$(SECONDS) -max_len=1024 -timeout=10 -rss_limit_mb=2048 \
			-verbosity=0 -print_final_stats=1 -artifact_prefix=fuzz/found/$$target- fuzz/found/$$target fuzz/corpus/$$target || exit 1; \
	done

fuzzers:
	RUSTC_WRAPPER=$(CURDIR)/fuzz/rustc $(CARGO) build --locked --release --manifest-path fuzz/Cargo.toml --target $(HOST)

# Always the whole workspace: one package alone has its dependencies built again, with fewer features.
kill:
	$(TEST) --test kill -- $(EVERY_DEATH)

# A server of the tests' own; the programs are Debian's, unless others are there.
INITDB := $(firstword $(wildcard /usr/lib/postgresql/*/bin/initdb) $(shell command -v initdb))
postgresql:
ifeq ($(INITDB),)
	$(if $(filter 0,$(shell id -u)),,sudo) sh -c 'apt-get update && apt-get install --yes --no-install-recommends postgresql'
endif
	$(TEST) --test postgresql -- --ignored

doc:
	RUSTDOCFLAGS='--deny warnings --allow rustdoc::private_intra_doc_links' $(CARGO) doc --locked --workspace --no-deps --document-private-items

conformance: tests/conformance/node/node_modules/.package-lock.json
	$(TEST) --test kill --no-run # builds the program too, as it does for `kill`
	npm test --prefix tests/conformance/node

tried:
	$(TEST) --test kill --no-run # builds the program too, as it does for `kill`
	tests/conformance/schemathesis/run.sh

page: frontend/node_modules/.package-lock.json
	npm test --prefix frontend

PAGE := $(filter-out %/schema.d.ts %.test.ts %.test.tsx %.test.js, $(shell find frontend/src frontend/demo frontend/api-page -type f -not -path '*/dist/*'))
$(DEMO): frontend/node_modules/.package-lock.json openapi.yaml $(PAGE) \
		$(addprefix frontend/, package.json tsconfig.json styles.config.ts)
	npm run build --prefix frontend

browser: $(DEMO) tests/host-app/node_modules/.package-lock.json
ifeq ($(shell command -v chromium),)
	$(if $(filter 0,$(shell id -u)),,sudo) sh -c 'apt-get update && apt-get install --yes --no-install-recommends chromium'
endif
	$(TEST) --test kill --no-run # builds the program too, as it does for `kill`
	npm run browser --prefix frontend

%/node_modules/.package-lock.json: %/package-lock.json
	npm ci --prefix $* --no-audit --no-fund

schemas: $(PYTHON)/cfn-lint
	$(PYTHON)/cfn-lint template.yaml
	$(PYTHON)/openapi-spec-validator openapi.yaml
	python3 infra/cost-model/model.py --check docs/costs.md

# Google's side is the simulator; both kinds of programs are built as tests need them.
deploy-check: $(EMULATOR) ## Deploy template.yaml on an emulator of AWS that enforces IAM, and live a day with the functions
	$(TEST) --test runtime_api --test simulator --no-run
	PYTHONPATH=tests/conformance/python PYTHONDONTWRITEBYTECODE=1 \
		$(TOOLS)/deploy/bin/python tests/deploy/check.py $(or $(CARGO_TARGET_DIR),target)/debug

$(EMULATOR): tests/deploy/requirements.txt
	python3 -m venv --clear $(TOOLS)/deploy
	$(TOOLS)/deploy/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

deny: $(DENY)
	@$(call each_workspace,--hide-inclusion-graph bans licenses sources)

$(DENY):
	$(CARGO) install --locked --debug --root $(TOOLS) cargo-deny@0.20.2

$(PYTHON)/cfn-lint:
	python3 -m venv $(TOOLS)/python
	$(PYTHON)/pip install --quiet cfn-lint==1.58.0 openapi-spec-validator==0.9.0

# With the linker that it needs, in Python's packages.
$(CARGO_LAMBDA):
	python3 -m venv $(TOOLS)/lambda
	$(TOOLS)/lambda/bin/pip install --quiet cargo-lambda==1.9.2
