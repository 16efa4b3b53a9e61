// SPDX-License-Identifier: Apache-2.0

package azurekv

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/seal/keys"
)

const authorization = `authorization="https://login.microsoftonline.com/` + testTenant + `"`

// foreignChallenges ask a vault's caller for a token that is none of its
// business, or are not what they should be.
func foreignChallenges() map[string]string {
	return map[string]string{
		"management":          `Bearer ` + authorization + `, resource="https://management.azure.com"`,
		"graph":               `Bearer ` + authorization + `, resource="https://graph.microsoft.com"`,
		"other cloud":         `Bearer ` + authorization + `, resource="https://vault.azure.cn"`,
		"end of the name":     `Bearer ` + authorization + `, resource="https://azure.net"`,
		"top level":           `Bearer ` + authorization + `, resource="https://net"`,
		"vault itself":        `Bearer ` + authorization + `, resource="https://signet-demo.vault.azure.net"`,
		"scope over resource": `Bearer ` + authorization + `, resource="https://vault.azure.net" scope="https://management.azure.com/.default"`,
		"twice":               `Bearer ` + authorization + `, resource="https://net", resource="https://vault.azure.net"`,
		"http":                `Bearer ` + authorization + `, resource="http://vault.azure.net"`,
		"port":                `Bearer ` + authorization + `, resource="https://vault.azure.net:8443"`,
		"user":                `Bearer ` + authorization + `, resource="https://user@vault.azure.net"`,
		"path":                `Bearer ` + authorization + `, resource="https://vault.azure.net/x"`,
		"no resource":         `Bearer ` + authorization,
		"empty resource":      `Bearer ` + authorization + `, resource=""`,
		"no tenant":           `Bearer resource="https://vault.azure.net"`,
		"tenant alone":        `Bearer authorization="` + testTenant + `", resource="https://vault.azure.net"`, // panics in the SDK
		"tenant in a host":    `Bearer authorization="https://login", resource="https://vault.azure.net"`,
		"tenant with a flag":  `Bearer authorization="https://login.microsoftonline.com/x --debug", resource="https://vault.azure.net"`,
		"tenant in a folder":  `Bearer authorization="https://login.microsoftonline.com/a/b", resource="https://vault.azure.net"`,
		"basic":               `Basic realm="vault"`,
		"garbage":             `Bearer`,
		"odd claims":          `Bearer error="insufficient_claims", claims="{}"`,
	}
}

// No token is asked for, and none sent, when the challenge is not that of the
// vault's own service.
func TestForeignChallengesAreNotAnswered(t *testing.T) {
	a := newAzure(t)
	for name, challenge := range foreignChallenges() {
		t.Run(name, func(t *testing.T) {
			asked := 0
			s := newService(t, a, Options{Credential: tokens(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
				asked++
				return azcore.AccessToken{Token: testToken}, nil
			})})
			a.challenge = challenge
			before := a.count()
			_, err := s.Wrap(t.Context(), documents(""), patterned(32))
			call := callError(t, err)
			mustContain(t, call.Error(), "the challenge of "+testHost+" was not answered: it")
			mustContain(t, call.Hint, "check the vault URL")
			if !call.Permanent {
				t.Error("is not permanent")
			}
			if asked != 0 || a.count() != before+1 {
				t.Errorf("%d tokens were asked for, %d requests made", asked, a.count()-before)
			}
			for _, r := range a.requests[before:] {
				if r.Header.Get("Authorization") != "" || r.ContentLength > 0 {
					t.Error("a token or a secret was sent")
				}
			}
		})
	}
}

// A host of somebody else cannot get a token for Azure's vaults.
func TestTokenStaysInItsDomain(t *testing.T) {
	a := newAzure(t)
	var scopes []string
	s := newService(t, a, Options{Credential: tokens(func(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
		scopes = append(scopes, o.Scopes...)
		return azcore.AccessToken{Token: testToken}, nil
	})})
	e := keys.AzureKVEntry{VaultURL: "https://vault-azure-net.attacker.example", Name: "documents"}
	_, err := s.Wrap(t.Context(), e, patterned(32))
	mustContain(t, callError(t, err).Error(), "it is for a token of vault.azure.net, want attacker.example")
	if len(scopes) != 0 {
		t.Errorf("a token for %q was asked for", scopes)
	}
}

