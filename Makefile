# `make help` lists the targets. All run from a clean checkout with Go, git,
# make and bash, the tests also with gpg (Debian: gnupg). With gcc they run under
# the race detector (`RACE=`: not).

SHELL    := bash
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
FUZZTIME ?= 30s
TESTBINS := sops kustomize
RACE     ?= $(shell [ "$$(go env CGO_ENABLED)" = 1 ] && command -v "$$(go env CC)" >/dev/null && echo -race)

.DEFAULT_GOAL := help
.PHONY: help build test testbin demo bench fuzz verify

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build bin/signet: static, without paths of this machine
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/signet ./cmd/signet

test: testbin ## Run all tests, against real programs (built first, minutes once)
	go test $(RACE) -timeout 30m ./...
	$(if $(RACE),go test -run Bounded ./seal/manifest)

testbin: ## Build the programs that tests and demo use: sops, kustomize
	@internal/testbin/build.sh $(TESTBINS) >/dev/null

demo: build testbin ## Seal, commit, open: the whole story on the terminal
	@internal/demo/demo.sh

bench: testbin ## Measure Signet beside stock sops
	go run ./internal/bench

fuzz: ## Run every fuzz target for FUZZTIME (default 30s) each
	@FUZZTIME=$(FUZZTIME) internal/fuzz.sh

verify: ## Check formatting, vet, go.mod, staticcheck, imports, stray paths
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "run gofmt -w on:" $$unformatted; exit 1; }
	go vet ./...
	go mod tidy -diff
	go tool -modfile=internal/tools/go.mod staticcheck ./...
	go test ./internal/depcheck
	@internal/no-machine-paths.sh
