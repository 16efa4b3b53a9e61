// SPDX-License-Identifier: Apache-2.0

package main

import (
	"regexp"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/helmtext"
	"github.com/signet-secrets/signet/seal/manifest"
)

// reference is what a name of something elsewhere becomes before a text is looked
// at: helmtext knows this form.
const reference = "${reference}"

// references finds what other programs replace: <path:PATH#KEY> of
// argocd-vault-plugin, ref+PROVIDER://... of vals and helmfile, and $(NAME) of
// kustomize, Tekton and Azure Pipelines. Of the providers of vals those are left
// out that give back what stands there.
var references = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`<path:[^<>#\n]+#[^<>\n]+>` +
		`|\b(?:secret)?ref\+(?:vault|aws[a-z]+|s3|gcs|gcp[a-z]+|gkms|googlesheets|sops|tfstate[a-z0-9]*|azurekeyvault|file|envsubst|gitlab|op|onepasswordconnect|` +
		`doppler|pulumistateapi|k8s|conjur|hcpvaultsecrets|bitwarden|bws|infisical|keychain|oci[a-z]*|secretserver|delinea|scaleway|yclockbox|httpjson|vaultproject)://[^\s+"'<>]+\+?` +
		`|\$\([A-Za-z_][A-Za-z0-9_.-]*\)`)
})

// placeholders finds <NAME>, perhaps with modifiers, as argocd-vault-plugin
// replaces it in an object with its annotation.
var placeholders = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`<[A-Za-z][A-Za-z0-9_.-]*[ \t]*(?:\|[^<>\n]*)?>`)
})

// vaultAnnotation is what annotations of argocd-vault-plugin begin with.
const vaultAnnotation = "avp.kubernetes.io/"

// withReferences writes the names of what is elsewhere in one form. Lines stay
// as they are.
func withReferences(text string, hasPlaceholders bool) string {
	if strings.Contains(text, "<path:") || strings.Contains(text, "ref+") || strings.Contains(text, "$(") {
		text = references().ReplaceAllLiteralString(text, reference)
	}
	if hasPlaceholders {
		text = placeholders().ReplaceAllLiteralString(text, reference)
	}
	return text
}

// hasPlaceholders reports whether an object is one whose values
// argocd-vault-plugin fills in.
func hasPlaceholders(n *yaml.Node) bool {
	for _, key := range manifest.Keys(manifest.Get(n, "metadata", "annotations")) {
		if strings.HasPrefix(key, vaultAnnotation) {
			return true
		}
	}
	return false
}

// isReference reports whether a text, in what is no template, is nothing but names
// of what another program puts there, as ${PASSWORD} and {{ .Values.password }} are.
func isReference(text string, hasPlaceholders bool) bool {
	text = withReferences(text, hasPlaceholders)
	return (strings.Contains(text, "${") || helmtext.IsTemplate(text)) && helmtext.OnlyReferences(text)
}
