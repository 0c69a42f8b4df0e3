#!/usr/bin/env bash
# Every check of the project, in every module. A failure does not stop the
# checks after it: the last lines name all that failed, and all that could not
# be run here. TESTFLAGS is passed on to go test.
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

failed=()
skipped=()
packages=0

# check NAME COMMAND...: runs the command, says how long it took, notes a failure.
# A command that exits with 75 could not be run here, which is no failure.
check() {
	local name=$1 start=$SECONDS status=0
	shift
	echo "-- $name"
	"$@" </dev/null || status=$?
	case $status in
	0) echo "   ok ($((SECONDS - start))s)" ;;
	75) skip "$name: skipped, what it needs cannot be reached from here" ;;
	*)
		echo "   FAILED: $name"
		failed+=("$name")
		;;
	esac
}

skip() {
	echo "$1"
	skipped+=("$1")
}

tidy() {
	go mod tidy -diff && go mod verify
}

# The packages that passed are counted from go test's own lines.
tests() {
	local log status=0
	log=$(mktemp)
	# shellcheck disable=SC2086 # a list of flags is meant
	go test $race -timeout 20m ${TESTFLAGS:-} ./... 2>&1 | tee "$log" || status=1
	packages=$((packages + $(grep -c '^ok' "$log" || true)))
	rm -f "$log"
	return $status
}

# The two newest Go releases are supported. The checks run under the one at hand;
# the root's tests run under the other one as well.
newest=go1.27.3

newest_go() {
	GOTOOLCHAIN=$newest go version >/dev/null 2>&1 || return 75
	# shellcheck disable=SC2086 # a list of flags is meant
	GOTOOLCHAIN=$newest go test $race -timeout 20m ${TESTFLAGS:-} . ./internal/...
}

modules=$(tools/modules.sh)

# What is still missing afterwards is told below, or by the tests that need it.
tools/deps.sh || true

if tools/has-cc.sh; then
	race=-race
	export CGO_ENABLED=1
else
	race=
	skip "race detector: skipped, there is no C compiler here"
fi

vulndb=https://vuln.go.dev
if reach "$vulndb/index/db.json" 2>/dev/null; then
	govulncheck=yes
else
	govulncheck=
	skip "govulncheck: skipped, $vulndb cannot be reached from here"
fi

check "gofmt" tools/unformatted.sh
check "layers" tools/layers.sh
check "tools: go test" go -C tools test ./layers
for module in $modules; do
	cd "$root/$module"
	echo "== module $module"
	check "$module: go mod tidy" tidy
	check "$module: go build" go build -o /dev/null ./...
	check "$module: go build in the workspace" env GOWORK="$root/go.work" go build -o /dev/null ./...
	if [ "$module" = . ]; then
		check "$module: go build for browsers" env GOOS=js GOARCH=wasm go build .
		check "$module: go vet for browsers" env GOOS=js GOARCH=wasm go vet .
	fi
	check "$module: go vet" go vet ./...
	check "$module: staticcheck" staticcheck ./...
	if [ -n "$govulncheck" ]; then
		check "$module: govulncheck" govulncheck ./...
	fi
	check "$module: go test" tests
	if [ "$module" = . ] && [ "$(go env GOVERSION)" != "$newest" ]; then
		check "$module: go test under $newest" newest_go
	fi
done

cd "$root"
check "prose" tools/prose.sh error
check "site" tools/site.sh
# After the modules: it uses what they have downloaded. What it reads is outside of its
# own module, where go test does not see changes.
check "release: go test" go -C tools test -count=1 -timeout 20m ./release
check "compatibility with the last tag" tools/release.sh -compat
if [ -f api/openapi.yaml ] && [ -d tools/spectral ]; then
	if command -v npm >/dev/null; then
		check "spectral, api/openapi.yaml" tools/openapi.sh
	else
		skip "spectral: skipped, npm is not installed here"
	fi
fi

echo
for line in ${skipped[@]+"${skipped[@]}"}; do
	echo "$line"
done
if [ ${#failed[@]} -gt 0 ]; then
	echo "FAILED:"
	printf '  %s\n' "${failed[@]}"
	exit 1
fi
echo "All checks passed. Packages tested: $packages. Modules: $(wc -w <<<"$modules" | tr -d ' ')."
