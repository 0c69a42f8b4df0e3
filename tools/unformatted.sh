#!/usr/bin/env bash
# Fails when gofmt would change a file, and names it.
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

list=$(tools/gofiles.sh | xargs -0 gofmt -s -l)
if [ -n "$list" ]; then
	printf 'not formatted (make fmt does it):\n%s\n' "$list"
	exit 1
fi
