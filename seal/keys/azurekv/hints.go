// SPDX-License-Identifier: Apache-2.0

package azurekv

import (
	"net/http"

	"github.com/signet-secrets/signet/seal/keys"
)

const hintLogin = "log in with: az login; or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"

// permission is the key permission that the call needed.
func (f failure) permission() string {
	switch {
	case f.lookup:
		return "get"
	case f.operation == keys.Wrapping:
		return "encrypt"
	}
	return "decrypt"
}

// hint is the next step after err, or "".
func (f failure) hint(err error) string {
	k, keyErr := parseKey(f.entry)
	if keyErr != nil {
		return ""
	}
	switch e := err.(type) {
	case *noCredentialsError:
		return hintLogin
	case *credentialsError:
		return hintTenant(e.tenant)
	case *timeoutError:
		if e.doing == doingLookup {
			return "no answer from where the credentials come from; AZURE_TOKEN_CREDENTIALS=AzureCLICredential leaves all but az login out"
		}
	case *challengeError:
		return "check the vault URL: https://" + k.host + " does not answer like a vault of " + k.domain()
	case *disabledError:
		return "enable the version, or make a new one: az keyvault key set-attributes " + k.flags() + " --version " + id(e.version) + " --enabled true"
	case *hostError:
		return "check the vault URL, and whether the vault was deleted: az keyvault list-deleted"
	case *answerError:
		return f.hintAnswer(k, e)
	}
	return ""
}

func hintTenant(tenant string) string {
	if tenant == "" {
		return hintLogin
	}
	return "the vault belongs to tenant " + tenant + ": az login --tenant " + tenant + "; or AZURE_TENANT_ID and the like of an account of that tenant"
}

func (f failure) hintAnswer(k key, e *answerError) string {
	switch {
	case e.code == http.StatusUnauthorized:
		return hintTenant(e.tenant)
	case e.inner == "KeyDisabled":
		return "enable it: az keyvault key set-attributes " + k.flags() + " --enabled true"
	case e.inner == "KeyOperationForbidden":
		return "the key does not permit the operation " + f.permission() + ": az keyvault key set-attributes " + k.flags() + " --ops encrypt decrypt"
	case e.inner == "ForbiddenByFirewall" || e.inner == "ForbiddenByConnection":
		return "the vault's firewall keeps this machine out: az keyvault network-rule add --name " + k.vault() + " --ip-address <address>"
	case e.code == http.StatusForbidden:
		return f.hintDenied(k, e)
	case e.code == http.StatusNotFound:
		return "check name and version: az keyvault key list-versions " + k.flags() + "; a deleted key comes back with az keyvault key recover " + k.flags()
	case e.code == http.StatusBadRequest && f.operation == keys.Unwrapping:
		return "it was wrapped with another key or version, or damaged: compare version and enc with an earlier version of the document"
	case e.code == http.StatusBadRequest:
		return "the key must be of type RSA or RSA-HSM: az keyvault key show " + k.flags()
	case e.code == http.StatusTooManyRequests:
		return "the vault is throttled; sealing to a SealingKey needs one call for many documents"
	}
	return ""
}

// hintDenied is the command that grants what is missing. A vault has roles, or
// access policies; a managed HSM has roles of its own.
func (f failure) hintDenied(k key, e *answerError) string {
	who := e.caller
	if who == "" {
		who = "<object id>"
	}
	policy := "add the key permission " + f.permission() + " to those in the vault's access policy: az keyvault set-policy --name " + k.vault() +
		" --object-id " + who + " --key-permissions " + f.permission() + " <those it has>"
	roles := `assign the role "Key Vault Crypto User": az role assignment create --role "Key Vault Crypto User" --assignee ` + who +
		` --scope "$(az keyvault show --name ` + k.vault() + ` --query id --output tsv)/keys/` + k.name + `"`
	switch {
	case k.isHSM():
		return `assign the role "Managed HSM Crypto User": az keyvault role assignment create --hsm-name ` + k.vault() +
			` --role "Managed HSM Crypto User" --assignee ` + who + " --scope /keys/" + k.name
	case e.inner == "ForbiddenByRbac":
		return roles
	case e.inner == "AccessDenied" || e.inner == "ForbiddenByPolicy":
		return policy
	}
	return roles + "; or, where the vault has access policies, " + policy
}

// flags is the key as az wants it.
func (k key) flags() string {
	if k.isHSM() {
		return "--hsm-name " + k.vault() + " --name " + k.name
	}
	return "--vault-name " + k.vault() + " --name " + k.name
}
