#!/usr/bin/env bash
# cover.sh PERCENT: fails when the tests of the root package reach fewer of its
# statements than that. The profile stays in bin/cover.out.
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

floor=$1
mkdir -p bin
go test -timeout 20m -coverprofile=bin/cover.out .
total=$(go tool cover -func=bin/cover.out | awk '/^total:/ { sub("%", "", $NF); print $NF }')
echo "coverage of the root package: ${total}% (at least ${floor}% wanted)"
echo "by line: go tool cover -html=bin/cover.out"
awk -v total="$total" -v floor="$floor" 'BEGIN { exit !(total + 0 >= floor + 0) }'
