# Sourced by every script of this folder.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

export PATH="$root/bin:$PATH"

# A checkout that belongs to another user (containers, CI) makes git refuse to
# answer, and then go build fails to stamp its programs. Nothing here needs stamps.
export GOFLAGS="${GOFLAGS:+$GOFLAGS }-buildvcs=false"

# Every module is checked with the versions that its own go.mod asks for, as its
# users get it, and not with the ones that the workspace would agree on.
export GOWORK=off
