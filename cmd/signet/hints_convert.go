// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"

	"github.com/signet-secrets/signet/internal/bitnami"
	"github.com/signet-secrets/signet/internal/report"
)

// clusterKeys prints the private keys of the Sealed Secrets controller.
const clusterKeys = "kubectl get secret -A -l sealedsecrets.bitnami.com/sealed-secrets-key -o yaml"

// convertHint is about converting.
func convertHint(err error) string {
	if e, ok := report.As[*formFlagError](err); ok && e.given == "" {
		return "say what it is to become: --to sealedsecret, or --to sops"
	}
	if hint := bitnamiHint(err); hint != "" {
		return hint
	}
	switch {
	case errors.Is(err, errNothingToConvert):
		return "--to sealedsecret converts Secrets of SOPS and SealedSecrets of Bitnami, --to sops converts SealedSecrets; a Secret in clear is sealed with: signet seal"
	case errors.Is(err, errOnlySecrets):
		return "leave it to SOPS, in a file of its own"
	case errors.Is(err, errNoObject):
		return "leave it to sops; only Kubernetes Secrets are converted"
	case errors.Is(err, errSOPSAlone):
		return "put the SealedSecrets into a file of their own first"
	case errors.Is(err, errHoldsOther):
		return "compare the two; --force replaces it"
	case errors.Is(err, errOverInput):
		return "name another file; when the result is good, remove the old one by hand"
	case errors.Is(err, errOutsideDir):
		return "remove the link, which may have come with the repository, or name another directory"
	case errors.Is(err, errInsideInput):
		return "name a directory beside it"
	case errors.As(err, new(*sameTargetError)):
		return "convert one directory at a time, each with its own --out-dir"
	}
	return ""
}

// bitnamiHint is about the SealedSecrets of Bitnami and their keys.
func bitnamiHint(err error) string {
	if e, ok := report.As[*bitnami.TemplateError](err); ok {
		if e.Unsupported {
			return "--skip-templates converts the rest of it; put the key in afterwards"
		}
		return "Sealed Secrets cannot render it either; correct the template, or leave the key out with --skip-templates"
	}
	if e, ok := report.As[*bitnami.OpenError](err); ok {
		return openHint(e)
	}
	switch {
	case errors.Is(err, errNoFromKey):
		return "fetch them, and name the file with --from-key, or pipe them to --from-key -: " + clusterKeys
	case errors.Is(err, bitnami.ErrCertificate):
		return "the private keys are in the cluster: " + clusterKeys
	case errors.Is(err, bitnami.ErrPassphrase):
		return "take the passphrase off in a pipe: openssl pkey -in " + fileOf(err) + " | signet convert --from-key - ..."
	case errors.Is(err, bitnami.ErrNoKey):
		return "it takes PEM, or the Secrets that hold the keys: " + clusterKeys
	}
	return ""
}

func openHint(e *bitnami.OpenError) string {
	switch {
	case e.OpensAs != "":
		return "Sealed Secrets does not open it so either: somebody has changed its annotations; put them back as they were when it was sealed"
	case e.NoNamespace:
		return "name its namespace: -n NAMESPACE"
	}
	return "it was sealed for another key, name or namespace; old keys stay in the cluster, give all of them: " + clusterKeys
}
