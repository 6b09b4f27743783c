# Everything here needs Go and make, nothing else. `make run` and `make test` are
# the two commands of the README.

DURATION ?= 0
FUZZTIME ?= 10s
GO ?= go

# The end-to-end tests have a step of their own: they measure, and would disturb
# the others and be disturbed by them.
E2E := ./internal/e2e
OTHERS = $(shell $(GO) list ./... | grep -v /internal/e2e)
AROUND := ./cmd/train ./internal/dashboards ./packaging/... ./docs

.PHONY: help run test build race lint fuzz chaos soak overload throughput demo load up down packages bench bench-quality bench-learning clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z\/ -]+:.*## / {printf "  make %-26s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Telegraf, the processor and InfluxDB on this machine's metrics; DURATION=90s ends it
	@mkdir -p bin
	@$(GO) build -o bin/quickstart ./examples/quickstart
	@bin/quickstart -duration $(DURATION)

test: bin/telegraf bin/influxd ## every test, those with the real programs included
	$(GO) vet ./...
	$(GO) test $(OTHERS)
	E2E=1 $(GO) test -count=1 -timeout 30m $(E2E)
	E2E=1 $(GO) test -count=1 -timeout 20m -p 1 $(AROUND)
	$(GO) test -C packaging/check ./...

build: ## the processor and the training tool, into bin/
	$(GO) build -trimpath -ldflags "-s -w" -o bin/ ./cmd/...

.PHONY: bin/telegraf bin/influxd
bin/telegraf bin/influxd: ## the real programs, built by Go
	@$(GO) run ./internal/testbed/install $(@F)

race: ## every test that needs only Go, with the race detector
	$(GO) test -race -short ./...

# Its cache names files by their full paths, those of other checkouts, too, which may
# be gone: this one has its own.
lint: ## golangci-lint, which includes vet and gofmt, and actionlint for the workflows
	$(GO) run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
	GOLANGCI_LINT_CACHE=$(CURDIR)/.cache/golangci-lint $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.12.2 run --timeout 15m

fuzz: ## every fuzz test for FUZZTIME
	@set -e; for file in $$(git grep -l '^func Fuzz' -- '*_test.go'); do \
	  for name in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\).*/\1/p' $$file); do \
	    echo "$$(dirname $$file) $$name"; \
	    $(GO) test ./$$(dirname $$file) -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x; \
	  done; \
	done

chaos: bin/telegraf bin/influxd ## let 17 things go wrong around the real programs, and see what each costs; ARGS='-short -only kill'
	@mkdir -p bin
	@$(GO) build -o bin/chaos ./internal/chaos/run
	@bin/chaos $(ARGS)

ifeq ($(DURATION),0)
soak: ## a day of 200 hosts on a simulated clock; DURATION=30m takes the real programs and real time instead
	SOAK=full $(GO) test -count=1 -timeout 30m -run '^TestSoak$$' -v ./cmd/telegraf-anomaly
else
soak: bin/telegraf bin/influxd
	@mkdir -p bin
	@$(GO) build -o bin/chaos ./internal/chaos/run
	@bin/chaos -soak $(DURATION) -dir .run/soak
endif

overload: ## a line of a gigabyte, a million bad lines, a million hosts, alarms on 10,000 hosts, 1,000 kills while saving
	KILLS=1000 $(GO) test -count=1 -timeout 30m -run '^TestKill$$' -v ./internal/model
	OVERLOAD=full $(GO) test -count=1 -timeout 30m -run '^(TestEndlessLine|TestMalformedLines|TestHostsWithoutEnd|TestEverythingIsAnomalous)$$' -v $(E2E)

throughput: bin/telegraf ## measure speed, memory and size, alone and under Telegraf
	E2E=1 THROUGHPUT=full $(GO) test -count=1 -timeout 30m -run '^TestThroughput' -v $(E2E)

demo: ## the whole stack, six faults, and whether each was detected and named; ARGS=-stay leaves it running
	@mkdir -p bin
	@$(GO) build -o bin/demo ./examples/datacenter/demo
	@bin/demo $(ARGS)

load: ## 1,000 simulated hosts, once a second, through one Telegraf; DURATION=10m
	@mkdir -p bin
	@$(GO) build -o bin/fleet ./examples/stress/fleet
	@bin/fleet -duration $(if $(filter-out 0,$(DURATION)),$(DURATION),60s) $(ARGS)

up: ## the stack in containers, by docker compose
	docker compose -f docker/compose.yaml up --build --detach --wait

down: ## end that, keep its data
	docker compose -f docker/compose.yaml down

VERSION ?= 0.0.0
packages: ## deb and rpm of VERSION, into dist/
	$(GO) run ./packaging/build -version $(VERSION) -out dist

bench: bin/telegraf ## speed and memory, this project and every peer by turns, 15 minutes; ARGS='--only lines --rounds 3'
	$(GO) run ./bench/speed --micro .run/bench.txt --json docs/speed.json --docs docs/BENCHMARKS.md $(ARGS)

bench-quality: ## detection and attribution on labelled records; DATA=folder CAPTURE=folder
	$(GO) run ./bench/quality --data $(DATA) --capture "$(CAPTURE)" --json docs/quality.json --docs docs/BENCHMARKS.md

bench-learning: ## a simulated fleet that learns by itself, from nothing; ARGS='-hosts 50 -days 30'
	$(GO) run ./bench/learning $(ARGS)

clean: ## remove what was built, and the data of make run
	rm -rf bin dist .run
