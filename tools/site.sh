#!/usr/bin/env bash
# Builds the pages of docs/ into bin/site, a site with a search, and reads it: links,
# headings, searches. Exits with 75 without MkDocs.
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

# The Python that has MkDocs need not be the first in PATH.
python=
for candidate in /usr/bin/python3 python3; do
	if command -v $candidate >/dev/null && $candidate -c 'import mkdocs, lunr' 2>/dev/null; then
		python=$candidate
		break
	fi
done
if [ -z "$python" ]; then
	echo "site: there is no MkDocs: make deps"
	exit 75
fi

export PYTHONDONTWRITEBYTECODE=1
# --quiet would hide the warnings that fail a strict build.
status=0
log=$($python -m mkdocs build --strict --clean -f tools/site/mkdocs.yml 2>&1) || status=$?
grep -vE '^(INFO|DEBUG) ' <<<"$log" >&2 || true
[ $status = 0 ] || exit $status
$python tools/site/check.py bin/site
echo "site: bin/site/index.html"
