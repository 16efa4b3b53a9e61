#!/usr/bin/env bash
# Usage: internal/testbin/build.sh NAME...
#
# Builds the programs that the tests and the demo run (sops, kustomize, ...)
# from the modules in this folder, unless the cache has them, and prints their
# absolute paths on stdout, one per line in the order asked for. Progress goes
# to stderr. See README.md.
set -euo pipefail
trap '' PIPE # a caller that stopped reading must not end a build half-way

cd "$(dirname "${BASH_SOURCE[0]}")"

# Nothing of the caller's configuration may change the program that is built.
unset GOOS GOARCH GOEXPERIMENT GO111MODULE
export CGO_ENABLED=0 GOFLAGS=-mod=readonly GOWORK=off

heartbeat_seconds=30
me=$$
started= tmp= lock_dir= go_pid= beat_pid=

say() { printf 'testbin: %s\n' "$*" >&2 || true; }

die() {
	say "error: $*"
	exit 1
}

# describe NAME sets what is particular to one program: `flags` for the linker
# as its upstream releases set them, `check` (arguments) and `expect` (a line
# that the finished program must print for them), and `minutes`, roughly how long
# a first build takes on two cores.
describe() {
	flags='-s -w'
	case $1 in
	sops) # upstream: .goreleaser.yaml
		flags+=" -X github.com/getsops/sops/v3/version.Version=${version#v}"
		check=(--version --disable-version-check) expect="sops ${version#v}" minutes="3 minutes"
		;;
	kustomize) # upstream: releasing/; no build date, so that equal sources give equal bytes
		flags+=" -X sigs.k8s.io/kustomize/api/provenance.version=$version"
		check=(version) expect=$version minutes="1 minute"
		;;
	kube-apiserver | kube-controller-manager | kubectl) # upstream: hack/lib/version.sh; no commit, no build date
		local v=k8s.io/component-base/version
		flags+=" -X $v.gitVersion=$version -X $v.gitMajor=1 -X $v.gitMinor=$(cut -d. -f2 <<<"$version")"
		check=(--version) expect="Kubernetes $version" minutes="2 minutes"
		case $1 in
		kube-apiserver) minutes="5 minutes" ;;
		kubectl) check=(version --client) expect="Client Version: $version" ;;
		esac
		;;
	etcd) # upstream: scripts/build_lib.sh; no commit
		check=(--version) expect="etcd Version: ${version#v}" minutes="1 minute"
		;;
	sealed-secrets-controller) # upstream: .goreleaser.yml
		flags+=" -X main.VERSION=${version#v}"
		check=(--version) expect="controller version: ${version#v}" minutes="3 minutes"
		;;
	kubeseal) # upstream: .goreleaser.yml
		flags+=" -X main.VERSION=${version#v}"
		check=(--version) expect="kubeseal version: ${version#v}" minutes="3 minutes"
		;;
	sealed-secrets-golden) # ours, of upstream's packages
		flags+=" -X main.version=${version#v}"
		check=(version) expect="sealed-secrets-golden ${version#v}" minutes="3 minutes"
		;;
	helm) # upstream: Makefile; no commit
		flags+=" -X helm.sh/helm/v4/internal/version.version=$version"
		check=(version --template '{{.Version}}') expect=$version minutes="4 minutes"
		;;
	argocd-cmp-server) # upstream: Makefile; no commit, for which its version says unknown
		flags+=" -X github.com/argoproj/argo-cd/v3/common.version=${version#v}"
		check=(version) expect="argocd-cmp-server: $version+unknown" minutes="6 minutes"
		;;
	*) die "$1: build.sh has no entry for it in describe" ;;
	esac
}

# pinned prints the package after `tool` in a go.mod and the version of the
# module that holds it. Without a tool the program is the folder itself, and its
# version that of the first module it requires.
pinned() {
	awk '
		$1 == "tool" { tool = $2 }
		$1 == "require" { $1 = ""; $0 = $0 }
		$2 ~ /^v[0-9]/ { version[$1] = $2; if (!first) first = $2 }
		END {
			if (!tool) { print ".", first; exit }
			for (m in version)
				if (index(tool "/", m "/") == 1 && length(m) > length(best)) best = m
			print tool, version[best]
		}' "$1"
}

sha256() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -c1-16; }

# start_heartbeat TEXT says every half minute that the script is still at it.
start_heartbeat() {
	(
		trap 'kill "${nap:-}" 2>/dev/null; exit' TERM
		while sleep "$heartbeat_seconds" & nap=$!; wait "$nap" && kill -0 "$me" 2>/dev/null; do
			say "still $1, $((SECONDS - started)) s so far"
		done
	) 9>&- >/dev/null &
	beat_pid=$!
}

