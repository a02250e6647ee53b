#!/bin/sh
# Builds what an image holds: the master, or another app of ours, with its production dependencies, in
# one folder.
#
#   deploy/build-image-tree.sh <folder> [app]
#
# The Dockerfile runs this in its build stage; it needs Node.js and, the first time, a registry,
# but no container engine. The checkout is left as it is. PNPM is the command of pnpm, else npx
# gets the version that package.json names. The folder must not exist, or be empty.
set -eu

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
  echo "usage: $0 <folder> [app]" >&2
  exit 2
fi
app=${2:-master}
source=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
target=$(cd "$1" && pwd)
if [ -n "$(ls -A "$target")" ]; then
  echo "$0: $target is not empty" >&2
  exit 1
fi

if ! node --version >/dev/null; then
  echo "$0: this Node does not run here; see the line above for what is missing" >&2
  exit 1
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/nodepass-image.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The sources and nothing that was built or installed: what .dockerignore lets through.
tar -C "$source" \
  --exclude=node_modules --exclude=dist --exclude=.turbo --exclude=test \
  --exclude='*.test.ts' --exclude='*.bench.ts' \
  -cf - LICENSE apps packages package.json pnpm-lock.yaml pnpm-workspace.yaml \
  tsconfig.base.json tsconfig.json | tar -C "$work" -xf -
cd "$work"

version=$(node -p 'require("./package.json").packageManager')
pnpm=${PNPM:-npx --yes $version}
export CI=true DO_NOT_TRACK=1

# The words of $pnpm are a command and its arguments.
$pnpm install --frozen-lockfile --prefer-offline --trust-lockfile \
  --filter nodepass-workspace --filter "@nodepass/$app..."
$pnpm --filter "@nodepass/$app..." run build
# --legacy: the other way writes the name of the temporary folder into the result. Copies: links
# would share modes and contents with the store of pnpm.
$pnpm --config.package-import-method=copy \
  --filter "@nodepass/$app" deploy --legacy --prod "$target"
# What runs, and no more: sources, declarations, maps and what nothing imports stay out.
node --experimental-import-meta-resolve "$source/deploy/prune-tree.mjs" "$target"
# The image has a user of its own: everybody may read, nobody needs to write.
chmod -R a+rX "$target"
