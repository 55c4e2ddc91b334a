# As root, without losing the build cache: make test EXEC="-exec 'sudo -E'"
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
TOOL := go tool -modfile=tools/go.mod
# A module of its own that uses ours, as anybody's would.
CONSUMER := tests/testdata/consumer

.PHONY: lint build test cover tidy bench

lint:
	go vet ./... && go fix -diff ./... && go mod tidy -diff && go -C tools mod tidy -diff
	cd $(CONSUMER) && go vet ./... && go fix -diff ./... && go mod tidy -diff
	$(TOOL) golangci-lint run && $(TOOL) actionlint

build:
	go build ./... && go test -c -o /dev/null ./...

test:
	go test $(EXEC) -race -count=1 ./...
	cd $(CONSUMER) && go test $(EXEC) -race -count=1 ./...

cover:
	go test $(EXEC) -count=1 -coverpkg=./... -coverprofile=cover.out ./... && go tool cover -func=cover.out | tail -n 1

tidy:
	go mod tidy && go -C tools mod tidy && go -C $(CONSUMER) mod tidy

bench:
	go test $(EXEC) -run '^$$' -bench . -count=6 ./netlab/... | tee bench.txt && $(TOOL) benchstat bench.txt