stop_heartbeat() {
	[ -z "$beat_pid" ] || { kill "$beat_pid" && wait "$beat_pid"; } 2>/dev/null || true
	beat_pid=
}

clean_up() {
	stop_heartbeat
	[ -z "$go_pid" ] || kill "$go_pid" 2>/dev/null || true
	[ -z "$tmp" ] || rm -rf "$tmp"
	unlock
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# lock FILE waits until this process alone may build. With flock(1) the kernel
# lets go when the last holder is gone, a compiler that outlives a killed
# script included. Without it a folder is the lock, and one whose owner is dead
# is moved away (a rename succeeds for one waiter only).
lock() {
	if command -v flock >/dev/null; then
		exec 9>"$1"
		flock -n 9 && return
		wait_for_lock flock -w 1 9
		return
	fi
	take_lock_dir "$1.d" || wait_for_lock take_lock_dir "$1.d"
}

wait_for_lock() {
	say "waiting for another build of $name"
	start_heartbeat "waiting for another build of $name"
	until "$@"; do :; done
	stop_heartbeat
}

take_lock_dir() {
	local owner
	if mkdir "$1" 2>/dev/null; then
		lock_dir=$1
		echo "$me" >"$1/pid"
		return
	fi
	sleep 1 # also leaves a new owner the time to write its pid
	owner=$(cat "$1/pid" 2>/dev/null || true)
	if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null && mv "$1" "$1.stale.$me" 2>/dev/null; then
		say "removed the lock of process $owner, which is gone"
		rm -rf "$1.stale.$me"
	fi
	return 1
}

unlock() {
	exec 9>&-
	[ -z "$lock_dir" ] || rm -rf "$lock_dir"
	lock_dir=
}

# compile NAME PACKAGE OUT builds into a temporary folder beside OUT, checks
# the program and renames it into place.
compile() {
	local dir got
	dir=$(dirname "$3") started=$SECONDS
	rm -rf "$dir"/.tmp.* # of builds that were killed; the lock is held
	mkdir -p "$dir"
	tmp=$(mktemp -d "$dir/.tmp.XXXXXX")
	say "building $1 ${version#v} (first time only, about $minutes) ..."
	start_heartbeat "building $1"
	go build -C "$1" -trimpath -buildvcs=false -ldflags "$flags" -o "$tmp/$1" "$2" >&2 &
	go_pid=$!
	wait "$go_pid" || {
		go_pid=
		die "$1 ${version#v} did not build"
	}
	go_pid=
	stop_heartbeat
	got=$("$tmp/$1" "${check[@]}" 2>&1) || die "$1 ${check[*]}: exit code $?: $got"
	grep -qxF -- "$expect" <<<"$got" || die "$1 ${check[*]} printed \"$got\", want \"$expect\""
	mv -f "$tmp/$1" "$3"
	rm -rf "$tmp"
	tmp=
	say "built $1 ${version#v} in $((SECONDS - started)) s: $3"
}

# ensure NAME prints the path of the program and builds it if it is missing.
ensure() {
	local pin package version flags check expect minutes hash out
	name=$1 started=$SECONDS
	[ -f "$name/go.mod" ] || die "unknown program \"$name\"; there are: $(echo */ | tr -d /)"
	pin=$(pinned "$name/go.mod")
	package=${pin% *} version=${pin#* }
	describe "$name"
	hash=$({
		cat "$name/go.mod" "$name/go.sum"
		[ "$package" != . ] || cat "$name"/*.go
		(cd "$name" && go version)
		echo "$flags"
	} | sha256)
	out=$cache/$name-$hash/$name
	if [ ! -x "$out" ]; then
		mkdir -p "$cache"
		lock "$cache/.$name.lock"
		[ -x "$out" ] || compile "$name" "$package" "$out"
		unlock
	fi
	printf '%s\n' "$out"
}

[ $# -gt 0 ] || die "usage: build.sh NAME...; there are: $(echo */ | tr -d /)"
command -v go >/dev/null || die "no go command in PATH"
cache=${SIGNET_TESTBIN_CACHE:-${XDG_CACHE_HOME:-${HOME:?set HOME or SIGNET_TESTBIN_CACHE}/.cache}/signet/testbin}
case $cache in /*) ;; *) die "the cache folder \"$cache\" is not an absolute path" ;; esac
for name in "$@"; do
	ensure "$name"
done
