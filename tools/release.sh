#!/usr/bin/env bash
# release.sh [-write] VERSION, or release.sh -compat: runs tools/release for this
# repository.
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

go -C tools build -o "$root/bin/release" ./release
exec "$root/bin/release" -root "$root" "$@"
