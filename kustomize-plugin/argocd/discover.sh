#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Argo CD runs this in the directory of an Application that names no plugin. Names
# printed say that the plugin is for it; an exit code other than 0 would be an
# error. Installed as signet-argocd-discover; see README.md on why it is off.
set -eu

find . -name '.?*' -prune -o -type f \( -name '*.yaml' -o -name '*.yml' -o -name '*.json' \) \
	-exec grep -qF 'ENC[AES256_GCM,' {} \; \
	-exec grep -qE 'kind["'\'']?[[:space:]]*:[[:space:]]*["'\'']?(SealedSecret|Secret)' {} \; \
	-print
