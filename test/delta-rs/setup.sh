#!/usr/bin/env bash
# Makes .venv at the root of the repository with delta-rs, the second opinion of the conformance tests.
# Does nothing, quickly, when it is there.
set -euo pipefail
cd "$(dirname "$0")/../.."

# pyarrow: delta-rs takes its tables; the tests build odd types with it
packages=(deltalake==1.6.6 pyarrow==26.0.1)
python=.venv/bin/python

complete() {
  "$python" -c 'import sys
from importlib.metadata import version
sys.exit(any(version(name) != wanted for name, wanted in (package.split("==") for package in sys.argv[1:])))' \
    "${packages[@]}" 2>/dev/null
}

if complete; then exit 0; fi

make_venv() { python3 -m venv --clear .venv; }

# Debian ships python3 without the means to make a venv, or no python3 at all.
if ! make_venv >/dev/null 2>&1; then
  sudo=()
  if [ "$(id -u)" -ne 0 ]; then sudo=(sudo); fi
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" apt-get install -y -qq python3-venv
  make_venv
fi

"$python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
complete || {
  echo 'test/delta-rs/setup.sh: .venv still lacks delta-rs; remove .venv and run this again.' >&2
  exit 1
}
