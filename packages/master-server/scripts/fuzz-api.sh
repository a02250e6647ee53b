#!/bin/sh
# Asks a real master all that its OpenAPI document allows, and what it does not, with schemathesis.
#
#   packages/master-server/scripts/fuzz-api.sh [requests per operation] [more options of st run]
#
# Needs a checkout that is installed and built, Python 3, and a package index the first time. The
# master has a state of its own, and runs in a network namespace: nothing that is asked of it leaves
# this machine. Left out: GET /events, which has no end; renewing the key (fuzz_hooks.py); the check
# that all that fits the schemas is accepted, as they cannot say what a usable URL is; and the check
# that wrong keys are always answered 401, as so many are answered 429.
# Exit code 0: no 5xx, no undocumented status, no answer that its schema does not allow.
set -eu

examples=${1:-200}
[ $# -eq 0 ] || shift
scripts=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$scripts/../../.." && pwd)
tools=${FUZZ_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/nodepass-fuzz}
version=4.32.5

if [ "${FUZZ_INSIDE:-}" = "" ]; then
  if ! "$tools/bin/st" --version 2>/dev/null | grep -q "$version"; then
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet "schemathesis==$version"
  fi
  if ! unshare --net --map-root-user true 2>/dev/null; then
    echo "$0: cannot make a network namespace (unshare --net --map-root-user)" >&2
    exit 2
  fi
  FUZZ_INSIDE=1 exec unshare --net --map-root-user "$0" "$examples" "$@"
fi

ip link set lo up
work=$(mktemp -d "${TMPDIR:-/tmp}/nodepass-fuzz.XXXXXX")
master=
stop() {
  [ "$master" = "" ] || kill "$master" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

export PATH="$root/node_modules/.bin:$PATH"
NP_STATE_DIR="$work/state" NP_WORKERS=1 \
  node "$root/apps/master/dist/main.js" 'master://127.0.0.1:0?log=warn' >"$work/log" 2>&1 &
master=$!
for _ in $(seq 100); do
  grep -q '^API KEY: ' "$work/log" && break
  kill -0 "$master"
  sleep 0.1
done
url=$(sed -n 's/^API URL: //p' "$work/log")
key=$(sed -n 's/^API KEY: //p' "$work/log")

cd "$work"
code=0
for base in "$url" "$url/v1"; do
  FUZZ_URL=$url FUZZ_KEY=$key SCHEMATHESIS_HOOKS=fuzz_hooks PYTHONPATH="$scripts" PYTHONDONTWRITEBYTECODE=1 \
    "$tools/bin/st" run "$url/openapi.json" \
    --url "$base" --header "X-API-Key:$key" --exclude-operation-id watchEvents \
    --generation-with-security-parameters false --generation-database none \
    --max-examples "$examples" --checks all \
    --exclude-checks positive_data_acceptance,ignored_auth \
    --continue-on-failure --no-color --request-timeout 20 "$@" || code=1
done
# The master itself must have nothing to complain about.
complaints=$(grep -cE ' ERROR | unexpected error' "$work/log") || [ "$complaints" = 0 ] || code=1
if [ "$complaints" != 0 ]; then
  cat "$work/log"
  code=1
fi
kill -0 "$master" || code=1
exit "$code"
