// SPDX-License-Identifier: Apache-2.0

package azurekv

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/seal/keys"
)

const (
	unwrapWith = "unwrap with azure_kv " + testVault + "/keys/documents/" + newVersion + ": "
	wrapFor    = "wrap for azure_kv " + testVault + "/keys/documents/" + newVersion + ": "
	wrapNewest = "wrap for azure_kv " + testVault + "/keys/documents/: "
	request    = " (request cccccccc-0000-0000-0000-000000000003)"
	oid        = "bbbbbbbb-0000-0000-0000-000000000002"
	rbacRole   = `assign the role "Key Vault Crypto User": az role assignment create --role "Key Vault Crypto User" --assignee ` + oid +
		` --scope "$(az keyvault show --name signet-demo --query id --output tsv)/keys/documents"`
)

func rbacText(action string) string {
	return "Forbidden (ForbiddenByRbac): Caller is not authorized to perform action on resource. " +
		"If role assignments, deny assignments or role definitions were changed recently, please observe propagation time. " +
		"Caller: appid=aaaaaaaa-0000-0000-0000-000000000001;oid=" + oid + ";iss=https://sts.windows.net/" + testTenant + "/ " +
		"Action: 'Microsoft.KeyVault/vaults/keys/" + action + "/action'" + request
}

// refusal is something that no retry mends.
type refusal struct {
	name     string
	op       string // get, encrypt or decrypt
	set      func(a *azure)
	err      string
	hint     string
	requests int // if not 1
}

// answer is the next one of a vault.
func answer(code int, status, inner, message string) func(*azure) {
	return func(a *azure) { a.inject(failing(code, status, inner, message)) }
}

// denials are about who calls, and from where.
func denials() []refusal {
	deny := func(op string) func(*azure) { return func(a *azure) { a.denied[op] = true } }
	const policyText = "The user, group or application 'appid=a;oid=" + oid + ";iss=https://sts.windows.net/x/' does not have keys decrypt permission on key vault 'signet-demo;location=westeurope'."
	return []refusal{
		{name: "decryption denied by role", op: "decrypt", set: deny("decrypt"), err: unwrapWith + rbacText("decrypt"), hint: rbacRole},
		{name: "encryption denied by role", op: "encrypt", set: deny("encrypt"), err: wrapFor + rbacText("encrypt"), hint: rbacRole},
		{name: "lookup denied by role", op: "get", set: deny("get"), err: wrapNewest + rbacText("get"), hint: rbacRole},
		{
			name: "denied by access policy", op: "decrypt", set: answer(403, "Forbidden", "AccessDenied", policyText),
			err:  unwrapWith + "Forbidden (AccessDenied): " + policyText + request,
			hint: "add the key permission decrypt to those in the vault's access policy: az keyvault set-policy --name signet-demo --object-id " + oid + " --key-permissions decrypt <those it has>",
		},
		{
			name: "denied by the firewall", op: "decrypt", set: answer(403, "Forbidden", "ForbiddenByFirewall", "Client address is not authorized and caller is not a trusted service."),
			err:  unwrapWith + "Forbidden (ForbiddenByFirewall): Client address is not authorized and caller is not a trusted service." + request,
			hint: "the vault's firewall keeps this machine out: az keyvault network-rule add --name signet-demo --ip-address <address>",
		},
	}
}

