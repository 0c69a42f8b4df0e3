#!/usr/bin/env bash
# Everything about the pages. Links, twins and blocks of code are tests of the root;
# prose and site have scripts of their own, which exit with 75 where they cannot be
# run. Then go generate is run in every module: what is generated is committed, and
# must be up to date.
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

failed=
check() {
	local name=$1 status=0
	shift
	echo "-- $name"
	"$@" </dev/null || status=$?
	case $status in
	0) ;;
	75) echo "   skipped: $name" ;;
	*) failed="$failed $name" ;;
	esac
}

check code go vet . ./docs/...
check pages go test -count=1 -run 'Pages|Readme' .
check examples go test ./docs/...
check prose tools/prose.sh
check site tools/site.sh

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
	failed="$failed generated"
fi
if [ -n "$failed" ]; then
	echo "docs: failed:$failed" >&2
	exit 1
fi
echo "docs: all is well, generated files are up to date"
