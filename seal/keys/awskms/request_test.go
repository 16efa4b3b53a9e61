// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"errors"
	"strings"
	"testing"

	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/internal/chars"
)

var errCanary = errors.New("AKIDEXAMPLEcanary")

func TestParseKeyARN(t *testing.T) {
	const uuid = "1234abcd-12ab-34cd-56ef-1234567890ab"
	mrk := "mrk-" + strings.ReplaceAll(uuid, "-", "")
	for _, tt := range []struct {
		name, arn, err string
	}{
		{"key", "arn:aws:kms:eu-west-1:111122223333:key/" + uuid, ""},
		{"multi-Region", "arn:aws:kms:us-east-1:111122223333:key/" + mrk, ""},
		{"alias", "arn:aws:kms:us-east-1:111122223333:alias/a-b_C/1", ""},
		{"China", "arn:aws-cn:kms:cn-northwest-1:111122223333:key/" + uuid, ""},
		{"GovCloud", "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/" + uuid, ""},
		{"isolated", "arn:aws-iso-b:kms:us-isob-east-1:111122223333:key/" + uuid, ""},
		{"sovereign", "arn:aws-eusc:kms:eusc-de-east-1:111122223333:key/" + uuid, ""},
		{"new Region", "arn:aws:kms:mx-central-1:111122223333:key/" + uuid, ""},

		{"empty", "", "not the ARN of a KMS key"},
		{"id alone", uuid, "not the ARN of a KMS key"},
		{"alias alone", "alias/x", "not the ARN of a KMS key"},
		{"role", "arn:aws:iam::111122223333:role/x", "not the ARN of a KMS key"},
		{"seven parts", "arn:aws:kms:eu-west-1:111122223333:key/" + uuid + ":x", "not the ARN of a KMS key"},
		{"partition", "arn:aws-evil:kms:eu-west-1:111122223333:key/" + uuid, "unknown partition"},
		{"upper case", "ARN:aws:kms:eu-west-1:111122223333:key/" + uuid, "not the ARN"},
		{"no Region", "arn:aws:kms::111122223333:key/" + uuid, "malformed Region"},
		{"Region as host", "arn:aws:kms:evil.example/:111122223333:key/" + uuid, "malformed Region"},
		{"Region with path", "arn:aws:kms:eu-west-1/x:111122223333:key/" + uuid, "malformed Region"},
		{"Region with @", "arn:aws:kms:eu-west-1@x:111122223333:key/" + uuid, "malformed Region"},
		{"long Region", "arn:aws:kms:eu-" + strings.Repeat("west", 10) + "-1:111122223333:key/" + uuid, "malformed Region"},
		{"Region of another partition", "arn:aws:kms:cn-north-1:111122223333:key/" + uuid, "Region cn-north-1 is in partition aws-cn"},
		{"partition of another Region", "arn:aws-cn:kms:eu-west-1:111122223333:key/" + uuid, "Region eu-west-1 is in partition aws"},
		{"short account", "arn:aws:kms:eu-west-1:11112222333:key/" + uuid, "malformed account"},
		{"account", "arn:aws:kms:eu-west-1:11112222333a:key/" + uuid, "malformed account"},
		{"digits of another script", "arn:aws:kms:eu-west-1:１１１１:key/" + uuid, "malformed account"},
		{"short id", "arn:aws:kms:eu-west-1:111122223333:key/" + uuid[1:], "ends in neither"},
		{"upper-case id", "arn:aws:kms:eu-west-1:111122223333:key/" + strings.ToUpper(uuid), "ends in neither"},
		{"newline", "arn:aws:kms:eu-west-1:111122223333:key/" + uuid + "\n", "ends in neither"},
		{"short mrk", "arn:aws:kms:eu-west-1:111122223333:key/" + mrk[:35], "ends in neither"},
		{"empty alias", "arn:aws:kms:eu-west-1:111122223333:alias/", "ends in neither"},
		{"alias with space", "arn:aws:kms:eu-west-1:111122223333:alias/a b", "ends in neither"},
		{"long alias", "arn:aws:kms:eu-west-1:111122223333:alias/" + strings.Repeat("a", 251), "ends in neither"},
		{"something else", "arn:aws:kms:eu-west-1:111122223333:grant/x", "ends in neither"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, err := ParseKeyARN(tt.arn)
			switch {
			case tt.err == "" && err != nil:
				t.Error(err)
			case tt.err == "" && a.String() != tt.arn:
				t.Errorf("became %s", a)
			case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
				t.Errorf("got %v, want %q", err, tt.err)
			}
		})
	}
}

func TestParseRoleARN(t *testing.T) {
	for _, tt := range []struct {
		name, arn string
		ok        bool
	}{
		{"role", "arn:aws:iam::111122223333:role/deployer", true},
		{"path", "arn:aws:iam::111122223333:role/team/db/deployer+x=1,a.b@c", true},
		{"China", "arn:aws-cn:iam::111122223333:role/x", true},
		{"user", "arn:aws:iam::111122223333:user/x", false},
		{"session", "arn:aws:sts::111122223333:assumed-role/x/y", false},
		{"Region", "arn:aws:iam:eu-west-1:111122223333:role/x", false},
		{"partition", "arn:x:iam::111122223333:role/x", false},
		{"account", "arn:aws:iam::1:role/x", false},
		{"no name", "arn:aws:iam::111122223333:role/", false},
		{"empty part", "arn:aws:iam::111122223333:role/a//b", false},
		{"newline", "arn:aws:iam::111122223333:role/a\nb", false},
		{"long", "arn:aws:iam::111122223333:role/" + strings.Repeat("a", 600), false},
		{"empty", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, err := ParseRoleARN(tt.arn)
			if (err == nil) != tt.ok || tt.ok && a.String() != tt.arn {
				t.Errorf("got %v, %v", a, err)
			}
		})
	}
}

