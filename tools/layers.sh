#!/usr/bin/env bash
# Fails when more files of the root package use each other in a circle than are
# allowed.
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

allowed=3

layers -max "$allowed" .
