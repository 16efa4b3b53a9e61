// SPDX-License-Identifier: Apache-2.0

package sopsdoc

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
)

const anyMAC = "ENC[AES256_GCM,data:AA==,iv:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str]"

// everyEntry has one entry of each key service.
func everyEntry() keys.Group {
	const at = "2026-01-31T09:30:00Z"
	return keys.Group{
		keys.AgeEntry{Recipient: "age1x", Enc: "age file\n"},
		keys.AzureKVEntry{VaultURL: "https://x.vault.azure.net", Name: "n", Version: "v", CreatedAt: at, Enc: "e"},
		keys.GCPKMSEntry{ResourceID: "projects/p", CreatedAt: at, Enc: "e"},
		keys.VaultEntry{Address: "https://vault", EnginePath: "transit", KeyName: "k", CreatedAt: at, Enc: "vault:v1:x"},
		keys.HuaweiKMSEntry{KeyID: "r:k", CreatedAt: at, Enc: "e"},
		fakeKMS,
		keys.KMSEntry{ARN: "arn:2", Role: "role", AWSProfile: "profile", CreatedAt: at, Enc: "e"},
		keys.PGPEntry{Fingerprint: "AB", CreatedAt: at, Enc: "message\n"},
	}
}

// TestMetadataRoundTrip protects every field of every key service, alone and in
// groups, in both readers.
func TestMetadataRoundTrip(t *testing.T) {
	mac, err := ParseValue(anyMAC)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		r    keys.Recipients
	}{
		{"flat", keys.Recipients{Groups: []keys.Group{everyEntry()}}},
		{"groups", keys.Recipients{Groups: []keys.Group{everyEntry(), {fakeKMS}}}},
		{"groups with threshold", keys.Recipients{Groups: []keys.Group{everyEntry(), {fakeKMS}, everyEntry()}, Threshold: 2}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := &Metadata{
				Recipients: test.r, LastModified: "2026-01-31T09:30:00Z", Version: Version, mac: mac,
				Selector: keys.Selector{Kind: keys.EncryptedRegex, Pattern: envelopeSelector},
			}
			want.unsigned = canonicalJSON(want.unsignedNode())
			text := encodeYAML(t, want.node())
			for _, strict := range []bool{true, false} {
				got, err := metadataReader{strict: strict}.read(parseRoot(t, text))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got, cmp.AllowUnexported(Metadata{})); diff != "" {
					t.Errorf("strict %v (-want +got):\n%s", strict, diff)
				}
			}
		})
	}
}