// An ARN that is accepted gives a host name of AWS and comes out as it went in.
func FuzzParseKeyARN(f *testing.F) {
	f.Add("arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab")
	f.Add("arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/x")
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseKeyARN(s)
		if err != nil {
			return
		}
		if a.String() != s || len(s) > 400 {
			t.Errorf("%q became %q", s, a)
		}
		if !chars.Only(a.Region, chars.LowerCase+chars.Digits+"-") || strings.HasPrefix(a.Region, "-") {
			t.Errorf("Region %q", a.Region)
		}
	})
}

// Nothing is sent for an entry that is not well formed, and the error repeats
// nothing of it but the ARN.
func TestMalformedEntries(t *testing.T) {
	srv := start(t)
	s := open(t, Options{})
	good := mustWrap(t, s, keys.KMSEntry{ARN: srv.CreateKey(kmstest.Key{})})
	if err := Check(good); err != nil {
		t.Error(err)
	}
	srv.ResetCounts()
	for _, tt := range []struct {
		name   string
		change func(*keys.KMSEntry)
		want   string
	}{
		{"ARN", func(e *keys.KMSEntry) { e.ARN = "arn:aws:kms:eu-west-1.evil.example:111122223333:key/x" }, "malformed Region"},
		{"role", func(e *keys.KMSEntry) { e.Role = "canary" }, "not the ARN of a role"},
		{"partition of role", func(e *keys.KMSEntry) { e.Role = "arn:aws-cn:iam::111122223333:role/x" }, "the role is in partition aws-cn"},
		{"profile", func(e *keys.KMSEntry) { e.AWSProfile = "canary\n[profile x]" }, "AWS profile is malformed"},
		{"long profile", func(e *keys.KMSEntry) { e.AWSProfile = strings.Repeat("canary", 30) }, "AWS profile is malformed"},
		{"empty context key", func(e *keys.KMSEntry) { e.Context = map[string]string{"": "canary"} }, "an empty key"},
		{"binary context", func(e *keys.KMSEntry) { e.Context = map[string]string{"k": "canary\xff"} }, "not UTF-8"},
		{"long context", func(e *keys.KMSEntry) { e.Context = map[string]string{"k": strings.Repeat("canary", 1400)} }, "more than 8192 bytes"},
		{"no enc", func(e *keys.KMSEntry) { e.Enc = "" }, "holds no wrapped key"},
		{"base64", func(e *keys.KMSEntry) { e.Enc = "canary!" }, "not standard base64"},
		{"URL base64", func(e *keys.KMSEntry) { e.Enc = "__--" }, "not standard base64"},
		{"base64 with a line break", func(e *keys.KMSEntry) { e.Enc = "Y2Fu\nYXJ5" }, "not standard base64"},
		{"base64 with bits too many", func(e *keys.KMSEntry) { e.Enc = "Y2FuYX==" }, "not standard base64"},
		{"white space", func(e *keys.KMSEntry) { e.Enc = "\n\n" }, "not standard base64"},
		{"long enc", func(e *keys.KMSEntry) { e.Enc = strings.Repeat("A", 8196) }, "has 8196 bytes, at most 8192"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := good
			tt.change(&e)
			_, err := s.Unwrap(t.Context(), e)
			call := mustFail(t, err, tt.want)
			if !call.Permanent || !keys.Permanent(err) {
				t.Error("not permanent")
			}
			if strings.Contains(call.Error()+call.Hint, "canary") {
				t.Errorf("%q repeats the entry", call)
			}
			if !strings.Contains(tt.name, "enc") && !strings.Contains(tt.name, "base64") && tt.name != "white space" {
				if err := Check(e); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "canary") {
					t.Errorf("Check says %v", err)
				}
				_, err := s.Wrap(t.Context(), e, dataKey)
				if call := mustFail(t, err, tt.want); !call.Permanent || call.Operation != keys.Wrapping {
					t.Errorf("Permanent %v, Operation %q", call.Permanent, call.Operation)
				}
			}
		})
	}
	for _, secret := range [][]byte{nil, make([]byte, 31), make([]byte, 34)} {
		_, err := s.Wrap(t.Context(), good, secret)
		mustFail(t, err, "want 32 or 33")
	}
	if _, err := s.Unwrap(t.Context(), keys.AgeEntry{}); err == nil {
		t.Error("no error for another type")
	}
	if _, err := s.Wrap(t.Context(), keys.AgeEntry{}, dataKey); err == nil {
		t.Error("no error for another type")
	}
	if n := srv.Count("") + srv.Count("AssumeRole") + srv.Count("GetCallerIdentity"); n != 0 {
		t.Errorf("%d calls, want none", n)
	}
}
