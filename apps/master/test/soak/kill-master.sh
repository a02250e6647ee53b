#!/bin/sh
# Kills a master with SIGKILL under a load of changes and looks for what it had acknowledged.
#
#   apps/master/test/soak/kill-master.sh [kills]    (200 unless given; about a second each)
#
# Needs a checkout that is installed and built.
set -eu
cd "$(dirname "$0")/../../../.."
export PATH="$PWD/node_modules/.bin:$PATH"
NODEPASS_TEST_KILLS=${1:-200} exec vitest run --config vitest.workspace.ts --maxWorkers=1 \
  apps/master/test/kill.test.ts
