#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Argo CD runs this in the folder of an Application and takes what it prints for
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
	fail 'there are symbolic links, which are not followed' 'replace them by what they point to, or list that in a kustomization'
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

if [ -e kustomization.yaml ] || [ -e kustomization.yml ] || [ -e Kustomization ]; then
	set -- "$@" -- kustomize build .
elif [ -e Chart.yaml ]; then
	# In an Application outside of Argo CD's namespace the name has that before it.
	set -- "$@" -- helm template "${ARGOCD_APP_NAME#*_}" . --namespace "$namespace" --include-crds
	[ -z "${KUBE_VERSION:-}" ] || set -- "$@" --kube-version "$KUBE_VERSION"
	[ -z "${KUBE_API_VERSIONS:-}" ] || set -- "$@" --api-versions "$KUBE_API_VERSIONS"
	i=0
	while item=$(printenv "PARAM_VALUES_$i"); do
		case $item in # helm would read any file, and URLs
		'' | -* | /* | .. | ../* | */.. | */../* | *:*)
			fail 'the parameter "values" names a file outside of the chart' 'name files by their path within the chart' ;;
		esac
		set -- "$@" --values "$item"
		i=$((i + 1))
	done
else
	# The files are opened by a run of their own, so that an empty file among
	# others passes, but no manifest at all does not.
	set -- "$@" -- signet unseal --allow-empty "$@"
	if [ "${PARAM_RECURSE:-false}" = true ]; then
		[ -z "$(find . -name '.?*' -prune -o -type l -print)" ] || fail_link
		set -- "$@" .
	else
		found=
		for file in ./*.yaml ./*.yml ./*.json; do
			[ ! -L "$file" ] || fail_link # Argo CD makes some lead nowhere
			[ -f "$file" ] || continue
			set -- "$@" "$file"
			found=yes
		done
		if [ -z "$found" ]; then
			[ "$empty" != true ] || exit 0
			fail 'there is no kustomization, no Chart.yaml and no .yaml, .yml or .json file' \
				'correct the path of the Application; the parameter recurse looks into folders too, allow-empty accepts it'
		fi
	fi
fi

[ "$empty" != true ] || set -- --allow-empty "$@"

# What is said about other things would push the cause out of sight. Here the
# file goes with the folder, whatever becomes of this script.
said=$(mktemp ./.signet.XXXXXX)
status=0
signet unseal "$@" 2>"$said" || status=$?
grep -v -e '^signet: note: ' -e '^# Warning: ' -e '^signet: error: run signet: exit status' "$said" >&2 || :
if grep -q -e ' was asked for$' -e '; documents are opened for ' "$said"; then
	printf 'signet: hint: in Argo CD the destination namespace of the Application (%s) and its parameter "namespaces" say what is opened\n' "$namespace" >&2
fi
exit "$status"
