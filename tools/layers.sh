#!/usr/bin/env bash
# Fails when more files of the root package use each other in a circle than are
# allowed. The number only ever goes down; the aim is 3.
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

allowed=56

layers -max "$allowed" .
