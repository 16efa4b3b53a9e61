#!/usr/bin/env bash
# Usage: internal/fuzz.sh [PACKAGE...]   (default ./...)
#
# Runs every fuzz target of the packages for $FUZZTIME each (a duration, or
# 100x for a hundred inputs; default 30s), one after the other, and fails at
# the end if any of them failed. Go writes a failing input to the package's
# testdata/fuzz: commit it with the fix and it is a test from then on.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
fuzztime=${FUZZTIME:-30s} # minimising is cut short: by default it eats most of it
[ $# -gt 0 ] || set -- ./...

# "PACKAGE TARGET" a line. `go test -list` prints the targets of a package,
# then "ok PACKAGE TIME" (or "? PACKAGE [no test files]").
listing=$(go test -list '^Fuzz' "$@") || {
	printf '%s\n' "$listing" >&2
	exit 1
}
targets=$(awk '/^Fuzz/ { names[++n] = $1 } $1 == "ok" { for (i = 1; i <= n; i++) print $2, names[i]; n = 0 }' <<<"$listing")
[ -n "$targets" ] || {
	echo "fuzz: no fuzz target in $*" >&2
	exit 1
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# fuzz PACKAGE TARGET. The go command sometimes reports its own deadline, at
# the end of FUZZTIME, as a failure; one that left no input behind is no crash.
fuzz() {
	go test -run '^$' -fuzz "^$2\$" -fuzztime "$fuzztime" -fuzzminimizetime 5x "$1" 2>&1 </dev/null | tee "$log" && return
	grep -q 'context deadline exceeded' "$log" && ! grep -q 'Failing input written to' "$log"
}

total=0 failed=()
while read -r package target; do
	echo "fuzz: $package $target for $fuzztime"
	total=$((total + 1))
	fuzz "$package" "$target" || failed+=("$package $target")
done <<<"$targets"

echo "fuzz: $total targets, ${#failed[@]} failed"
[ ${#failed[@]} -eq 0 ] || {
	printf 'fuzz: failed: %s\n' "${failed[@]}" >&2
	exit 1
}
