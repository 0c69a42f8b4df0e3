#!/usr/bin/env bash
# The long shows: minutes of kill -9 against real servers. The ordinary tests run
# the same for seconds.
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

failed=
show() {
	local module=$1 test=$2
	echo "== $module: $test"
	go -C "$module" test -run "^$test\$" -count=1 -timeout 60m -parallel 4 -v . </dev/null || failed="$failed $test"
}

OUTBOX_MESSAGES="${OUTBOX_MESSAGES:-5000}" show outbox TestNothingIsSentTwiceOrLostThroughCrashes
RYZEREDIS_SHOW="${RYZEREDIS_SHOW:-2m}" show ryzeredis TestEachStreamHasOneHolderWhateverHappens
RYZEREDIS_SHOW="${RYZEREDIS_SHOW:-2m}" show ryzeredis TestProcessesShareOneToken
RYZEREDIS_SHOW="${RYZEREDIS_SHOW:-2m}" show ryzeredis TestNoCallFailsWhenProcessesAndRedisDie

if [ -n "$failed" ]; then
	echo "failed:$failed" >&2
	exit 1
fi
