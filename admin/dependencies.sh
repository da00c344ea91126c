#!/bin/sh
# npm ci, unless what the lock file asks for is installed already.
set -eu
cd "$(dirname "$0")"
[ ! node_modules/.package-lock.json -nt package-lock.json ] || exit 0

# Where Debian's Node.js is too old, npm itself has to run on the one that the lock file names: on an old one it
# leaves out the native parts of packages that want a newer.
if ! node -e '
    const [major, minor] = process.versions.node.split(".").map(Number);
    process.exit(major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19) ? 0 : 1)'; then
  version=$(node -p "require('./package-lock.json').packages['node_modules/node'].version")
  npm install --prefix target/node --no-save --no-audit --no-fund "node@$version"
  PATH=$PWD/target/node/node_modules/.bin:$PATH
fi
npm ci --no-audit --no-fund
