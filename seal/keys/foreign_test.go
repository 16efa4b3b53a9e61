// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// TestForeignTextReadable lists messages of which everything is of use to
// whoever has to mend something.
func TestForeignTextReadable(t *testing.T) {
	for _, text := range []string{
		"",
		"AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/SignetControllerRole/botocore-session-1700000000 is not authorized to perform: " +
			"kms:Decrypt on resource: arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab because no identity-based policy allows it",
		"operation error KMS: Decrypt, https response error StatusCode: 400, RequestID: 1234abcd-12ab-34cd-56ef-1234567890ab, ThrottlingException: Rate exceeded",
		"arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab is pending deletion",
		"Alias arn:aws:kms:eu-west-1:111122223333:alias/team-payments/production/signet-sealing-key is not found.",
		"arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_AdministratorAccess_0123456789abcdef",
		"arn:aws:iam::111122223333:role/eksctl-prod-cluster-addon-iamserviceaccount-R-Role1-1ABCDEF23GHI",
		"assumed-role/SignetStack-ControllerRoleDefaultPolicy72B9A1C8-1XQ2ABCDEF/eks-signet-0123456789",
		"arn:aws:sts::111122223333:assumed-role/Admin/jane.doe@example.com",
		"AROAEXAMPLEID0123456:botocore-session-1700000000",
		"Permission 'cloudkms.cryptoKeyVersions.useToDecrypt' denied on resource " +
			"'projects/my-project-123/locations/europe-west1/keyRings/signet-ring/cryptoKeys/prod-db' (or it may not exist).",
		"POST https://prod-signet.vault.azure.net/keys/SignetSealing/0123456789abcdef0123456789abcdef/decrypt: 403 Forbidden",
		"PUT https://vault.example.com:8200/v1/team-a/transit/decrypt/signet-production-europe-central: permission denied",
		"open /home/user/.config/gcloud/application_default_credentials.json: no such file or directory",
		"open /var/run/secrets/eks.amazonaws.com/serviceaccount/token: permission denied",
		"gpg: decryption failed: No secret key 0123456789ABCDEF0123456789ABCDEF01234567",
		"dial tcp [fd00:ec2::254]:443: connect: connection refused; 10.0.0.1:443 at 2026-01-31T09:30:00.123456789Z",
		"context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
		"x509: certificate signed by unknown authority",
		"Schlüssel „prod“ nicht gefunden",
	} {
		if got := ForeignText(text); got != text {
			t.Errorf("got  %s\nwant %s", got, text)
		}
	}
}

