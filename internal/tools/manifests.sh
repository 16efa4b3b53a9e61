#!/usr/bin/env bash
# Usage: internal/tools/manifests.sh [--check]
#
# Writes the CustomResourceDefinitions and the deep copies of the types in
# controller/v1alpha1, or says whether what is there is up to date.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
crds=controller/config/crd types=controller/v1alpha1 code=zz_generated.deepcopy.go

tmp=$(mktemp -d)
trap 'rm -r "$tmp"' EXIT
# A tool that fails half way must not leave half of its files behind.
go tool -modfile=internal/tools/go.mod controller-gen \
	object:headerFile=internal/tools/boilerplate.go.txt \
	crd:headerFile=internal/tools/boilerplate.yaml.txt \
	paths="./$types" output:object:dir="$tmp/go" output:crd:dir="$tmp/crd"

if [ "${1:-}" = --check ]; then
	diff "$types/$code" "$tmp/go/$code" && diff --exclude=kustomization.yaml -r "$crds" "$tmp/crd" || {
		echo "what is generated from $types is out of date: run make manifests" >&2
		exit 1
	}
	exit
fi
cp "$tmp/go/$code" "$types/"
cp "$tmp"/crd/*.yaml "$crds/"
