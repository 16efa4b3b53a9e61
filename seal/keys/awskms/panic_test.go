// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
)

// Reading the configuration, which has a goroutine of its own, does not end the
// program, and what a panic says is not shown.
func TestPanic(t *testing.T) {
	key := start(t).CreateKey(kmstest.Key{})
	s := open(t, Options{Region: "eu-west-1", LoadOptions: []func(*config.LoadOptions) error{
		func(*config.LoadOptions) error { panic("canary") },
	}})
	_, err := s.Wrap(t.Context(), keys.KMSEntry{ARN: key}, dataKey)
	call := mustFail(t, err, "panic of type string")
	if call.Permanent || strings.Contains(call.Error(), "canary") {
		t.Errorf("got %q, permanent %v", call, call.Permanent)
	}
}
