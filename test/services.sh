#!/usr/bin/env bash
# Installs redis-server, which the tests start themselves. Does nothing, quickly, when it is there.
set -euo pipefail

if command -v redis-server >/dev/null; then exit 0; fi

sudo=()
if [ "$(id -u)" -ne 0 ]; then sudo=(sudo); fi
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" apt-get install -y -qq --no-install-recommends redis-server
command -v redis-server >/dev/null || {
  echo 'test/services.sh: there is still no redis-server; install it and run this again.' >&2
  exit 1
}
