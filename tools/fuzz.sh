#!/usr/bin/env bash
# fuzz.sh TIME: runs every fuzz target of every module for TIME (5m, 30s), one
# after the other. An input that fails is kept by Go below testdata/fuzz.
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

time=$1
modules=$(tools/modules.sh)
count=0
failed=()
for module in $modules; do
	cd "$root/$module"
	# go test -list prints the names of a package, then a line with its path.
	list=$(go test -list '^Fuzz' ./... | awk '/^Fuzz/ { names[n++] = $1 } /^ok/ { for (i = 0; i < n; i++) print $2, names[i]; n = 0 }')
	while read -r package target; do
		[ -n "$target" ] || continue
		count=$((count + 1))
		echo "== $package $target ($time)"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package" </dev/null || failed+=("$package $target")
	done <<<"$list"
done

if [ ${#failed[@]} -gt 0 ]; then
	echo "FAILED:"
	printf '  %s\n' "${failed[@]}"
	exit 1
fi
echo "$count fuzz targets, $time each: no failure"
