#!/usr/bin/env bash
# Usage: internal/docs.sh [--check]
#
# Writes the reference of all commands, docs/commands.md, from the help of signet,
# or says whether what is there is up to date.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
reference=docs/commands.md

tmp=$(mktemp -d)
trap 'rm -r "$tmp"' EXIT
go build -o "$tmp/signet" ./cmd/signet
# Nothing of this machine may find its way into the text.
env -i HOME="$tmp" "$tmp/signet" help --markdown >"$tmp/commands.md"

if [ "${1:-}" = --check ]; then
	diff "$reference" "$tmp/commands.md" || {
		echo "$reference is not what signet says of its commands: run make docs" >&2
		exit 1
	}
	exit
fi
cp "$tmp/commands.md" "$reference"