// Each vault gets a token for its own service and of its own tenant.
func TestTokenIsForTheVault(t *testing.T) {
	for _, tt := range []struct{ vault, challenge, scope string }{
		{testVault, `Bearer ` + authorization + `, resource="https://vault.azure.net"`, "https://vault.azure.net/.default"},
		{testVault, `Bearer ` + authorization + ` scope="https://vault.azure.net/.default"`, "https://vault.azure.net/.default"},
		{"https://pool.managedhsm.azure.net", `Bearer ` + authorization + `, resource="https://managedhsm.azure.net"`, "https://managedhsm.azure.net/.default"},
	} {
		t.Run(tt.vault, func(t *testing.T) {
			a := newAzure(t)
			a.challenge = tt.challenge
			var asked []policy.TokenRequestOptions
			s := newService(t, a, Options{Credential: tokens(func(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
				asked = append(asked, o)
				return azcore.AccessToken{Token: testToken}, nil
			})})
			wrap(t, s, keys.AzureKVEntry{VaultURL: tt.vault, Name: "documents", Version: newVersion}, patterned(32))
			if len(asked) != 1 || asked[0].TenantID != testTenant || len(asked[0].Scopes) != 1 || asked[0].Scopes[0] != tt.scope {
				t.Errorf("asked for %+v", asked)
			}
		})
	}
}

// A vault may ask for a better token, once (continuous access evaluation).
func TestClaimsChallenge(t *testing.T) {
	a := newAzure(t)
	var claims []string
	s := newService(t, a, Options{Credential: tokens(func(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
		claims = append(claims, o.Claims)
		return azcore.AccessToken{Token: testToken}, nil
	})})
	a.inject(func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", error="insufficient_claims", claims="eyJhIjoxfQ=="`)
		w.WriteHeader(http.StatusUnauthorized)
	})
	wrap(t, s, documents(newVersion), patterned(32))
	if diff := cmp.Diff([]string{"", `{"a":1}`}, claims); diff != "" {
		t.Error(diff)
	}
}

// A token goes nowhere else, not even where the vault points.
func TestRedirectsAreNotFollowed(t *testing.T) {
	a := newAzure(t)
	s := newService(t, a, Options{})
	wrap(t, s, documents(newVersion), patterned(32)) // learns the challenge
	before := a.count()
	a.inject(func(w http.ResponseWriter, r *http.Request, _ []byte) {
		http.Redirect(w, r, "https://other.vault.azure.net/", http.StatusTemporaryRedirect)
	})
	_, err := s.Wrap(t.Context(), documents(newVersion), patterned(32))
	mustContain(t, callError(t, err).Error(), "HTTP 307 Temporary Redirect")
	if n := a.count() - before; n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

// No challenge makes the check accept another service than the vault's, nor
// pass on what it has not written itself.
func FuzzCheckChallenge(f *testing.F) {
	f.Add(`Bearer ` + authorization + `, resource="https://vault.azure.net"`)
	for _, c := range foreignChallenges() {
		f.Add(c)
	}
	k, err := parseKey(documents(""))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, challenge string) {
		h := http.Header{"Www-Authenticate": {challenge}}
		if k.checkChallenge(h) != nil || challenge == "" {
			return
		}
		got := h.Get("WWW-Authenticate")
		if !strings.HasPrefix(got, `Bearer authorization="https://login.microsoftonline.com/`) && !strings.HasPrefix(got, `Bearer error="insufficient_claims", claims="`) ||
			strings.Contains(got, "resource") && !strings.HasSuffix(got, `, resource="https://vault.azure.net"`) {
			t.Errorf("%q became %q", challenge, got)
		}
	})
}
