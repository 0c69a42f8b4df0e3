#!/usr/bin/env bash
# Installs what the tests need from outside the Go world, when it is missing: a C
# compiler, for the race detector, the servers of Redis and PostgreSQL, which the
# tests start themselves, Python, for a stranger's program, Chromium, for the page
# of the simulator, MkDocs, for the site, and a dictionary of Portuguese. As root on Debian it installs it; anywhere else it says
# what to do and fails.
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

missing=
tools/has-cc.sh || missing="$missing gcc libc6-dev"
command -v redis-server >/dev/null || command -v valkey-server >/dev/null || missing="$missing redis-server"
# Debian keeps PostgreSQL's programs out of PATH.
if ! command -v initdb >/dev/null && ! compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null; then
	missing="$missing postgresql"
fi
command -v python3 >/dev/null || missing="$missing python3"
if ! command -v chromium >/dev/null && ! command -v chromium-browser >/dev/null && ! command -v google-chrome >/dev/null; then
	missing="$missing chromium fonts-noto-core fonts-noto-color-emoji"
fi
command -v mkdocs >/dev/null || missing="$missing mkdocs"
[ -e /usr/share/hunspell/pt_BR.dic ] || missing="$missing hunspell-pt-br"
if [ -z "$missing" ]; then
	exit 0
fi

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	echo "deps: missing:$missing. On Debian or Ubuntu: sudo apt-get install$missing" >&2
	exit 1
fi
echo "deps: installing$missing"
export DEBIAN_FRONTEND=noninteractive
apt="apt-get -qq -o Acquire::Retries=2 -o Acquire::http::Timeout=20 -o Dpkg::Use-Pty=0"
# The packages must not start services: the tests have their
# own. A policy of the machine's own is left alone.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap 'rm -f $policy' EXIT
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod +x $policy
fi
# shellcheck disable=SC2086 # a list of words is meant
if ! { $apt update && $apt install -y --no-install-recommends $missing; } </dev/null; then
	echo "deps: apt-get could not install:$missing" >&2
	exit 1
fi