func TestForeignText(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString([]byte("correct horse battery staple, of 33"))
	tests := []struct{ name, text, want string }{
		{"lines", "a\nb\r\n\tc  d\v\fe\u00a0f\u2028g\u0085h", "a b c d e f g h"},
		{"around", "\n a \n", "a"},
		{"control characters", "a\x00b\x1b[31mc\x7f\u009b", "a?b?[31mc??"},
		{"cannot be seen", "a\u200bb\u202ec\ufeffd\ue000", "a?b?c?d?"},
		{"not UTF-8", "a\xff\xfeb\xc3", "a?b?"},
		{"500 bytes", strings.Repeat("good ", 99) + "words", strings.Repeat("good ", 99) + "words"},
		{"501 bytes", strings.Repeat("good ", 99) + "words!", strings.Repeat("good ", 99) + "wo..."},
		{"cut within a letter", strings.Repeat("é ", 165) + "abéé", strings.Repeat("é ", 165) + "ab..."},
		{"key", "key " + b64 + " is bad", "key ... is bad"},
		{"key in quotes", `{"Plaintext":"` + b64 + `"}`, `{"Plaintext":"..."}`},
		{"key after =", "key=" + b64, "..."},
		{"key in a URL", "https://vault.example.com/v1/" + b64, "https://vault.example...."},
		{"identity", "in AGE-SECRET-KEY-1QQQQ here", "in ... here"},
		{"identity in small letters", "age-secret-key-pq-1qqqq", "..."},
		{"identity of a plugin", "AGE-PLUGIN-YUBIKEY-1QQQQ", "..."},
		{"a piece of an identity behind a word", "SOPS_AGE_KEY=AGE-SECRET-KEY-1" + strings.Repeat("Q", 30), "..."},
		{"PEM", "x\n-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz\nAAAA\n-----END OPENSSH PRIVATE KEY-----\ny", "x ... y"},
		{"PEM without an end", "x -----BEGIN PRIVATE KEY----- MC4CAQAw", "x ..."},
		{"bytes", fmt.Sprint("got ", []byte("correct horse battery staple")), "got [...]"},
		{"bytes in Go", fmt.Sprintf("%#v", []byte("correct horse battery staple")), "[]byte{...}"},
		{"bytes in hex", fmt.Sprintf("got % x", "correct horse battery staple"), "got ..."},
		{"bytes with colons", "got 01:23:45:67:89:ab:cd:ef:01:23:45:67:89:ab:cd:ef", "got ..."},
		{"token of Vault", "hvs." + strings.Repeat("CAESIabc", 12), "hvs...."},
		{"secret key of AWS", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "..."},
		{"escaped for a URL", "ciphertext=" + strings.Repeat("Ab1%2B", 10), "..."},
		{"escaped for JSON", strings.Repeat(`Ab1\/`, 10), "..."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := ForeignText(tt.text); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// TestForeignTextKnown gives secrets to hide. Without them the text may be in
// any encoding.
func TestForeignTextKnown(t *testing.T) {
	secret := []byte("a/secret+of-words")
	for _, tt := range []struct{ name, text, want, without string }{
		{"text", "no such key\r\n", "no such key", "no such key"},
		{"as it is", "sent a/secret+of-words!", "sent ...!", "sent a/secret+of-words!"},
		{"base64", "sent YS9zZWNyZXQrb2Ytd29yZHM=!", "sent ...=!", "sent YS9zZWNyZXQrb2Ytd29yZHM=!"},
		{"bytes", "sent \xff\xfe\x00abcdefgh", "(not text)", "sent ??abcdefgh"},
		{"bytes that a decoder has read", "sent \ufffd abcdefgh", "(not text)", "sent \ufffd abcdefgh"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := ForeignText(tt.text, nil, []byte("short"), secret); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if got := ForeignText(tt.text); got != tt.without {
				t.Errorf("without secrets: got %q, want %q", got, tt.without)
			}
		})
	}
}

// keyForms writes a key as a library might, by the name of the form.
func keyForms(key []byte) map[string]string {
	std, raw := base64.StdEncoding.EncodeToString(key), base64.RawStdEncoding.EncodeToString(key)
	return map[string]string{
		"base64":             std,
		"raw base64":         raw,
		"URL base64":         base64.URLEncoding.EncodeToString(key),
		"raw URL base64":     base64.RawURLEncoding.EncodeToString(key),
		"escaped base64":     url.QueryEscape(std),
		"base64 in a string": strings.ReplaceAll(std, "/", `\/`),
		"hex":                hex.EncodeToString(key),
		"upper hex":          strings.ToUpper(hex.EncodeToString(key)),
		"hex with 0x":        "0x" + hex.EncodeToString(key),
		"spaced hex":         fmt.Sprintf("% x", key),
		"hex with colons":    strings.ReplaceAll(fmt.Sprintf("% X", key), " ", ":"),
		"decimal":            fmt.Sprint(key),
		"Go bytes":           fmt.Sprintf("%#v", key),
	}
}

// surroundings are what stands around a key.
func surroundings() []string {
	return []string{"%s", "key %s: bad", `{"key":"%s"}`, "k=%s", "(%s)", "a/%s/b", "https://h.example/v1/%s?x", "arn:aws:kms:r:1:key/%s", "line\n%s\n", "«%s»"}
}

// leaked returns a piece of the key's text that is still in what ForeignText
// made of it.
func leaked(text, key string) string {
	const piece = 16
	for i := 0; i+piece <= len(key); i++ {
		if strings.Contains(text, key[i:i+piece]) {
			return key[i : i+piece]
		}
	}
	return ""
}

// TestForeignTextHides writes random keys of 32 and 33 bytes in every form. The
// keys are the same in each run.
func TestForeignTextHides(t *testing.T) {
	random := rand.NewChaCha8([32]byte{1})
	for n := range 1000 {
		key := make([]byte, 32+n%2)
		_, _ = random.Read(key)
		for form, text := range keyForms(key) {
			around := surroundings()
			msg := fmt.Sprintf(around[n%len(around)], text)
			if piece := leaked(ForeignText(msg), text); piece != "" {
				t.Fatalf("%s in %q: %q remains in %q", form, msg, piece, ForeignText(msg))
			}
		}
	}
}

// FuzzForeignText looks for a text from which a key gets through, or that does
// not come out as one printable line.
func FuzzForeignText(f *testing.F) {
	f.Add("unwrap: ", uint64(1), ": bad")
	f.Add("https://h/", uint64(2), "/x")
	f.Add(strings.Repeat("é", 250), uint64(3), "\xff\n")
	f.Add("AGE-SECRET-KEY-", uint64(4), "-----BEGIN ")
	f.Fuzz(func(t *testing.T, before string, seed uint64, after string) {
		for _, text := range []string{before, after, before + after} {
			checkForeign(t, ForeignText(text))
		}
		// One key in a million looks like words in one of the forms; two that
		// do are a mistake.
		through := map[string]int{}
		for i := range uint64(2) {
			key := sha256.Sum256(binary.BigEndian.AppendUint64(nil, seed+i))
			for form, text := range keyForms(key[:]) {
				got := ForeignText(before + " " + text + " " + after)
				checkForeign(t, got)
				if leaked(got, text) != "" && !strings.Contains(before+after, text[:16]) {
					through[form]++
				}
			}
			identity := "AGE-SECRET-KEY-1" + strings.ToUpper(hex.EncodeToString(key[:]))
			if got := ForeignText(before + identity + after); leaked(got, identity[16:]) != "" {
				t.Fatalf("identity between %q and %q: %q", before, after, got)
			}
		}
		for form, n := range through {
			if n == 2 {
				t.Fatalf("%s between %q and %q gets through", form, before, after)
			}
		}
	})
}

func checkForeign(t *testing.T, got string) {
	t.Helper()
	bad := func(r rune) bool { return !unicode.IsPrint(r) }
	if len(got) > maxForeignBytes || !utf8.ValidString(got) || strings.ContainsFunc(got, bad) || strings.TrimSpace(got) != got {
		t.Fatalf("%d bytes: %q", len(got), got)
	}
}
