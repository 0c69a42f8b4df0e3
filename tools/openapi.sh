#!/usr/bin/env bash
# Lints api/openapi.yaml with the Spectral that tools/spectral pins. Needs npm,
# and the npm registry the first time.
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

cd tools/spectral
# npm writes this file at the end of an installation.
if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
	npm ci --silent --ignore-scripts --no-audit --no-fund
fi
npm run --silent lint
