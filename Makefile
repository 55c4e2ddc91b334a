# As root, without losing the build cache: make test EXEC="-exec 'sudo -E'"
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
TOOL := go tool -modfile=tools/go.mod
# Modules of their own: one that uses ours, as anybody's would, and the check of the Kubernetes manifest.
MODULES := tests/testdata/consumer scripts/k8s

.PHONY: lint build test cover tidy bench

lint:
	go vet ./... && go fix -diff ./... && go mod tidy -diff && go -C tools mod tidy -diff
	for m in $(MODULES); do (cd $$m && go vet ./... && go fix -diff ./... && go mod tidy -diff) || exit; done
	$(TOOL) golangci-lint run && $(TOOL) actionlint

build:
	go build ./... && go test -c -o /dev/null ./...

test:
	go test $(EXEC) -race -count=1 ./...
	for m in $(MODULES); do (cd $$m && go test $(EXEC) -race -count=1 ./...) || exit; done

cover:
	go test $(EXEC) -count=1 -coverpkg=./... -coverprofile=cover.out ./... && go tool cover -func=cover.out | tail -n 1

tidy:
	for m in . tools $(MODULES); do go -C $$m mod tidy || exit; done

bench:
	go test $(EXEC) -run '^$$' -bench . -count=6 ./netlab/... | tee bench.txt && $(TOOL) benchstat bench.txt
