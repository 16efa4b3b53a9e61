// SPDX-License-Identifier: Apache-2.0

package gcpkms

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/seal/keys"
)

const keyFlags = "documents --keyring signet --location europe-west1 --project demo-1"

// refusal is something that no retry mends.
type refusal struct {
	name     string
	wrapping bool
	set      func(s *kmsServer)
	err      string
	hint     string
}

// denials are about who calls.
func denials() []refusal {
	return []refusal{
		{
			name: "decryption denied",
			set:  func(s *kmsServer) { s.denied["decrypt"] = true },
			err: "unwrap with gcp_kms " + testKey + ": PERMISSION_DENIED: Permission 'cloudkms.cryptoKeyVersions.useToDecrypt' denied on resource '" +
				testKey + "' (or it may not exist). (caller: GOOGLE_OAUTH_ACCESS_TOKEN)",
			hint: "the permission cloudkms.cryptoKeyVersions.useToDecrypt is in the role roles/cloudkms.cryptoKeyDecrypter: gcloud kms keys add-iam-policy-binding " +
				keyFlags + " --member <you> --role roles/cloudkms.cryptoKeyDecrypter",
		},
		{
			name:     "encryption denied",
			wrapping: true,
			set:      func(s *kmsServer) { s.denied["encrypt"] = true },
			err: "wrap for gcp_kms " + testKey + ": PERMISSION_DENIED: Permission 'cloudkms.cryptoKeyVersions.useToEncrypt' denied on resource '" +
				testKey + "' (or it may not exist). (caller: GOOGLE_OAUTH_ACCESS_TOKEN)",
			hint: "the permission cloudkms.cryptoKeyVersions.useToEncrypt is in the role roles/cloudkms.cryptoKeyEncrypter: gcloud kms keys add-iam-policy-binding " +
				keyFlags + " --member <you> --role roles/cloudkms.cryptoKeyEncrypter",
		},
		{
			name: "token expired",
			set:  func(s *kmsServer) { s.accept = func(string) bool { return false } },
			err: "unwrap with gcp_kms " + testKey +
				": UNAUTHENTICATED: Request had invalid authentication credentials. (caller: GOOGLE_OAUTH_ACCESS_TOKEN)",
			hint: hintLogin,
		},
		{
			name: "API not enabled",
			set: func(s *kmsServer) {
				s.inject(failing(403, "PERMISSION_DENIED", "SERVICE_DISABLED", "Cloud Key Management Service (KMS) API has not been used in project 1 before or it is disabled."))
			},
			err: "unwrap with gcp_kms " + testKey +
				": PERMISSION_DENIED: Cloud Key Management Service (KMS) API has not been used in project 1 before or it is disabled. (caller: GOOGLE_OAUTH_ACCESS_TOKEN)",
			hint: "enable the API in the project that the error names: gcloud services enable cloudkms.googleapis.com --project <project>",
		},
		{
			name: "quota project",
			set: func(s *kmsServer) {
				s.inject(failing(403, "PERMISSION_DENIED", "USER_PROJECT_DENIED", "Caller does not have required permission to use project demo-2."))
			},
			err: "unwrap with gcp_kms " + testKey +
				": PERMISSION_DENIED: Caller does not have required permission to use project demo-2. (caller: GOOGLE_OAUTH_ACCESS_TOKEN)",
			hint: "choose a project that you may use for quota: gcloud auth application-default set-quota-project <project>; " +
				"or have roles/serviceusage.serviceUsageConsumer granted on the one that the error names",
		},
	}
}

