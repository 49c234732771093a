# MATRIX. `make demo` shows it, `make test` proves it; `make help` lists the rest.
SHELL := /bin/sh
GO ?= go
CACHE ?= $(or $(MATRIX_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/matrix)
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
WEB_SOURCES := $(shell find web/src web/public web/index.html web/package-lock.json web/vite.config.ts -type f 2>/dev/null)
# The binary is static, and one setting for build, test and lint compiles the
# dependencies once instead of twice.
export CGO_ENABLED := 0
SHELL_SCRIPTS := .ci/run $(wildcard scripts/*.sh)

.PHONY: help setup build web test test-go test-web test-interop lint fmt gen demo bench-ingest bench-kill bench-query bench-evidence bench-rules bench-gateway bench-report eval-mask eval-rca clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

setup: ## install everything the other targets need
	@sh scripts/setup.sh engine web node-e2e node-sdk browser postgres lint

web/dist/index.html: $(WEB_SOURCES)
	@sh scripts/setup.sh web
	npm --prefix web run build
	@touch web/dist/.gitkeep

web: web/dist/index.html

build: web ## build bin/matrix with the UI inside
	$(GO) build -ldflags '$(LDFLAGS)' -o bin/matrix ./cmd/matrix

demo: build ## start MATRIX with a simulated shop (ARGS=--once ends after the report)
	@sh scripts/setup.sh engine
	bin/matrix demo $(ARGS)

test: test-web test-go ## all tests: Go, TypeScript, browser

test-web: web
	npm --prefix web run typecheck
	npm --prefix web test

test-go: build
	@sh scripts/setup.sh engine browser postgres node-e2e node-sdk
	sh scripts/test.sh $(ARGS)

test-interop: build ## a Java program with the OpenTelemetry agent and an OpenSearch node (need JDK >= 17 and Maven), a Collector reading log files and its machine
	@sh scripts/setup.sh engine postgres
	sh scripts/test.sh -tags interop -run $(or $(RUN),Interop) ./test/interop/...

lint: web ## golangci-lint, Biome, shell syntax, generated files up to date
	@sh scripts/setup.sh lint
	$(CACHE)/tools/golangci-lint run ./...
	npm --prefix web run lint
	npm --prefix web run gen -- --check
	@for f in $(SHELL_SCRIPTS); do sh -n $$f || exit 1; done
	$(GO) mod tidy -diff

fmt: ## format Go and TypeScript
	@sh scripts/setup.sh lint
	$(CACHE)/tools/golangci-lint fmt ./...
	npm --prefix web run fmt

gen: ## regenerate openapi.yaml and the TypeScript types made from it
	@sh scripts/setup.sh web
	$(GO) generate ./...
	npm --prefix web run gen

bench-ingest: build ## MATRIX against OpenTelemetry Collector + clickhouseexporter
	@sh scripts/setup.sh engine
	$(GO) run ./bench/ingest $(ARGS)

bench-kill: build ## kill -9 MATRIX and its engine during load, 20 times
	@sh scripts/setup.sh engine
	$(GO) run ./bench/kill $(ARGS)

bench-query: build ## 10 million spans and log records in, and the questions of the screens to them
	@sh scripts/setup.sh engine
	$(GO) run ./bench/query $(ARGS)

bench-rules: build ## ten thousand alarm rules on one node, while telemetry comes in
	@sh scripts/setup.sh engine
	$(GO) run ./bench/rules $(ARGS)

bench-evidence: build ## 10 million spans and log records in, and the evidence of incidents out of them
	@sh scripts/setup.sh engine
	$(GO) run ./bench/query -evidence $(ARGS)

bench-gateway: build ## calls of models through MATRIX, through Portkey's gateway and without one
	@sh scripts/setup.sh engine
	$(GO) run ./bench/gateway $(ARGS)

bench-report: build ## from the last slow span to the delivered report
	@sh scripts/setup.sh engine
	$(GO) run ./bench/report $(ARGS)

eval-mask: ## recall and precision of the masking on the corpus of labelled telemetry
	$(GO) run ./eval/mask $(ARGS)

eval-rca: build ## causes of injected faults, named without their labels (DATA=<directory of a recording>)
	$(GO) run ./eval/rca -data "$(DATA)" $(ARGS)

clean: ## remove what was built (not the caches)
	rm -rf bin web/dist/assets web/dist/index.html
