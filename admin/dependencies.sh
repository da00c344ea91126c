#!/bin/sh
# npm ci, unless what the lock file asks for is installed already.
cd "$(dirname "$0")" || exit 1
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund
