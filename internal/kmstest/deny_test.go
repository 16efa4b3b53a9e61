// SPDX-License-Identifier: Apache-2.0

package kmstest

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
)

func TestDenials(t *testing.T) {
	const alice = "arn:aws:iam::111122223333:user/alice"
	context := map[string]string{"kubernetes-namespace": "prod", "kubernetes-name": "db"}
	s := Start(t, Options{})
	s.AddPrincipal("AKIDALICE", alice)
	arn, other := s.CreateKey(Key{}), s.CreateKey(Key{})
	tester, other2 := client(t, s, defaultRegion), clientAs(t, s, defaultRegion, "AKIDALICE", SecretAccessKey, "")
	blob := encrypt(t, tester, arn, "x", context)
	otherBlob := encrypt(t, tester, other, "x", context)

	type outcome struct{ tester, alice, otherKey, encrypt bool } // denied
	for _, tt := range []struct {
		name string
		deny Denial
		want outcome
	}{
		{"everything", Denial{}, outcome{true, true, true, true}},
		{"operation", Denial{Operation: "Decrypt"}, outcome{true, true, true, false}},
		{"key", Denial{KeyARN: arn}, outcome{true, true, false, true}},
		{"principal", Denial{Principal: alice}, outcome{false, true, false, false}},
		{"context", Denial{Context: map[string]string{"kubernetes-namespace": "prod"}}, outcome{true, true, true, true}},
		{"other context", Denial{Context: map[string]string{"kubernetes-namespace": "dev"}}, outcome{}},
		{"context that is not there", Denial{Context: map[string]string{"team": ""}}, outcome{}},
		{"all of it", Denial{Operation: "Decrypt", KeyARN: arn, Principal: alice, Context: context}, outcome{alice: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.AllowAll()
			s.Deny(tt.deny)
			_, byTester := decrypt(t.Context(), tester, arn, blob, context)
			_, byAlice := decrypt(t.Context(), other2, arn, blob, context)
			_, ofOther := decrypt(t.Context(), tester, other, otherBlob, context)
			_, encrypting := tester.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &arn, Plaintext: []byte("x"), EncryptionContext: context})
			got := outcome{byTester != nil, byAlice != nil, ofOther != nil, encrypting != nil}
			if got != tt.want {
				t.Errorf("denied %+v, want %+v", got, tt.want)
			}
			if byAlice != nil {
				wantError(t, byAlice, "AccessDeniedException", 400, "User: "+alice+" is not authorized to perform: kms:Decrypt on resource: "+arn+
					" because no identity-based policy allows the kms:Decrypt action")
			}
		})
	}
	s.AllowAll()
	s.Deny(Denial{Operation: "Decrypt"})
	_, err := decrypt(t.Context(), tester, "", blob, context)
	wantError(t, err, "AccessDeniedException", 400, "User: arn:aws:iam::111122223333:user/tester is not authorized to perform: kms:Decrypt "+
		"on the resource associated with this ciphertext because no identity-based policy allows the kms:Decrypt action")
	s.AllowAll()
	mustDecrypt(t, tester, arn, blob, context, arn, "x")
}
