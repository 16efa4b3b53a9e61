# What demo.sh and offline.sh share, for them to source: the scratch folder, the
# programs in the background, and how commands are shown and checked.
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD

die() {
	printf 'demo: error: %s\n' "$*" >&2
	exit 1
}

scratch= background=
# clean_up removes the folder in two tries: a program that was interrupted may
# still write.
clean_up() {
	local code=$? pid
	trap '' INT TERM HUP PIPE
	# What was started last is stopped first.
	for pid in $background; do stop "$pid" || true; done
	case $code in 0 | 130 | 141 | 143) ;; *) logs >&2 || true ;; esac
	[ -z "$scratch" ] || rm -rf "$scratch" 2>/dev/null || { sleep 0.5 && rm -rf "$scratch"; }
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
trap 'exit 141' PIPE

# logs prints what programs in the background said last. The logs go with the
# scratch folder.
logs() {
	local log
	for log in "${scratch:-/nowhere}"/*.log; do
		[ ! -s "$log" ] || printf '\nend of %s:\n%s\n' "${log##*/}" "$(tail -n 20 "$log")"
	done
}

# stop PID ends a program in the background. Its exit code is the result.
stop() {
	background=${background/ $1 / }
	kill "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null
}

# prepare PROGRAM... makes the scratch folder and puts programs of Signet into
# it. With tools it is the only part that sees the user's environment.
prepare() {
	local program
	scratch=$(mktemp -d "${TMPDIR:-/tmp}/signet-demo.XXXXXX")
	mkdir -p "$scratch/bin" "$scratch/home" "$scratch/shop"
	GOTMPDIR=$scratch go build -o "$scratch/bin/demo" ./internal/demo
	GOTMPDIR=$scratch go build -o "$scratch/bin/kmstest" ./internal/kmstest/cmd
	for program in "$@"; do
		[ -x "$root/bin/$program" ] || die "bin/$program is missing: run \`make build\`"
		ln -s "$root/bin/$program" "$scratch/bin/"
	done
}

# tools NAME... adds programs of others, built first if need be.
tools() {
	local paths path
	paths=$("$root/internal/testbin/build.sh" "$@")
	while read -r path; do ln -s "$path" "$scratch/bin/"; done <<<"$paths"
}

# isolate makes sure that nothing of the user's is read or written: no keys, no
# clusters, no Git configuration, no hooks.
isolate() {
	unset CDPATH GREP_OPTIONS "${!SOPS_@}" "${!GIT_@}" "${!XDG_@}" "${!KUSTOMIZE_@}" "${!AGE_@}" "${!AWS_@}" "${!SIGNET_@}" "${!VAULT_@}" "${!KUBE@}"
	export PATH="$scratch/bin:$PATH" HOME="$scratch/home" XDG_CONFIG_HOME="$scratch/home/.config"
	export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL="$scratch/gitconfig" GIT_PAGER=cat GIT_TEMPLATE_DIR=
	git config --global init.defaultBranch main
	export GIT_AUTHOR_NAME=Mina GIT_AUTHOR_EMAIL=mina@shop.example
	export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
	export LC_ALL=C NO_COLOR=1
	cd "$scratch/shop"
}

bold= dim= green= plain=
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
	bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' plain=$'\e[0m'
fi

steps=0
step() { printf '\n%s%d. %s%s\n' "$bold" "$((steps += 1))" "$*" "$plain"; }

# say prints the explanation on stdin, with a blank line around it.
say() { printf '\n' && sed 's/^/   /' && printf '\n'; }

ok() { printf '   %s=> %s%s\n' "$green" "$*" "$plain"; }

# shorten cuts long lines, and the inside of the age blocks.
shorten() {
	awk -v width=92 -v dim="$dim" -v plain="$plain" '
		function put(s) {
			if (length(s) <= width) print "   " s
			else print "   " substr(s, 1, width - 4) dim " ..." plain
		}
		/END AGE/ { printf "   %*s%s... %d more lines%s\n", at, "", dim, n - 1, plain; n = 0; inside = 0 }
		!inside || ++n == 1 { put($0) }
		/BEGIN AGE/ { inside = 1; at = match($0, /-----/) - 1 }'
}

prompt() { printf '   %s$ %s%s\n' "$bold" "$1" "$plain"; }

# run COMMAND shows a command and its output; the command must succeed.
run() {
	prompt "$1"
	eval "$1" 2>&1 | shorten || die "failed: $1"
}

# nothing_found COMMAND runs a search that must find nothing: grep says so with
# exit code 1.
nothing_found() {
	local code=0
	prompt "$1"
	eval "$1" >"$scratch/out" 2>&1 || code=$?
	shorten <"$scratch/out"
	[ "$code" -eq 1 ] && [ ! -s "$scratch/out" ] || die "exit code $code, not \"nothing found\": $1"
}

# refused TEXT COMMAND [CODE] runs a command that must end with exit code CODE
# (3), print nothing on stdout and give a reason that holds TEXT.
refused() {
	local code=0 want=${3:-3}
	prompt "$2"
	eval "$2" >"$scratch/out" 2>"$scratch/err" || code=$?
	fold -s -w 86 "$scratch/err" | sed -e 's/ *$//' -e '/^signet:/!{/^Error:/!s/^/  /;}' -e 's/^/   /'
	[ "$code" -eq "$want" ] || die "exit code $code, want $want: $2"
	[ ! -s "$scratch/out" ] || die "there is output on stdout: $2"
	grep -qF -- "$1" "$scratch/err" || die "the reason does not hold \"$1\": $2"
	ok "refused: exit code $code, nothing on stdout"
}

# eventually COMMAND repeats a command in silence until it succeeds, for a minute
# at most.
eventually() {
	local end=$((SECONDS + 60))
	until eval "$1" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || die "not so within a minute: $1"
		sleep 0.1
	done
}

search_repository() {
	[ -z "$(git status --porcelain)" ] || die "there are files that are not committed"
	nothing_found "git grep -F -f ../patterns.txt \$(git rev-list --all)"
	nothing_found "git cat-file --batch-all-objects --batch | grep -a -F -f ../patterns.txt"
	ok "nothing found: no value is in the repository, now or before, in any form"
}

# same FOLDER compares values that were taken out with the originals.
same() {
	diff -r ../values "$1" || die "${1##*/} holds other values"
	ok "all values are what was sealed"
}

# start_kms runs the AWS KMS of the tests on this machine, and puts into the
# environment what programs need to use it.
start_kms() {
	local pid
	kmstest -key shop -env-file "$scratch/kms.env" -stop-after 15m >/dev/null 2>"$scratch/kms.log" &
	pid=$! background=" $! $background"
	until [ -s "$scratch/kms.env" ]; do
		kill -0 "$pid" 2>/dev/null || die "the test KMS ended: $(cat "$scratch/kms.log")"
		sleep 0.1
	done
	. "$scratch/kms.env"
}

# calls WANT prints what KMS was asked for so far.
calls() {
	local got
	got=$(demo calls "$KMSTEST_URL")
	printf '   %scalls to KMS: %s%s\n' "$green" "$got" "$plain"
	[ "$got" = "$1" ] || die "calls to KMS: $got, want $1"
}