// TestMetadataOfAgeTimes protects the time in an age entry, which only envelopes
// have: stock SOPS would drop it.
func TestMetadataOfAgeTimes(t *testing.T) {
	timed := keys.Group{keys.AgeEntry{Recipient: "age1x", CreatedAt: "2026-01-31T09:30:00Z", Enc: "age file\n"}, fakeKMS}
	for _, r := range []keys.Recipients{{Groups: []keys.Group{timed}}, {Groups: []keys.Group{timed, {fakeKMS}}}} {
		md := newMetadata(r, sealedAt, Version, nil)
		md.mac = mustParseValue(t, anyMAC)
		got, err := metadataReader{strict: true}.read(parseRoot(t, encodeYAML(t, md.node())))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(md, got, cmp.AllowUnexported(Metadata{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		k := keys.GenerateDataKey()
		out, _, err := EncryptFile(parseDocuments(t, []byte(tamperPlain)), k, FileSettings{Recipients: r, Selector: tamperSelector, Now: sealedAt}, nil)
		if err != nil {
			t.Fatal(err)
		}
		f, err := ParseFile(out...)
		if err != nil {
			t.Fatal(err)
		}
		if e := f.Metadata.Recipients.Entries()[0].(keys.AgeEntry); e.CreatedAt != "" || !f.Metadata.Recipients.Same(r) {
			t.Errorf("a SOPS file has %+v", e)
		}
		if e := r.Groups[0][0].(keys.AgeEntry); e.CreatedAt == "" {
			t.Error("the recipients that were given are changed")
		}
	}
}

func mustParseValue(t *testing.T, text string) Value {
	t.Helper()
	v, err := ParseValue(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestMetadataReaders lists what only files may have, because stock sops writes
// or once wrote it, and what neither may have.
func TestMetadataReaders(t *testing.T) {
	const base = "age: [{enc: e, recipient: r}]\nencrypted_regex: ^signet$\nlastmodified: \"2026-01-31T09:30:00Z\"\nmac: " + anyMAC + "\nversion: 3.13.3\n"
	without := func(line string) string {
		var out []string
		for l := range strings.SplitSeq(base, "\n") {
			if !strings.HasPrefix(l, line) {
				out = append(out, l)
			}
		}
		return strings.Join(out, "\n")
	}
	tests := []struct {
		name, text    string
		strict, loose string // path of the error, "" for none
	}{
		{"as written", base, "", ""},
		{"empty lists of sops 3.8", base + "kms: []\ngcp_kms: []\nazure_kv: []\nhc_vault: []\npgp: []\n", "sops.azure_kv", ""},
		{"null lists", base + "kms: null\n", "sops.kms", ""},
		{"default selector", without("encrypted_regex"), "sops.encrypted_regex", ""},
		{"empty selector", base + "unencrypted_suffix: \"\"\n", "sops.unencrypted_suffix", ""},
		{"two selectors", base + "unencrypted_suffix: x\n", "sops.unencrypted_suffix", "sops.unencrypted_suffix"},
		{"lastmodified as timestamp", without("lastmodified") + "lastmodified: 2026-01-31T09:30:00Z\n", "sops.lastmodified", ""},
		{"lastmodified in a zone", without("lastmodified") + "lastmodified: \"2026-01-31T10:30:00+01:00\"\n", "sops.lastmodified", ""},
		{"lastmodified without time", without("lastmodified") + "lastmodified: 2026-01-31\n", "sops.lastmodified", "sops.lastmodified"},
		{"mac only", base + "mac_only_encrypted: true\n", "sops.mac_only_encrypted", ""},
		{"groups beside keys", base + "key_groups: []\n", "sops.key_groups", ""},
		{"one group", without("age") + "key_groups: [{age: [{enc: e, recipient: r}]}]\n", "sops.key_groups", ""},
		{"empty group", without("age") + "key_groups: [{age: [{enc: e, recipient: r}]}, {}]\n", "sops.key_groups[1]", "sops.key_groups[1]"},
		{"unknown list in a group", without("age") + "key_groups: [{age: [{enc: e, recipient: r}]}, {x: []}]\n", "sops.key_groups[1].x", "sops.key_groups[1].x"},
		{"groups are a mapping", without("age") + "key_groups: {}\n", "sops.key_groups", "sops.key_groups"},
		{"kms context null", base + "kms: [{arn: a, context: null, created_at: \"2026-01-31T09:30:00Z\", enc: e, aws_profile: \"\"}]\n", "sops.kms[0].context", ""},
		{"kms context value null", base + "kms: [{arn: a, context: {x: null}, created_at: \"2026-01-31T09:30:00Z\", enc: e}]\n", "sops.kms[0].context.x", "sops.kms[0].context.x"},
		{"kms role null", base + "kms: [{arn: a, role: null, created_at: \"2026-01-31T09:30:00Z\", enc: e}]\n", "sops.kms[0].role", ""},
		{"created_at as timestamp", base + "kms: [{arn: a, created_at: 2026-01-31T09:30:00Z, enc: e}]\n", "sops.kms[0].created_at", ""},
		{"age created_at", without("age") + "age: [{created_at: \"2026-01-31T09:30:00Z\", enc: e, recipient: r}]\n", "", ""},
		{"age created_at null", without("age") + "age: [{created_at: null, enc: e, recipient: r}]\n", "sops.age[0].created_at", ""},
		{"age created_at is no time", without("age") + "age: [{created_at: x, enc: e, recipient: r}]\n", "sops.age[0].created_at", "sops.age[0].created_at"},
		{"required null", base + "kms: [{arn: null, created_at: \"2026-01-31T09:30:00Z\", enc: e}]\n", "sops.kms[0].arn", "sops.kms[0].arn"},
		{"wrapped key too long", base + "pgp: [{created_at: \"2026-01-31T09:30:00Z\", enc: " + strings.Repeat("e", maxWrappedBytes+1) + ", fp: x}]\n", "sops.pgp[0].enc", "sops.pgp[0].enc"},
		{"list is a mapping", base + "kms: {}\n", "sops.kms", "sops.kms"},
		{"threshold without groups", base + "shamir_threshold: 1\n", "sops.shamir_threshold", ""},
		{"threshold of text", base + "shamir_threshold: \"1\"\n", "sops.shamir_threshold", "sops.shamir_threshold"},
		{"huge threshold", base + "shamir_threshold: 99999999999999999999\n", "sops.shamir_threshold", "sops.shamir_threshold"},
		{"unknown field", base + "x: y\n", "sops.x", "sops.x"},
		{"no mapping", "[]", "sops", "sops"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for strict, want := range map[bool]string{true: test.strict, false: test.loose} {
				_, err := metadataReader{strict: strict}.read(parseRoot(t, []byte(test.text)))
				if kind, path := errorAt(err); path != want || (want != "") != (kind == "InvalidError") {
					t.Errorf("strict %v: got %s at %q, want %q: %v", strict, kind, path, want, err)
				}
			}
		})
	}
}

func TestScope(t *testing.T) {
	long := strings.Repeat("a", 64)
	tests := []struct {
		text    string
		valid   bool
		allowed bool // prod/db
	}{
		{"prod/db", true, true}, {"prod/*", true, true}, {"*/db", true, true}, {"*/*", true, true},
		{"prod/other", true, false}, {"dev/db", true, false}, {"dev/*", true, false}, {"prod/db.example.com", true, false},
		{"", false, false}, {"prod", false, false}, {"/", false, false}, {"prod/", false, false}, {"/db", false, false},
		{"prod/db/", false, false}, {"pro*/db", false, false}, {"prod/d*", false, false}, {"**/db", false, false},
		{"Prod/db", false, false}, {"prod/db\n", false, false}, {"prod\n/db", false, false}, {" prod/db", false, false},
		{long + "/db", false, false}, {"pro.d/db", false, false}, {"prod/-db", false, false}, {"prod/" + strings.Repeat("a", 254), false, false},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			s, err := ParseScope(test.text)
			if (err == nil) != test.valid || s.Allows("prod", "db") != test.allowed {
				t.Errorf("%v, %v, allows %v", s, err, s.Allows("prod", "db"))
			}
			if test.valid && s.String() != test.text {
				t.Errorf("is written %q", s)
			}
		})
	}
}

func TestPolicy(t *testing.T) {
	one := func(key, value string) map[string]string { return map[string]string{key: value} }
	tests := []struct {
		name        string
		secretType  string
		labels, ann map[string]string
		path        string // "" for allowed
	}{
		{"plain", "Opaque", one("app", "db"), one("x", "y"), ""},
		{"service account token", "kubernetes.io/service-account-token", nil, nil, "type"},
		{"bootstrap token", "bootstrap.kubernetes.io/token", nil, nil, "type"},
		{"helm release", "helm.sh/release.v1", nil, nil, "type"},
		{"operator's type", "example.com/x", nil, nil, "type"},
		{"signet as label", "Opaque", one("signet", ""), nil, "labels.signet"},
		{"signet as annotation", "Opaque", nil, one("signet", ""), "annotations.signet"},
		{"our label", "Opaque", one("signet.dev/managed", "true"), nil, `labels["signet.dev/managed"]`},
		{"our annotation", "Opaque", nil, one("signet.dev/adopt", "x"), `annotations["signet.dev/adopt"]`},
		{"merge consent", "Opaque", nil, one("signet.dev/merge", "x"), ""},
		{"merge as label", "Opaque", one("signet.dev/merge", "x"), nil, `labels["signet.dev/merge"]`},
		{"argo tracking", "Opaque", nil, one("argocd.argoproj.io/tracking-id", "x"), `annotations["argocd.argoproj.io/tracking-id"]`},
		{"argo repository", "Opaque", one("argocd.argoproj.io/secret-type", "repository"), nil, ""},
		{"flux", "Opaque", one("kustomize.toolkit.fluxcd.io/name", "x"), nil, `labels["kustomize.toolkit.fluxcd.io/name"]`},
		{"helm", "Opaque", one("app.kubernetes.io/managed-by", "Helm"), nil, `labels["app.kubernetes.io/managed-by"]`},
		{"not helm", "Opaque", one("app.kubernetes.io/managed-by", "me"), nil, ""},
		{"operator's key", "Opaque", nil, one("corp.example.com/x", ""), `annotations["corp.example.com/x"]`},
	}
	p := Denied().Extend(Policy{Types: []string{"example.com/x"}, Metadata: []string{"corp.example.com/*"}})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := p.Check(test.secretType, test.labels, test.ann)
			if kind, path := errorAt(err); path != test.path || (test.path != "") != (kind == "DeniedError") {
				t.Errorf("got %s at %q, want %q: %v", kind, path, test.path, err)
			}
		})
	}
}

