// SPDX-License-Identifier: Apache-2.0

package gcpkms

import (
	"errors"
	"net/http"
	"strings"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/internal/chars"
)

const hintLogin = "log in with: gcloud auth application-default login; or name the key file of a service account in " + envApplication

// right is what one operation needs.
type right struct {
	permission, role string
}

func rightFor(o keys.Operation) right {
	if o == keys.Wrapping {
		return right{"cloudkms.cryptoKeyVersions.useToEncrypt", "roles/cloudkms.cryptoKeyEncrypter"}
	}
	return right{"cloudkms.cryptoKeyVersions.useToDecrypt", "roles/cloudkms.cryptoKeyDecrypter"}
}

// hint is the next step after err, or "". g is nil when it did not come to a
// request.
func (f failure) hint(g *grant, err error) string {
	if errors.As(err, new(*noCredentialsError)) {
		return hintLogin
	}
	if e := new(credentialsError); errors.As(err, &e) {
		if e.place == envEndpoint || e.place == envSOPSUniverse || e.place == envUniverse || e.place == "endpoint" {
			return "correct " + e.place + ", or leave it out for Google's own Cloud KMS"
		}
		return hintLogin
	}
	if e := new(timeoutError); errors.As(err, &e) && e.doing == doingLookup {
		return "no answer from where the credentials come from; outside Google Cloud, " + hintLogin
	}
	answer := new(answerError)
	name, nameErr := parseKeyName(f.entry.ResourceID)
	if !errors.As(err, &answer) || nameErr != nil {
		return ""
	}
	switch {
	case answer.code == http.StatusUnauthorized:
		return hintLogin
	case answer.reason == "SERVICE_DISABLED":
		return "enable the API in the project that the error names: gcloud services enable cloudkms.googleapis.com --project <project>"
	case answer.reason == "USER_PROJECT_DENIED":
		return "choose a project that you may use for quota: gcloud auth application-default set-quota-project <project>; " +
			"or have roles/serviceusage.serviceUsageConsumer granted on the one that the error names"
	case answer.code == http.StatusForbidden:
		return f.hintDenied(name, g)
	case answer.code == http.StatusNotFound:
		return "check the resource id: gcloud kms keys list --project " + name.project + " --location " + name.location + " --keyring " + name.ring
	case answer.status == "FAILED_PRECONDITION":
		return "enable the version of the key: gcloud kms keys versions list --key " + name.flags() +
			"; then gcloud kms keys versions enable <version> with the same flags"
	case answer.status == "INVALID_ARGUMENT" && f.operation == keys.Unwrapping:
		return "it was wrapped with another key, or damaged: compare resource_id and enc with an earlier version of the document"
	case answer.status == "INVALID_ARGUMENT":
		return "the key must have the purpose ENCRYPT_DECRYPT: gcloud kms keys describe " + name.flags()
	case answer.code == http.StatusTooManyRequests:
		return "raise the quota \"Cryptographic requests\" of project " + name.project + ", or seal to a SealingKey, which needs one call for many documents"
	}
	return ""
}

// hintDenied is the command that grants what is missing. It names the caller
// where that is an account.
func (f failure) hintDenied(name keyName, g *grant) string {
	need := rightFor(f.operation)
	member := "<you>"
	if g != nil && isAccount(g.caller) {
		member = "serviceAccount:" + g.caller
	}
	return "the permission " + need.permission + " is in the role " + need.role + ": gcloud kms keys add-iam-policy-binding " +
		name.flags() + " --member " + member + " --role " + need.role
}

// flags is the key as gcloud wants it.
func (n keyName) flags() string {
	return n.key + " --keyring " + n.ring + " --location " + n.location + " --project " + n.project
}

// isAccount reports whether s is the name of an account: an e-mail address.
func isAccount(s string) bool {
	name, domain, found := strings.Cut(s, "@")
	return found && len(s) <= maxDomainBytes && name != "" && domain != "" && chars.Only(name+domain, nameChars+".+")
}
