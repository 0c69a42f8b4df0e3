#!/usr/bin/env bash
# Lints api/openapi.yaml and the document of the simulator's control API with the
# Spectral that tools/spectral pins. Needs npm, and the npm registry the first time:
# exits with 75 when it cannot be reached.
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

cd tools/spectral
# npm writes this file at the end of an installation.
if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
	log=$(mktemp)
	trap 'rm -f "$log"' EXIT
	if ! npm ci --ignore-scripts --no-audit --no-fund --fetch-retries=1 >"$log" 2>&1; then
		cat "$log"
		if grep -qE 'code (ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT)' "$log"; then
			exit 75
		fi
		exit 1
	fi
fi
npm run --silent lint
