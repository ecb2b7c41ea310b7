# The two commands of a fresh machine: make demo, make test.
SHELL := /bin/sh
export CGO_ENABLED := 0
# Property tests draw the same documents in each run, so that a commit is green or is not; make fuzz draws others.
export RAPID_SEED ?= 1

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X github.com/runfile/runfile/cmd/runfile/internal/cli.version=$(VERSION)
IMAGE   := build/image.tar

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | sort | awk -F '\t' '{ printf "  %-12s %s\n", $$1, $$2 }'

.PHONY: build
build: ## build bin/runfile
	@mkdir -p bin
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/runfile ./cmd/runfile

# The image of busybox and a probe that examples and tests run; no registry is needed.
$(IMAGE): $(wildcard conformance/testimage/*.go conformance/probe/*.go)
	@mkdir -p build
	go run ./conformance/testimage $@

.PHONY: demo
demo: ## install what is missing, build, and run examples/quickstart
	@.ci/setup run
	@$(MAKE) --no-print-directory build $(IMAGE)
	@sh examples/quickstart/demo.sh

.PHONY: test
test: ## everything: unit and engine tests, conformance on this host and on cgroup v2
	@.ci/setup guest
	@$(MAKE) --no-print-directory build $(IMAGE)
	go vet ./...
	@# One package at a time: several count what is left on the host.
	go test -count=1 -p 1 -timeout 20m ./...
	@$(MAKE) --no-print-directory test-differential
	@$(MAKE) --no-print-directory test-v2

# A module of its own: docker's packages are no dependencies of runfile.
.PHONY: test-differential
test-differential: ## compare how values are read with docker's own code
	cd conformance/differential && go test -count=1 ./...

# In the guest scripts wait more than they work: four at a time take half as long as two.
V2 := -count=1 -timeout 30m -parallel 4

.PHONY: test-v2
test-v2: ## the conformance suite in a guest with cgroup v2
	@.ci/setup guest
	@$(MAKE) --no-print-directory build $(IMAGE)
	go test $(V2) -exec "$(CURDIR)/conformance/vmrun -t 1700 --" ./conformance

# What runs on Windows, too.
PORTABLE := ./manifest/... ./schema/... ./planner/... ./executor/ocispec/...

.PHONY: test-windows
test-windows: ## tests of what runs on Windows, built for it and run by Wine
	@.ci/setup windows
	GOOS=windows GOARCH=amd64 WINEPREFIX=$(CURDIR)/build/wine WINEDEBUG=-all \
		go test -count=1 -overlay build/wine/overlay.json -exec wine $(PORTABLE)

RESULTS := $(CURDIR)/conformance/results

.PHONY: conformance-docs
conformance-docs: ## run the conformance suite here and on cgroup v2 and write docs/conformance.md
	@.ci/setup guest
	@$(MAKE) --no-print-directory build $(IMAGE)
	RUNFILE_CONFORMANCE_RESULTS=$(RESULTS) go test -count=1 -timeout 20m -skip TestMatrix ./conformance
	RUNFILE_CONFORMANCE_RESULTS=$(RESULTS) go test $(V2) -skip TestMatrix \
		-exec "$(CURDIR)/conformance/vmrun -t 1700 -o $(RESULTS)/v2.jsonl --" ./conformance
	go test -count=1 ./conformance -run TestMatrix -update

.PHONY: test-docker
test-docker: ## compare what containers see with Docker's, case by case
	@.ci/setup docker
	@$(MAKE) --no-print-directory build $(IMAGE)
	RUNFILE_TEST_DOCKER=1 go test -count=1 -v -timeout 30m ./conformance/docker

.PHONY: race
race: ## unit and engine tests under the race detector (needs a C compiler)
	@.ci/setup run
	CGO_ENABLED=1 go test -race -timeout 30m $$(go list ./... | grep -v /conformance)

.PHONY: check
check: ## formatters, vet, staticcheck, golangci-lint, other platforms
	@for tool in gofumpt staticcheck golangci-lint; do command -v $$tool >/dev/null || { echo "make tools installs $$tool" >&2; exit 1; }; done
	@test -z "$$(gofumpt -l . | tee /dev/stderr)"
	go vet ./...
	GOOS=windows go vet $(PORTABLE) ./cmd/...
	GOOS=windows go build $(PORTABLE) ./cmd/...
	GOOS=darwin go vet $(PORTABLE) ./cmd/...
	staticcheck ./...
	golangci-lint run ./...
	cd conformance/differential && go vet ./... && golangci-lint run ./...

.PHONY: tools
tools: ## install the linters that make check runs
	go install mvdan.cc/gofumpt@v0.12.0
	go install honnef.co/go/tools/cmd/staticcheck@v0.8.2
	go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.PHONY: gen
gen: build ## write runfile.schema.json, docs/options.md and docs/errors.md anew
	bin/runfile gen

.PHONY: man
man: build ## write the manual pages into build/man
	bin/runfile gen man build/man

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME (default 30s), and the property tests with new documents
	@RAPID_SEED=0 RAPID_CHECKS=$${RAPID_CHECKS:-5000} go test -count=1 $$(git grep -l 'rapid\.Check' -- '*_test.go' | xargs -n1 dirname | sort -u | sed 's,^,./,')
	@for p in $$(go list ./...); do \
		for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz'); do \
			echo "$$p $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $${FUZZTIME:-30s} -fuzzminimizetime 1s $$p || exit 1; \
		done; \
	done

.PHONY: bench
bench: build $(IMAGE) ## compare with the engines that are installed
	@.ci/setup run
	go run ./conformance/bench

.PHONY: clean
clean: ## remove what the other targets wrote
	rm -rf bin build
