#!/usr/bin/env bash
# chaos.sh FLAGS...: runs the whole fault matrix and prints its table.
# The ordinary tests run a sample of it.
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

cd benchmarks
go test -run '^TestMatrix$' -count=1 -timeout 60m -v ./chaos -args -whole "$@"
