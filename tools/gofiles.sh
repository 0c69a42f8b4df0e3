#!/usr/bin/env bash
# Prints every Go file that gofmt should see, each ended by a NUL for xargs -0.
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

find . \( -name node_modules -o -name testdata -o -name '.?*' -o -path ./bin \) -prune -o -name '*.go' -type f -print0
