#!/usr/bin/env bash
# Installs what the tests need, runs every check and test, and ends with "N passed, N failed".
# A check that fails (types, lint, boundaries, unused, format) counts as one failed.
set -uo pipefail
cd "$(dirname "$0")/.."

results=$(mktemp)
passed=0
failed=0

finish() {
  rm -f "$results"
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
  exit
}

# Nothing after a broken preparation can say anything.
prepare() {
  echo "== $1"
  shift
  "$@" && return
  failed=$((failed + 1))
  finish
}

prepare 'packages and build' node bin/start.mjs --prepare-only
if [ -f test/delta-rs/setup.sh ]; then prepare 'delta-rs' bash test/delta-rs/setup.sh; fi
prepare 'redis-server' bash test/services.sh

for check in types lint boundaries unused format:check; do
  echo "== $check"
  npm run --silent "$check" || failed=$((failed + 1))
done

echo '== tests'
npm test --silent -- --maxWorkers=2 --json --outputFile="$results" "$@"
status=$?
counts=$(node -e '
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites, numPendingTests } = JSON.parse(
    require("node:fs").readFileSync(process.argv[1], "utf8"),
  );
  if (numPendingTests > 0) console.error(numPendingTests + " skipped");
  console.log(numPassedTests, numFailedTests + numRuntimeErrorTestSuites);
' "$results") || counts='0 1'
read -r test_passed test_failed <<<"$counts"
# Jest may fail without a failing test: no tests found, a crash at the end.
if [ "$status" -ne 0 ] && [ "$test_failed" -eq 0 ]; then test_failed=1; fi
passed=$test_passed
failed=$((failed + test_failed))
finish
