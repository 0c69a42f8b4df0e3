#!/usr/bin/env bash
# What is worth running after every change: format, vet and tests of the root
# module. TESTFLAGS is passed on to go test.
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

tools/unformatted.sh
go vet ./...
# shellcheck disable=SC2086 # a list of flags is meant
go test ${TESTFLAGS:-} ./...
