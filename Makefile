# The commands of this repository. `make test` is the one that decides: CI runs
# it, and nothing else has to be installed for it than Go, git and make. The work
# is done by the scripts in tools/; the pinned tools are built into bin/.

GO       ?= go
BIN      := $(CURDIR)/bin
GOTAG    := $(shell $(GO) env GOVERSION)
FUZZTIME ?= 1m
BENCH    ?= .
# Passed on to the fault matrix: -every-row, or -cell 'messages.text, stream/reset'
CHAOSFLAGS ?=
COVER    ?= 90

# Passed on to go test by `make test` and `make check`, as in:
# make test TESTFLAGS='-run Send -v'
TESTFLAGS ?=
export TESTFLAGS

# One stamp for each Go version: a linter built by an older Go refuses newer code.
CHECKERS := $(BIN)/.checkers-$(GOTAG)
LINTER   := $(BIN)/.linter-$(GOTAG)
PROSE    := $(BIN)/.prose-$(GOTAG)

.PHONY: help
help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: test
test: $(CHECKERS) $(PROSE) ## run every check and every test of every module
	@tools/test.sh

.PHONY: check
check: ## run format, vet and tests of the root module: the inner loop
	@tools/check.sh

.PHONY: fmt
fmt: ## format all Go files
	@tools/gofiles.sh | xargs -0 gofmt -s -w

.PHONY: lint
lint: $(CHECKERS) $(LINTER) ## run golangci-lint in every module, and the layer check of the root
	@tools/layers.sh
	@tools/each.sh golangci-lint run --config "$(CURDIR)/.golangci.yml" ./...

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (default 1m)
	@tools/fuzz.sh $(FUZZTIME)

.PHONY: bench
bench: ## run the benchmarks that match BENCH (default all); bin/benchstat compares two runs
	@tools/each.sh $(GO) test -run '^$$' -bench '$(BENCH)' -benchmem ./...

.PHONY: chaos
chaos: ## call every operation with every fault, over HTTP/1 and HTTP/2, and print a table
	@tools/chaos.sh $(CHAOSFLAGS)

.PHONY: shows
shows: ## kill processes and servers for minutes: outbox (OUTBOX_MESSAGES, default 5000), ryzeredis (RYZEREDIS_SHOW, default 2m)
	@tools/shows.sh

.PHONY: cover
cover: ## measure the root package's coverage, fail below COVER (default 90) percent
	@tools/cover.sh $(COVER)

.PHONY: compat
compat: ## compare the exported names and the public tests with those of the last tag
	@tools/release.sh -compat

.PHONY: rehearsal
rehearsal: ## release to nobody, and build every module as a stranger does
	@REHEARSAL=all $(GO) -C tools test -count=1 -timeout 20m -run Strangers -v ./release

# VERSION=v0.1.0; WRITE=1 makes what is otherwise shown only. It never pushes.
.PHONY: release
release: ## show the release of VERSION; with WRITE=1 make its commits and tags, here alone
	@tools/release.sh $(if $(WRITE),-write) $(VERSION)

.PHONY: docs
docs: $(PROSE) ## check links, twins, code, words and the site of the pages, and regenerate what is generated
	@tools/docs.sh

.PHONY: prose
prose: $(PROSE) ## read the pages for spelling, words to leave out, long sentences
	@tools/prose.sh

.PHONY: site
site: ## build the pages with a search into bin/site
	@tools/site.sh

.PHONY: pictures
pictures: ## take the pictures of docs/img anew, with the browser that the tests of the page use
	cd e2e && PHONE_SHOTS=1 $(GO) test -count=1 -run 'TestEveryKindOfMessageIsDrawn|TestThePageSpeaksPortuguese|TestAPhoneShowsOnePaneAtATime' .

.PHONY: deps
deps: ## install what the tests need beside Go (Debian, as root)
	@tools/deps.sh

.PHONY: tools
tools: $(CHECKERS) $(LINTER) $(PROSE) ## build the pinned tools into bin/

.PHONY: clean
clean: ## remove bin/
	rm -rf "$(BIN)"

# The tools are modules of their own so that their dependencies reach nobody who
# uses the SDK. golangci-lint and vale are apart from the others: they would move their versions.
$(CHECKERS): tools/go.mod tools/go.sum tools/reach/main.go tools/layers/main.go tools/layers/graph.go
	GOWORK=off $(GO) -C tools build -buildvcs=false -o "$(BIN)/" tool
	@touch "$@"

$(LINTER): tools/lint/go.mod tools/lint/go.sum
	GOWORK=off $(GO) -C tools/lint build -buildvcs=false -o "$(BIN)/" tool
	@touch "$@"

$(PROSE): tools/vale/go.mod tools/vale/go.sum
	CGO_ENABLED=0 GOWORK=off $(GO) -C tools/vale build -buildvcs=false -o "$(BIN)/" tool
	@touch "$@"