// failures are about the key and everything else.
func failures() []refusal {
	return []refusal{
		{
			name: "operation not permitted", op: "decrypt", set: answer(403, "Forbidden", "KeyOperationForbidden", "Operation decrypt is not permitted on this key."),
			err:  unwrapWith + "Forbidden (KeyOperationForbidden): Operation decrypt is not permitted on this key." + request,
			hint: "the key does not permit the operation decrypt: az keyvault key set-attributes --vault-name signet-demo --name documents --ops encrypt decrypt",
		},
		{
			name: "disabled", op: "decrypt", set: func(a *azure) { a.keys["documents"][1].disabled = true },
			err:  unwrapWith + "Forbidden (KeyDisabled): Operation decrypt is not allowed on a disabled key." + request,
			hint: "enable it: az keyvault key set-attributes --vault-name signet-demo --name documents --enabled true",
		},
		{
			name: "version not found", op: "decrypt", set: func(a *azure) { a.keys["documents"] = a.keys["documents"][:1] },
			err:  unwrapWith + "KeyNotFound: A key with (name/id) documents/" + newVersion + " was not found in this key vault." + request,
			hint: "check name and version: az keyvault key list-versions --vault-name signet-demo --name documents; a deleted key comes back with az keyvault key recover --vault-name signet-demo --name documents",
		},
		{
			name: "key not found", op: "get", set: func(a *azure) { delete(a.keys, "documents") },
			err:  wrapNewest + "KeyNotFound: A key with (name/id) documents was not found in this key vault." + request,
			hint: "check name and version: az keyvault key list-versions --vault-name signet-demo --name documents; a deleted key comes back with az keyvault key recover --vault-name signet-demo --name documents",
		},
		{
			name: "wrong key", op: "decrypt", set: func(a *azure) { a.keys["documents"][1].key = a.keys["other"][1].key },
			err:  unwrapWith + "BadParameter: The parameter is incorrect." + request,
			hint: "it was wrapped with another key or version, or damaged: compare version and enc with an earlier version of the document",
		},
		{
			name: "not an RSA key", op: "encrypt", set: answer(400, "BadParameter", "", "Operation encrypt is not supported for key type EC."),
			err:  wrapFor + "BadParameter: Operation encrypt is not supported for key type EC." + request,
			hint: "the key must be of type RSA or RSA-HSM: az keyvault key show --vault-name signet-demo --name documents",
		},
		{
			name: "token refused", op: "decrypt", set: func(a *azure) { a.accept = "another" },
			err:      unwrapWith + "Unauthorized: AKV10000: Request is missing a Bearer or PoP token." + request,
			hint:     "the vault belongs to tenant " + testTenant + ": az login --tenant " + testTenant + "; or AZURE_TENANT_ID and the like of an account of that tenant",
			requests: 2, // the second answers the challenge
		},
		{
			name: "page of a proxy", op: "decrypt",
			set: func(a *azure) {
				a.inject(func(w http.ResponseWriter, _ *http.Request, _ []byte) {
					w.WriteHeader(http.StatusForbidden)
					fmt.Fprint(w, "<html>Blocked by your proxy. Session: 0123456789</html>")
				})
			},
			err: unwrapWith + "HTTP 403 Forbidden",
			hint: strings.ReplaceAll(rbacRole, oid, "<object id>") + "; or, where the vault has access policies, add the key permission decrypt to those in the vault's access policy: " +
				"az keyvault set-policy --name signet-demo --object-id <object id> --key-permissions decrypt <those it has>",
		},
	}
}

// The whole text of what goes wrong most often, and the next step.
func TestRefusals(t *testing.T) {
	for _, tt := range slices.Concat(denials(), failures()) {
		t.Run(tt.name, func(t *testing.T) {
			a := newAzure(t)
			for _, versions := range a.keys { // of this test alone
				for i, k := range versions {
					own := *k
					versions[i] = &own
				}
			}
			s := newService(t, a, Options{})
			e := wrap(t, s, documents(newVersion), patterned(32))
			before := a.count()
			tt.set(a)
			var err error
			switch tt.op {
			case "decrypt":
				_, err = s.Unwrap(t.Context(), e)
			case "get":
				_, err = s.Wrap(t.Context(), documents(""), patterned(32))
			default:
				_, err = s.Wrap(t.Context(), e, patterned(32))
			}
			call := callError(t, err)
			if diff := cmp.Diff(tt.err, call.Error()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.hint, call.Hint); diff != "" {
				t.Error(diff)
			}
			if !call.Permanent || !keys.Permanent(err) {
				t.Error("is not permanent")
			}
			if n := a.count() - before; n != max(tt.requests, 1) {
				t.Errorf("%d requests, want %d", n, max(tt.requests, 1))
			}
		})
	}
}

// A managed HSM has roles of its own.
func TestManagedHSM(t *testing.T) {
	a := newAzure(t)
	a.challenge = strings.ReplaceAll(a.challenge, "vault.azure.net", "managedhsm.azure.net")
	a.denied["encrypt"] = true
	s := newService(t, a, Options{})
	_, err := s.Wrap(t.Context(), keys.AzureKVEntry{VaultURL: "https://pool.managedhsm.azure.net", Name: "documents", Version: newVersion}, patterned(32))
	want := `assign the role "Managed HSM Crypto User": az keyvault role assignment create --hsm-name pool --role "Managed HSM Crypto User" --assignee ` + oid + " --scope /keys/documents"
	if got := callError(t, err).Hint; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// What a server says arrives as one line without control characters, and
// nothing of it gets into a command but what is an id.
func TestForeignTextIsTamed(t *testing.T) {
	a := newAzure(t)
	s := newService(t, a, Options{})
	a.inject(func(w http.ResponseWriter, r *http.Request, body []byte) {
		w.Header().Set("x-ms-request-id", "`id`")
		fail(w, 403, "BAD\nSTATUS", "BAD STATUS", "line\r\n\x1b[31mred\x07 ;oid=$(id);"+strings.Repeat("long ", 400))
	})
	_, err := s.Wrap(t.Context(), documents(newVersion), patterned(32))
	call := callError(t, err)
	text := call.Error()
	if strings.ContainsAny(text, "\n\r\x1b\x07") || len(text) > 1000 || strings.Contains(text, "BAD") {
		t.Errorf("got %q", text)
	}
	if strings.Contains(call.Hint, "$(id)") || strings.Contains(call.Hint, "`") {
		t.Errorf("hint %q", call.Hint)
	}
}
