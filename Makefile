# `make help` lists the targets. All run from a clean checkout with Go, git,
# make and bash, the tests also with gpg (Debian: gnupg), strace and vim. With gcc
# they run under the race detector; `make test RACE=` runs them without.

SHELL    := bash
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
FUZZTIME ?= 30s
TESTBINS := sops kustomize etcd kube-apiserver kube-controller-manager kubectl argocd-cmp-server helm kubeseal sealed-secrets-golden
MODULES  := controller/config/configtest examples/03-flux/fluxtest
BUILDINFO = github.com/signet-secrets/signet/internal/buildinfo.version
RACE     ?= $(shell [ "$$(go env CGO_ENABLED)" = 1 ] && command -v "$$(go env CC)" >/dev/null && echo -race)

.DEFAULT_GOAL := help
.PHONY: help build test testbin demo demo-offline bench bench-controller fuzz manifests docs verify

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build bin/signet, bin/signet-controller and bin/signet-kustomize: static, without paths of this machine
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X $(BUILDINFO)=$(VERSION)" -o bin/ \
		./cmd/signet ./cmd/signet-controller ./cmd/signet-kustomize

test: testbin ## Run all tests, against real programs (built first, once, in some 20 minutes)
	go test $(RACE) -count=1 -timeout 45m ./... # many tests build and run programs, which the cache of results does not watch
	$(if $(RACE),go test -run Bounded ./seal/manifest # its limits hold only without the race detector)
	@for module in $(MODULES); do (set -x && go -C $$module test -count=1 ./...) || exit 1; done

testbin: ## Build the programs of others that tests and demos run: sops, kustomize, helm, a control plane, ...
	@internal/testbin/build.sh $(TESTBINS) >/dev/null

demo: build ## Seal, commit, apply: the whole story on a cluster of its own (first run some 10 minutes)
	@internal/demo/demo.sh

demo-offline: build ## The same without a cluster, with tampering and stock sops: seal, commit, open
	@internal/demo/offline.sh

bench: testbin ## Measure Signet beside stock sops
	go run ./internal/bench

bench-controller: testbin ## Measure the controller beside that of Sealed Secrets (a quarter of an hour)
	go run ./internal/benchcontroller

fuzz: ## Run every fuzz target for FUZZTIME (default 30s) each
	@FUZZTIME=$(FUZZTIME) internal/fuzz.sh

manifests: ## Write the CRDs and deep copies of controller/v1alpha1
	@internal/tools/manifests.sh

docs: ## Write docs/commands.md from the help of signet
	@internal/docs.sh

verify: ## Check formatting, vet, go.mod, staticcheck, generated files, imports, stray paths
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "run gofmt -w on:" $$unformatted; exit 1; }
	go vet ./...
	go mod tidy -diff
	go tool -modfile=internal/tools/go.mod staticcheck ./...
	@staticcheck=$$(go tool -modfile=internal/tools/go.mod -n staticcheck) && for module in $(MODULES); do \
		(set -x && cd $$module && go vet ./... && go mod tidy -diff && $$staticcheck ./...) || exit 1; done
	@internal/tools/manifests.sh --check
	@internal/docs.sh --check
	go test ./internal/depcheck
	@internal/no-machine-paths.sh
