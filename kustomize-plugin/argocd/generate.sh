#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Argo CD runs this in the directory of an Application and takes what it prints for
# the Application's manifests. Whatever goes wrong, nothing is printed and the
# exit code is not 0: with pruning, an empty answer deletes everything.
# Installed as signet-argocd-generate. POSIX sh; see README.md for parameters.
set -eu

# Argo CD gives a plugin 60 s by default and then says nothing about why.
export SIGNET_TIMEOUT="${SIGNET_TIMEOUT:-50s}"

# Argo CD shows stderr: first what went wrong, then what helps.
fail() {
	printf 'signet: error: %s\nsignet: hint: %s\n' "$1" "$2" >&2
	exit 1
}

# A manifest must not go missing because of where it lies.
fail_link() {
	fail 'there are symbolic links, which are not followed' "replace them by what they point to$1"
}

# A name, and nothing that --only-namespace would take for several, or for all.
is_namespace() {
	case $1 in
	'' | *[!a-z0-9-]*) return 1 ;;
	esac
}

namespace=${ARGOCD_APP_NAMESPACE:-}
is_namespace "$namespace" ||
	fail 'the Application has no destination namespace' \
		'set spec.destination.namespace: only what was sealed for that namespace is opened'

# The parameter "namespaces" opens more, if it comes from who edits the
# Application and the administrator permits it. Files named .argocd-source...
# override parameters from within Git.
only=$namespace
permitted=,${SIGNET_PARAMETER_NAMESPACES:-},
[ -z "${PARAM_NAMESPACES+set}" ] || fail 'the parameter "namespaces" is no array' 'write it as array: [NAMESPACE, ...]'
i=0
while item=$(printenv "PARAM_NAMESPACES_$i"); do
	[ "$item" = '*' ] || is_namespace "$item" ||
		fail 'the parameter "namespaces" holds what is no namespace' 'write it as array: [NAMESPACE, ...]'
	case $permitted in
	*,"$item",* | *,'*',*) ;;
	*) fail "the parameter \"namespaces\" may not name $item" \
		'the administrator of Argo CD permits it with SIGNET_PARAMETER_NAMESPACES on the container of the plugin' ;;
	esac
	only=$only,$item
	i=$((i + 1))
done
if [ "$i" -gt 0 ]; then
	for file in ./.argocd-source*; do
		[ ! -e "$file" ] && [ ! -L "$file" ] ||
			fail "the parameter \"namespaces\" cannot be trusted beside $file" \
				'such a file can set parameters from Git: remove it, or the parameter'
	done
fi

set -- --only-namespace "$only"
# Objects without a namespace get the Application's. With several to choose from
# they have to name theirs.
[ "$i" -gt 0 ] || set -- "$@" --namespace "$namespace"
empty=${PARAM_ALLOW_EMPTY:-false}

renderer=
if [ -e kustomization.yaml ] || [ -e kustomization.yml ] || [ -e Kustomization ]; then
	renderer=kustomize
elif [ -e Chart.yaml ]; then
	renderer=helm
fi

# What renders reads what tenants have written. It gets no variable of this
# container, for keys may be among them; no git, which runs the programs that an
# option in ?ref= of a remote base names; and for URLs a proxy that is not there.
# Either of PATH and GIT_ALLOW_PROTOCOL is enough; two mistakes open it, not one.
if [ -n "$renderer" ]; then
	program=$(command -v "$renderer") || fail "there is no $renderer" 'build the image from that of Argo CD'
	set -- "$@" -- env -i HOME=/nonexistent "TMPDIR=${TMPDIR:-/tmp}"
	if [ -z "${SIGNET_GIT_PROTOCOLS:-}" ]; then
		set -- "$@" PATH=/nonexistent GIT_ALLOW_PROTOCOL=none HTTP_PROXY=http://127.0.0.1:1 HTTPS_PROXY=http://127.0.0.1:1
	else
		set -- "$@" "PATH=$PATH" "GIT_ALLOW_PROTOCOL=$SIGNET_GIT_PROTOCOLS" GIT_TERMINAL_PROMPT=0
		for name in HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy SSL_CERT_FILE SSL_CERT_DIR; do
			! value=$(printenv "$name") || set -- "$@" "$name=$value"
		done
	fi
	set -- "$@" "$program"
fi

if [ "$renderer" = kustomize ]; then
	set -- "$@" build .
elif [ "$renderer" = helm ]; then
	links=$(find . -type l -print) # helm would follow them, to any file
	[ -z "$links" ] || fail_link ''
	# In an Application outside of Argo CD's namespace the name has that before it.
	set -- "$@" template "${ARGOCD_APP_NAME#*_}" . --namespace "$namespace" --include-crds
	[ -z "${KUBE_VERSION:-}" ] || set -- "$@" --kube-version "$KUBE_VERSION"
	[ -z "${KUBE_API_VERSIONS:-}" ] || set -- "$@" --api-versions "$KUBE_API_VERSIONS"
	i=0
	while item=$(printenv "PARAM_VALUES_$i"); do
		case $item in # helm would read any file, and URLs, and takes a comma for the end of a name
		'' | -* | /* | .. | ../* | */.. | */../* | *:*)
			fail 'the parameter "values" names a file outside of the chart' 'name files by their path within the chart' ;;
		*[!A-Za-z0-9._/-]*)
			fail 'the parameter "values" names a file with characters that are not allowed' 'letters, digits and . _ / - are; name each file by an item of its own' ;;
		esac
		set -- "$@" --values "$item"
		i=$((i + 1))
	done
else
	# The files are opened by a run of their own, so that an empty file among
	# others passes, but no manifest at all does not.
	set -- "$@" -- signet unseal --allow-empty "$@"
	if [ "${PARAM_RECURSE:-false}" = true ]; then
		[ -z "$(find . -name '.?*' -prune -o -type l -print)" ] || fail_link ', or list that in a kustomization'
		set -- "$@" .
	else
		found=
		for file in ./*.yaml ./*.yml ./*.json; do
			[ ! -L "$file" ] || fail_link ', or list that in a kustomization' # Argo CD makes some lead nowhere
			[ -f "$file" ] || continue
			set -- "$@" "$file"
			found=yes
		done
		if [ -z "$found" ]; then
			[ "$empty" != true ] || exit 0
			fail 'there is no kustomization, no Chart.yaml and no .yaml, .yml or .json file' \
				'correct the path of the Application; the parameter recurse looks into directories too, allow-empty accepts it'
		fi
	fi
fi

[ "$empty" != true ] || set -- --allow-empty "$@"

# What is said about other things would push the cause out of sight. Here the
# file goes with the directory, whatever becomes of this script.
said=$(mktemp ./.signet.XXXXXX)
status=0
signet unseal "$@" 2>"$said" || status=$?
sed -e '/^signet: note: /d' -e '/^# Warning: /d' -e '/^signet: error: run signet: exit status/d' \
	-e "s/^\(signet: error: \)\(run \)\{0,1\}env\([,:] \)/\1\2$renderer\3/" "$said" >&2
if grep -q -e "no 'git' program on path" -e 'proxyconnect tcp: dial tcp 127\.0\.0\.1:1:' "$said"; then
	printf 'signet: hint: nothing is fetched from other places: copy what is needed into the repository\n' >&2
fi
if grep -q -e ' was asked for$' -e '; documents are opened for ' "$said"; then
	printf 'signet: hint: in Argo CD the destination namespace of the Application (%s) and its parameter "namespaces" say what is opened\n' "$namespace" >&2
fi
exit "$status"
