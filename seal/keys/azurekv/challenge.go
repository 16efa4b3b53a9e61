// SPDX-License-Identifier: Apache-2.0

package azurekv

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/internal/chars"
)

// challengeParameter matches what the SDK takes for a parameter of a challenge.
var challengeParameter = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(\w+)="([^"]*)"`)
})

// maxClaimsBytes bounds what a vault can have sent to the login service.
const maxClaimsBytes = 8 << 10

// checkChallenge makes sure that the token which a vault asks for is one for
// the service that the vault belongs to:
//
//	WWW-Authenticate: Bearer authorization="https://login.microsoftonline.com/<tenant>", resource="https://vault.azure.net"
//
// The SDK checks this too, but looks at the end of names alone, so that a vault
// could ask for tokens of https://net, and panics where authorization is no URL
// with a path. So it is handed a challenge that was written here.
func (k key) checkChallenge(h http.Header) error {
	if h.Get("WWW-Authenticate") == "" {
		return nil // the SDK takes that for an answer
	}
	p, err := parseChallenge(h.Values("WWW-Authenticate"))
	if err != nil {
		return err
	}
	if p["error"] == "insufficient_claims" { // a better token for the same service (continuous access evaluation)
		claims := p["claims"]
		if len(claims) > maxClaimsBytes || !chars.Only(claims, chars.AlphaNum+"+/=") {
			return errors.New("its claims are malformed")
		}
		h.Set("WWW-Authenticate", fmt.Sprintf("Bearer error=%q, claims=%q", "insufficient_claims", claims))
		return nil
	}
	tenant, err := tenantOf(p["authorization"])
	if err != nil {
		return err
	}
	resource := p["scope"] // first, as in the SDK
	if resource == "" {
		resource = p["resource"]
	}
	if err := k.checkResource(resource); err != nil {
		return err
	}
	h.Set("WWW-Authenticate", fmt.Sprintf("Bearer authorization=%q, resource=%q", "https://login.microsoftonline.com/"+tenant, "https://"+k.domain()))
	return nil
}

func parseChallenge(values []string) (map[string]string, error) {
	rest, bearer := strings.CutPrefix(values[0], "Bearer ")
	if len(values) != 1 || !bearer {
		return nil, errors.New("it is not one for a bearer token")
	}
	p := map[string]string{}
	for _, m := range challengeParameter().FindAllStringSubmatch(rest, -1) {
		if _, twice := p[m[1]]; twice {
			return nil, errors.New("it names a parameter twice")
		}
		p[m[1]] = m[2]
	}
	return p, nil
}

func (k key) checkResource(resource string) error {
	u, err := url.Parse(strings.TrimSuffix(resource, "/.default"))
	if err != nil || u.Scheme != "https" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return errors.New("it names no resource")
	}
	if !strings.EqualFold(u.Host, k.domain()) {
		return fmt.Errorf("it is for a token of %s, want %s", keys.ForeignText(u.Host), k.domain())
	}
	return nil
}

// tenantOf returns the tenant of a challenge. Of the URL the SDK uses nothing
// else: tokens come from where the credentials say.
func tenantOf(authorization string) (string, error) {
	u, err := url.Parse(authorization)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return "", errors.New("it names no tenant")
	}
	tenant := id(strings.Trim(u.Path, "/"))
	if tenant == "" {
		return "", errors.New("it names no tenant")
	}
	return tenant, nil
}
