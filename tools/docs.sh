#!/usr/bin/env bash
# Runs go generate in every module and fails when it changed a file: what is
# generated is committed, and must be up to date.
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

# Work in progress is no offence: the tree after is compared with the tree before.
snapshot() {
	git diff --no-color HEAD
	git ls-files --others --exclude-standard -z | xargs -0 -r git hash-object --
	git ls-files --others --exclude-standard
}

before=$(snapshot)
tools/each.sh go generate ./...
after=$(snapshot)
if [ "$before" != "$after" ]; then
	git --no-pager diff --stat HEAD
	git ls-files --others --exclude-standard
	echo "go generate changed the files above: commit them" >&2
	exit 1
fi
echo "generated files are up to date"