// failures are about everything else.
func failures() []refusal {
	html := func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, "<html>Blocked by your proxy. Session: 0123456789</html>")
	}
	return []refusal{
		{
			name:     "not found",
			wrapping: true,
			set:      func(s *kmsServer) { delete(s.keys, testKey) },
			err:      "wrap for gcp_kms " + testKey + ": NOT_FOUND: CryptoKey " + testKey + " not found. (caller: GOOGLE_OAUTH_ACCESS_TOKEN)",
			hint:     "check the resource id: gcloud kms keys list --project demo-1 --location europe-west1 --keyring signet",
		},
		{
			name: "disabled",
			set:  func(s *kmsServer) { s.disabled[testKey] = true },
			err: "unwrap with gcp_kms " + testKey + ": FAILED_PRECONDITION: " + testKey +
				"/cryptoKeyVersions/1 is not enabled, current state is: DISABLED. (caller: GOOGLE_OAUTH_ACCESS_TOKEN)",
			hint: "enable the version of the key: gcloud kms keys versions list --key " + keyFlags + "; then gcloud kms keys versions enable <version> with the same flags",
		},
		{
			name: "wrong key",
			set:  func(s *kmsServer) { s.keys[testKey] = s.keys[otherKey] },
			err: "unwrap with gcp_kms " + testKey +
				": INVALID_ARGUMENT: Decryption failed: verify that 'name' refers to the correct CryptoKey. (caller: GOOGLE_OAUTH_ACCESS_TOKEN)",
			hint: "it was wrapped with another key, or damaged: compare resource_id and enc with an earlier version of the document",
		},
		{
			name:     "asymmetric key",
			wrapping: true,
			set: func(s *kmsServer) {
				s.inject(failing(400, "INVALID_ARGUMENT", "", "The request cannot be fulfilled for purpose ASYMMETRIC_SIGN."))
			},
			err:  "wrap for gcp_kms " + testKey + ": INVALID_ARGUMENT: The request cannot be fulfilled for purpose ASYMMETRIC_SIGN. (caller: GOOGLE_OAUTH_ACCESS_TOKEN)",
			hint: "the key must have the purpose ENCRYPT_DECRYPT: gcloud kms keys describe " + keyFlags,
		},
		{
			name: "page of a proxy",
			set:  func(s *kmsServer) { s.inject(html) },
			err:  "unwrap with gcp_kms " + testKey + ": HTTP 403 Forbidden (caller: GOOGLE_OAUTH_ACCESS_TOKEN)",
			hint: "the permission cloudkms.cryptoKeyVersions.useToDecrypt is in the role roles/cloudkms.cryptoKeyDecrypter: gcloud kms keys add-iam-policy-binding " +
				keyFlags + " --member <you> --role roles/cloudkms.cryptoKeyDecrypter",
		},
		{
			name: "redirect",
			set: func(s *kmsServer) {
				s.inject(func(w http.ResponseWriter, r *http.Request, _ []byte) {
					http.Redirect(w, r, s.URL+"/elsewhere", http.StatusTemporaryRedirect)
				})
			},
			err: "unwrap with gcp_kms " + testKey + ": HTTP 307 Temporary Redirect (caller: GOOGLE_OAUTH_ACCESS_TOKEN)",
		},
	}
}

// The whole text of what goes wrong most often, and the next step.
func TestRefusals(t *testing.T) {
	for _, tt := range slices.Concat(denials(), failures()) {
		t.Run(tt.name, func(t *testing.T) {
			server := newServer(t)
			s := newService(t, server, Options{})
			e := wrap(t, s, testKey, patterned(32))
			before := server.count()
			tt.set(server)
			var err error
			if tt.wrapping {
				_, err = s.Wrap(t.Context(), e, patterned(32))
			} else {
				_, err = s.Unwrap(t.Context(), e)
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
			if n := server.count() - before; n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
}

// An account, which is no secret, is named in error and hint.
func TestDenialNamesTheAccount(t *testing.T) {
	server := newServer(t)
	server.accept = func(string) bool { return true }
	server.denied["encrypt"] = true
	s := newService(t, server, Options{})
	t.Setenv(envToken, "")
	t.Setenv(envCredentials, serviceAccount(t, "").file)
	_, err := s.Wrap(t.Context(), keys.GCPKMSEntry{ResourceID: testKey}, patterned(32))
	call := callError(t, err)
	mustContain(t, call.Error(), "(caller: signet@demo-1.iam.gserviceaccount.com)")
	mustContain(t, call.Hint, "--member serviceAccount:signet@demo-1.iam.gserviceaccount.com")
}

// What a server says arrives as one line without control characters.
func TestForeignTextIsTamed(t *testing.T) {
	server := newServer(t)
	s := newService(t, server, Options{})
	server.inject(failing(400, "BAD\nSTATUS", "", "line\r\n\x1b[31mred\x07 "+strings.Repeat("long ", 400)))
	_, err := s.Wrap(t.Context(), keys.GCPKMSEntry{ResourceID: testKey}, patterned(32))
	text := callError(t, err).Error()
	if strings.ContainsAny(text, "\n\r\x1b\x07") || len(text) > 1000 || strings.Contains(text, "BAD") {
		t.Errorf("got %q", text)
	}
}
