// SPDX-License-Identifier: Apache-2.0

package azurekv

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/internal/flight"
)

// tokenMargin is how long before its end a token is not used any more.
const tokenMargin = 5 * time.Minute

// maxTokens bounds what is kept: there is one token for each tenant and cloud.
const maxTokens = 64

// credential gives tokens to all clients: one search for all that need the same
// token at the same time, bounded in time, and the token kept for the next
// vault. Its errors hold no foreign text that was not filtered.
type credential struct {
	given   azcore.TokenCredential // nil: look for some
	options azcore.ClientOptions
	timeout time.Duration
	flights flight.Group[string, hidden]

	mu     sync.Mutex
	found  azcore.TokenCredential
	tokens map[string]hidden
}

// hidden is a token in a function, because fmt prints those as addresses.
type hidden func() azcore.AccessToken

var _ azcore.TokenCredential = (*credential)(nil)

// GetToken implements azcore.TokenCredential.
func (c *credential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	name := strings.Join(o.Scopes, " ") + "|" + o.TenantID + "|" + o.Claims
	if token, ok := c.kept(name); ok {
		return token, nil
	}
	get, err := c.flights.Do(ctx, name, func() (hidden, error) {
		cause := &timeoutError{after: c.timeout, doing: doingLookup}
		ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), c.timeout, cause)
		defer cancel()
		token, err := c.search(ctx, o)
		if err != nil {
			return nil, err
		}
		get := func() azcore.AccessToken { return token }
		if o.Claims == "" {
			c.keep(name, get)
		}
		return get, nil
	})
	if err != nil {
		return azcore.AccessToken{}, err
	}
	return get(), nil
}

func (c *credential) kept(name string) (azcore.AccessToken, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	get := c.tokens[name]
	if get == nil {
		return azcore.AccessToken{}, false
	}
	token, now := get(), time.Now()
	refresh := token.ExpiresOn.Add(-tokenMargin)
	if !token.RefreshOn.IsZero() && token.RefreshOn.Before(refresh) {
		refresh = token.RefreshOn
	}
	return token, now.Before(refresh)
}

func (c *credential) keep(name string, token hidden) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tokens == nil || len(c.tokens) >= maxTokens {
		c.tokens = map[string]hidden{}
	}
	c.tokens[name] = token
}

// forget drops tokens, which a vault has refused.
func (c *credential) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tokens = nil
}

func (c *credential) search(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	source, err := c.source()
	if err != nil {
		return azcore.AccessToken{}, &credentialsError{err: errors.New(keys.ForeignText(err.Error(), environmentSecrets()...)), permanent: true}
	}
	token, err := source.GetToken(ctx, o)
	switch {
	case err == nil && token.Token == "":
		return azcore.AccessToken{}, &credentialsError{err: errors.New("an empty token was given")}
	case err == nil:
		return token, nil
	case ctx.Err() != nil:
		return azcore.AccessToken{}, context.Cause(ctx)
	}
	return azcore.AccessToken{}, tokenError(err, id(o.TenantID))
}

// source returns where tokens come from, which is looked for once.
func (c *credential) source() (azcore.TokenCredential, error) {
	if c.given != nil {
		return c.given, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.found != nil {
		return c.found, nil
	}
	d, err := azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{ClientOptions: c.options})
	if err != nil {
		return nil, err
	}
	c.found = d
	return d, nil
}

// environmentSecrets are what the login service or a tool of Azure's might
// repeat.
func environmentSecrets() [][]byte {
	var known [][]byte
	for _, name := range []string{"AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_PASSWORD"} {
		known = append(known, []byte(os.Getenv(name)))
	}
	return known
}

// tokenError tells credentials that were refused from a lack of any. The SDK
// does it by a type that it does not export, so that what is no
// AuthenticationFailedError is a lack.
func tokenError(err error, tenant string) error {
	known := environmentSecrets()
	failed := new(azidentity.AuthenticationFailedError)
	if !errors.As(err, &failed) {
		return &noCredentialsError{tried: keys.ForeignText(attempted(err.Error()), known...)}
	}
	e := &credentialsError{tenant: tenant, err: errors.New(keys.ForeignText(attempted(failed.Error()), known...))}
	if resp := failed.RawResponse; resp != nil {
		e.permanent = resp.StatusCode < 500 && resp.StatusCode != http.StatusTooManyRequests
		if text := loginText(resp); text != "" {
			e.err = errors.New(keys.ForeignText(text, known...))
		}
	}
	return e
}

// loginText is what the login service says: "invalid_client: AADSTS7000215: ...".
func loginText(resp *http.Response) string {
	var body struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	data, err := runtime.Payload(resp)
	if err != nil || json.Unmarshal(data, &body) != nil || body.Error == "" {
		return ""
	}
	return body.Error + ": " + body.Description
}

// attempted shortens the list that a chain of credentials gives, a paragraph
// for each, to a sentence for each.
func attempted(text string) string {
	_, list, found := strings.Cut(text, "Attempted credentials:")
	if !found {
		return text
	}
	var parts []string
	for part := range strings.SplitSeq(list, "\n\t") {
		if part == "" || strings.HasPrefix(part, "\t") { // a line of what is before it
			continue
		}
		part, _, _ = strings.Cut(part, " To troubleshoot")
		part, _, _ = strings.Cut(part, ". ")
		parts = append(parts, strings.TrimRight(part, ". \n"))
	}
	return strings.Join(parts, "; ")
}
