#!/usr/bin/env bash
# each.sh COMMAND...: runs a command in every module, all of them even when one
# fails, and fails when any of them did.
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

modules=$(tools/modules.sh)
failed=
for module in $modules; do
	echo "== $module: $*"
	(cd "$module" && "$@" </dev/null) || failed="$failed $module"
done
if [ -n "$failed" ]; then
	echo "failed in:$failed" >&2
	exit 1
fi
