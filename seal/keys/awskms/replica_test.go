// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/seal/keys"
)

// regions returns where the Decrypt calls went, in order.
func regions(srv *kmstest.Server) []string {
	var to []string
	for _, c := range srv.Calls() {
		if c.Operation == "Decrypt" {
			to = append(to, c.Region)
		}
	}
	return to
}

// replicaCase is where two Unwraps go, for a key in us-east-1 with a replica in
// eu-west-1, which is the local Region unless o says otherwise.
type replicaCase struct {
	name   string
	change func(srv *kmstest.Server, own, replica string)
	o      Options
	single bool
	want   []string // Regions
	err    string   // of both
}

const far, local = "us-east-1", "eu-west-1"

func replicaCases() []replicaCase {
	return []replicaCase{
		{name: "local first", want: []string{local, local}},
		{name: "no replica, and it is remembered", want: []string{local, far, far},
			change: func(srv *kmstest.Server, _, replica string) { srv.SetState(replica, kmstest.Deleted) }},
		{name: "no permission in the local Region", want: []string{local, far, far},
			change: func(srv *kmstest.Server, _, replica string) { srv.Deny(kmstest.Denial{KeyARN: replica}) }},
		{name: "own key disabled", want: []string{local, local},
			change: func(srv *kmstest.Server, own, _ string) { srv.SetState(own, kmstest.Disabled) }},
		{name: "vetoed", want: []string{far, far}, o: Options{AllowReplica: func(e keys.KMSEntry) error {
			if strings.HasPrefix(e.ARN, "arn:aws:kms:"+local+":"+account+":key/mrk-") && e.Enc != "" {
				return errCanary
			}
			return nil
		}}},
		{name: "Region of the key", o: Options{Region: far}, want: []string{far, far}},
		{name: "Region by option", o: Options{Region: "ap-south-1"}, want: []string{"ap-south-1", far, far}},
		{name: "other partition", o: Options{Region: "cn-north-1"}, want: []string{far, far}},
		{name: "not multi-Region", single: true, want: []string{far, far}},
		{name: "both fail", want: []string{local, far, local, far},
			change: func(srv *kmstest.Server, own, replica string) {
				srv.SetState(own, kmstest.Disabled)
				srv.SetState(replica, kmstest.Deleted)
			},
			err: ": DisabledException: "},
	}
}

func TestReplica(t *testing.T) {
	for _, tt := range replicaCases() {
		t.Run(tt.name, func(t *testing.T) {
			srv := start(t)
			own := srv.CreateKey(kmstest.Key{Region: far, MultiRegion: !tt.single})
			replica := ""
			if !tt.single {
				replica = srv.Replicate(own, local)
			}
			s := open(t, tt.o)
			e := mustWrap(t, s, keys.KMSEntry{ARN: own, Context: map[string]string{"k": "v"}})
			if got := srv.Calls()[0].Region; got != far {
				t.Errorf("wrapped in %s, want the Region of the ARN", got)
			}
			if tt.change != nil {
				tt.change(srv, own, replica)
			}
			for range 2 {
				_, err := s.Unwrap(t.Context(), e)
				if tt.err != "" {
					call := mustFail(t, err, own+tt.err, "(region us-east-1,", "; with its replica in eu-west-1: NotFoundException: ", "(region eu-west-1,",
						"aws kms enable-key --key-id "+own+" --region us-east-1")
					if !call.Permanent {
						t.Error("not permanent")
					}
				} else if err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(tt.want, regions(srv)); diff != "" {
				t.Errorf("Regions of Decrypt (-want +got):\n%s", diff)
			}
		})
	}
}

// What the replica says of the ciphertext is final, and so is having no credentials.
func TestReplicaIsFinal(t *testing.T) {
	srv := start(t)
	own := srv.CreateKey(kmstest.Key{Region: "us-east-1", MultiRegion: true})
	srv.Replicate(own, "eu-west-1")
	s := open(t, Options{})
	e := mustWrap(t, s, keys.KMSEntry{ARN: own})
	e.Context = map[string]string{"k": "v"}
	_, err := s.Unwrap(t.Context(), e)
	mustFail(t, err, "InvalidCiphertextException")
	if n := srv.Count("Decrypt"); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	setenv(t, "AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=")
	_, err = open(t, Options{}).Unwrap(t.Context(), e)
	if call := mustFail(t, err, "no AWS credentials"); strings.Contains(call.Error(), "replica") {
		t.Errorf("%v: said twice", call)
	}
}
