// SPDX-License-Identifier: Apache-2.0

package azurekv

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// What goes on in goroutines of this package does not end the program, and what
// a panic says is not shown.
func TestPanics(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options Options
	}{
		{"credentials", Options{
			Credential: tokens(func(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) { panic("canary") }),
		}},
		{"request", Options{
			Credential: static(),
			Transport:  roundTrip(func(*http.Request) (*http.Response, error) { panic("canary") }),
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newService(t, newAzure(t), tt.options)
			if tt.options.Transport != nil {
				s = New(tt.options)
			}
			_, err := s.Wrap(t.Context(), documents(""), patterned(32))
			call := callError(t, err)
			if text := call.Error(); !strings.Contains(text, "panic of type string") || strings.Contains(text, "canary") {
				t.Errorf("got %q", text)
			}
			if call.Permanent {
				t.Error("is permanent")
			}
		})
	}
}