// Whoever reads why something was denied learns on whose list it is: what comes
// with Signet, or what an operator has added.
func TestPolicySaysWhoseListItIs(t *testing.T) {
	one := func(key, value string) map[string]string { return map[string]string{key: value} }
	p := Denied().Extend(Policy{Types: []string{"example.com/x"}, Metadata: []string{"corp.example.com/*", "team=red", "signet.dev/managed"}, Listed: "is on our list"})
	tests := []struct {
		name, secretType string
		ann              map[string]string
		want             string
	}{
		{"type that is always denied", "helm.sh/release.v1", nil, "type: a Secret of type helm.sh/release.v1 may not be sealed"},
		{"operator's type", "example.com/x", nil, "type: a Secret of type example.com/x is on our list"},
		{"mark", "", one("meta.helm.sh/release-name", "x"), `annotations["meta.helm.sh/release-name"]: is a mark of another tool or of Signet, and may be neither sealed nor opened`},
		{"mark with a value", "", one("app.kubernetes.io/managed-by", "Helm"), `annotations["app.kubernetes.io/managed-by"]: with the value Helm is a mark of another tool or of Signet, and may be neither sealed nor opened`},
		{"mark that the operator lists too", "", one("signet.dev/managed", "x"), `annotations["signet.dev/managed"]: is a mark of another tool or of Signet, and may be neither sealed nor opened`},
		{"operator's key", "", one("corp.example.com/x", ""), `annotations["corp.example.com/x"]: is on our list`},
		{"operator's key with a value", "", one("team", "red"), "annotations.team: with the value red is on our list"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if err := p.Check(test.secretType, nil, test.ann); err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
	p.Listed = ""
	const want = "type: a Secret of type example.com/x is on a deny-list, and may be neither sealed nor opened here"
	if err := p.Check("example.com/x", nil, nil); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestParseSealedSecret protects the shape of the object around the envelope.
func TestParseSealedSecret(t *testing.T) {
	base, _, _ := tamperPair(t)
	object := func() string {
		n := manifest.Mapping(manifest.String("sealed"), base.Node(), manifest.String("secretName"), manifest.String("db"))
		o := manifest.Mapping(
			manifest.String("apiVersion"), manifest.String(APIVersion), manifest.String("kind"), manifest.String(Kind),
			manifest.String("metadata"), manifest.StringMap(map[string]string{"name": "db", "namespace": "prod"}), manifest.String("spec"), n)
		return string(encodeYAML(t, o))
	}()
	tests := []struct {
		name string
		edit edit
		path string
	}{
		{"as written", func(*yaml.Node) {}, ""},
		{"policies", all(set("spec/creationPolicy", "Merge"), set("spec/deletionPolicy", "Retain"), raw("spec/suspend", "true")), ""},
		{"status", raw("status", "{x: y}"), ""},
		{"no namespace", remove("metadata/namespace"), ""},
		{"other version", set("apiVersion", "signet.dev/v1"), ""},
		{"top-level sops", raw("sops", "{}"), "sops"},
		{"name", set("metadata/name", "DB"), "metadata.name"},
		{"namespace", set("metadata/namespace", ""), "metadata.namespace"},
		{"secretName", set("spec/secretName", "a/b"), "spec.secretName"},
		{"secretName null", raw("spec/secretName", "null"), "spec.secretName"},
		{"creationPolicy", set("spec/creationPolicy", "Orphan"), "spec.creationPolicy"},
		{"deletionPolicy null", raw("spec/deletionPolicy", "null"), "spec.deletionPolicy"},
		{"suspend", set("spec/suspend", "true"), "spec.suspend"},
		{"serviceAccountName", set("spec/serviceAccountName", "x"), "spec.serviceAccountName"},
		{"unknown field", set("spec/x", "x"), "spec.x"},
		{"spec missing", remove("spec"), "spec"},
		{"sealed missing", remove("spec/sealed"), "spec.sealed"},
		{"sealed list", raw("spec/sealed", "[]"), "spec.sealed"},
		{"error in the envelope", remove("spec/sealed/type"), "spec.sealed.type"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			root := parseRoot(t, []byte(object))
			test.edit(root)
			s, err := ParseSealedSecret(root)
			kind, path := errorAt(err)
			if test.name == "other version" {
				if kind != "InvalidError" {
					t.Errorf("got %v", err)
				}
				return
			}
			if path != test.path || (test.path != "") != (kind == "InvalidError") {
				t.Errorf("got %s at %q, want %q: %v", kind, path, test.path, err)
			}
			if err == nil && (s.Name != "db" || s.SecretName != "db" || s.Envelope == nil) {
				t.Errorf("got %+v", s)
			}
		})
	}
}

func TestCheckCreationPolicy(t *testing.T) {
	for _, test := range []struct {
		policy string // "" is absent
		merge  bool
		want   string // "" for no error
	}{
		{"", false, ""},
		{"Owner", false, ""},
		{"Merge", true, ""},
		{"Merge", false, "seal it with --merge"},
		{"", true, "seal it without --merge"},
		{"Owner", true, "seal it without --merge"},
	} {
		t.Run(fmt.Sprintf("%q %v", test.policy, test.merge), func(t *testing.T) {
			k := keys.GenerateDataKey()
			clear := tamperClear()
			clear.Merge = test.merge
			spec := manifest.Mapping(manifest.String("sealed"), sealForTest(t, clear, tamperContent(), k, wrapFor(t, k, classicKeyFile), nil).Node())
			if test.policy != "" {
				manifest.Set(spec, "creationPolicy", manifest.String(test.policy))
			}
			s, err := ParseSealedSecret(manifest.Mapping(
				manifest.String("apiVersion"), manifest.String(APIVersion), manifest.String("kind"), manifest.String(Kind),
				manifest.String("metadata"), manifest.StringMap(map[string]string{"name": "db", "namespace": "prod"}), manifest.String("spec"), spec))
			if err != nil {
				t.Fatal(err)
			}
			err = s.CheckCreationPolicy()
			kind, path := errorAt(err)
			switch {
			case test.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case test.want != "" && (kind != "InvalidError" || path != "spec.creationPolicy" || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want one that says %q", err, test.want)
			}
		})
	}
}
