#!/usr/bin/env bash
# Prints the folder of every module of the workspace, relative to the root, one
# per line. Fails when a module of the repository is missing from go.work: its
# tests would never run.
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

modules=$(GOWORK="$root/go.work" go list -m -f '{{.Dir}}')
while IFS= read -r dir; do
	[ "$dir" = "$root" ] && echo . || echo "${dir#"$root"/}"
done <<<"$modules"

# tools/ holds the pinned tools, docs/img pictures; on purpose outside the workspace.
missing=$(
	find . \( -name node_modules -o -name testdata -o -name '.?*' -o -path ./bin -o -path ./tools -o -path ./docs/img \) -prune -o -name go.mod -print |
		while IFS= read -r file; do
			dir=$(cd "$(dirname "$file")" && pwd)
			grep -qxF "$dir" <<<"$modules" || echo "  $file"
		done
)
if [ -n "$missing" ]; then
	printf 'not in go.work (add it with: go work use FOLDER):\n%s\n' "$missing" >&2
	exit 1
fi
