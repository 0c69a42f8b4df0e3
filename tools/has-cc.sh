#!/usr/bin/env bash
# Succeeds when Go's C compiler can build a program, headers included.
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

cc=$(CGO_ENABLED=1 go env CC)
echo '#include <stdlib.h>
int main(void) { return EXIT_SUCCESS; }' | $cc -x c -o /dev/null - 2>/dev/null
