#!/usr/bin/env bash
# Usage: internal/no-machine-paths.sh
#
# Fails if a file of the repository holds a path of the machine it was written
# on: the checkout, the folder that it lies in, or the home folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
checkout=$PWD parent=$(dirname "$PWD")

patterns=(-e "$checkout")
case $parent in / | /tmp | /home | /Users | /src | /build) ;; *) patterns+=(-e "$parent/") ;; esac
case ${HOME:-/} in /) ;; *) patterns+=(-e "$HOME/") ;; esac

if git grep --untracked -nIF "${patterns[@]}"; then
	echo "these lines hold paths of this machine" >&2
	exit 1
fi
