// SPDX-License-Identifier: Apache-2.0

package seal_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/agekey"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// key is a recipient with the means to open what is sealed for it. Package
// seal itself has none, so the tests bring their own.
type key struct {
	recipient string
	unwrapper keys.Unwrapper
}

func newKey(t *testing.T) key {
	t.Helper()
	id, err := agekey.GenerateClassicIdentity()
	if err != nil {
		t.Fatal(err)
	}
	sources := agekey.Sources{Identities: []agekey.Identity{id}}
	return key{id.Recipient(), agekey.NewUnwrapper(sources)}
}

func (k key) options() seal.Options {
	return seal.Options{
		Recipients: keys.Recipients{Groups: []keys.Group{{keys.AgeEntry{Recipient: k.recipient}}}},
		Wrapper:    keys.Wrappers{keys.Age: agekey.NewWrapper(nil)},
		Now:        time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC),
	}
}

// open gives what Seal needs to seal over a document again.
func (k key) open(t *testing.T, object *yaml.Node) *seal.Previous {
	t.Helper()
	doc, err := sopsdoc.ParseSealedSecret(manifest.Root(object))
	if err != nil {
		t.Fatal(err)
	}
	dataKey, err := keys.UnwrapAny(context.Background(), k.unwrapper, doc.Envelope.Metadata.Recipients)
	if err != nil {
		t.Fatal(err)
	}
	content, err := doc.Envelope.Open(dataKey)
	if err != nil {
		t.Fatal(err)
	}
	return &seal.Previous{Object: object, Sealed: sopsdoc.Previous{Envelope: doc.Envelope, Content: content}, DataKey: dataKey}
}

func example() *manifest.Secret {
	return &manifest.Secret{
		Name: "db", Namespace: "prod", Type: "kubernetes.io/basic-auth",
		Labels:      map[string]string{"app": "db"},
		Annotations: map[string]string{"owner": "team-a", "argocd.argoproj.io/sync-wave": "1"},
		StringData:  map[string]string{"username": "admin", "password": "correct horse"},
		Data:        map[string][]byte{"keystore": {0, 1, 2, 255}},
	}
}

// reparsed writes a document and reads it again, as files do.
func reparsed(t *testing.T, n *yaml.Node) *yaml.Node {
	t.Helper()
	text, err := manifest.EncodeYAML(n)
	if err != nil {
		t.Fatal(err)
	}
	n, err = manifest.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func mustSeal(t *testing.T, s *manifest.Secret, prev *seal.Previous, o seal.Options) *seal.Result {
	t.Helper()
	result, err := seal.Seal(context.Background(), s.Node(), prev, o)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestSealPutsEverythingInItsPlace(t *testing.T) {
	k := newKey(t)
	n := manifest.Root(mustSeal(t, example(), nil, k.options()).Node)
	got := map[string]string{
		"kind":       manifest.GetString(n, "kind"),
		"namespace":  manifest.GetString(n, "metadata", "namespace"),
		"label":      manifest.GetString(n, "metadata", "labels", "app"),
		"wave":       manifest.GetString(n, "metadata", "annotations", "argocd.argoproj.io/sync-wave"),
		"secretName": manifest.GetString(n, "spec", "secretName"),
		"scope":      manifest.GetString(n, "spec", "sealed", "scope"),
		"type":       manifest.GetString(n, "spec", "sealed", "type"),
		"owner":      manifest.GetString(n, "spec", "sealed", "annotations", "owner"),
	}
	want := map[string]string{
		"kind": "SealedSecret", "namespace": "prod", "label": "db", "wave": "1", "secretName": "db",
		"scope": "prod/db", "type": "kubernetes.io/basic-auth", "owner": "team-a",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if sealed := manifest.Get(n, "spec", "sealed", "annotations"); len(sealed.Content) != 2 {
		t.Errorf("sealed annotations are %v, want only owner", manifest.Keys(sealed))
	}
	if outer := manifest.Get(n, "metadata", "annotations"); len(outer.Content) != 2 {
		t.Errorf("annotations outside are %v, want only the sync wave", manifest.Keys(outer))
	}
}

func TestReach(t *testing.T) {
	k := newKey(t)
	tests := []struct {
		name      string
		reach     seal.Reach
		namespace string // in the manifest
		given     string
		want      string
		err       error
	}{
		{name: "strict", reach: seal.Strict, namespace: "prod", want: "prod/db"},
		{name: "strict, namespace given", reach: seal.Strict, given: "prod", want: "prod/db"},
		{name: "namespace", reach: seal.Namespace, namespace: "prod", want: "prod/*"},
		{name: "cluster", reach: seal.Cluster, namespace: "prod", want: "*/*"},
		{name: "cluster without namespace", reach: seal.Cluster, want: "*/*"},
		{name: "strict without namespace", reach: seal.Strict, err: seal.ErrNoNamespace},
		{name: "namespace without namespace", reach: seal.Namespace, err: seal.ErrNoNamespace},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, o := example(), k.options()
			s.Namespace, o.Namespace, o.Reach = test.namespace, test.given, test.reach
			result, err := seal.Seal(context.Background(), s.Node(), nil, o)
			if !errors.Is(err, test.err) {
				t.Fatalf("error %v, want %v", err, test.err)
			}
			if err != nil {
				return
			}
			if got := manifest.GetString(manifest.Root(result.Node), "spec", "sealed", "scope"); got != test.want {
				t.Errorf("scope %q, want %q", got, test.want)
			}
		})
	}
}

// leaves returns every scalar of the envelope by its path.
func leaves(n *yaml.Node, path string, into map[string]string) map[string]string {
	n = manifest.Root(n)
	if n.Kind == yaml.ScalarNode {
		into[path] = n.Value
	}
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		leaves(n.Content[i+1], path+"/"+n.Content[i].Value, into)
	}
	for i := 0; n.Kind == yaml.SequenceNode && i < len(n.Content); i++ {
		leaves(n.Content[i], path+"[]", into)
	}
	return into
}

func changed(a, b map[string]string) []string {
	var paths []string
	for path := range maps.Keys(a) {
		if b[path] != a[path] {
			paths = append(paths, path)
		}
	}
	for path := range maps.Keys(b) {
		if _, ok := a[path]; !ok {
			paths = append(paths, path)
		}
	}
	return slices.Sorted(slices.Values(paths))
}

func TestResealChangesOnlyWhatChanged(t *testing.T) {
	const env = "/spec/sealed"
	tests := []struct {
		name   string
		change func(*manifest.Secret)
		want   []string
	}{
		{"nothing", func(*manifest.Secret) {}, nil},
		{"a value", func(s *manifest.Secret) { s.StringData["password"] = "another" },
			[]string{env + "/signet/stringData/password", env + "/sops/lastmodified", env + "/sops/mac"}},
		{"a binary value", func(s *manifest.Secret) { s.Data["keystore"] = []byte{9} },
			[]string{env + "/signet/data/keystore", env + "/sops/lastmodified", env + "/sops/mac"}},
		{"a new key", func(s *manifest.Secret) { s.StringData["zone"] = "x" },
			[]string{env + "/signet/binding", env + "/signet/stringData/zone", env + "/sops/lastmodified", env + "/sops/mac"}},
		{"a label", func(s *manifest.Secret) { s.Labels["app"] = "web" },
			[]string{"/metadata/labels/app", env + "/labels/app", env + "/signet/binding", env + "/sops/lastmodified", env + "/sops/mac"}},
		{"a label gone", func(s *manifest.Secret) { s.Labels = nil },
			[]string{"/metadata/labels/app", env + "/labels/app", env + "/signet/binding", env + "/sops/lastmodified", env + "/sops/mac"}},
		{"an annotation outside", func(s *manifest.Secret) { s.Annotations["argocd.argoproj.io/sync-wave"] = "2" },
			[]string{"/metadata/annotations/argocd.argoproj.io/sync-wave"}},
		{"the type", func(s *manifest.Secret) { s.Type = "Opaque" },
			[]string{env + "/signet/binding", env + "/sops/lastmodified", env + "/sops/mac", env + "/type"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			k := newKey(t)
			first := reparsed(t, mustSeal(t, example(), nil, k.options()).Node)
			before := leaves(first, "", map[string]string{})
			s := example()
			test.change(s)
			o := k.options()
			o.Now = o.Now.Add(time.Hour)
			result := mustSeal(t, s, k.open(t, first), o)
			after := leaves(result.Node, "", map[string]string{})
			if diff := cmp.Diff(test.want, changed(before, after)); diff != "" {
				t.Error(diff)
			}
			if result.Unchanged != (test.want == nil) {
				t.Errorf("Unchanged is %v", result.Unchanged)
			}
			if got := k.open(t, reparsed(t, result.Node)).Sealed.Content; !cmp.Equal(got.StringData, s.StringData) {
				t.Error("the result does not open to what was sealed")
			}
		})
	}
}

func TestNewDataKey(t *testing.T) {
	tests := []struct {
		name string
		turn func(t *testing.T, o *seal.Options)
	}{
		{"asked for", func(_ *testing.T, o *seal.Options) { o.FreshKey = true }},
		{"recipient added", func(t *testing.T, o *seal.Options) {
			o.Recipients.Groups[0] = append(o.Recipients.Groups[0], keys.AgeEntry{Recipient: newKey(t).recipient})
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			k := newKey(t)
			first := reparsed(t, mustSeal(t, example(), nil, k.options()).Node)
			before, prev := leaves(first, "", map[string]string{}), k.open(t, first)
			o := k.options()
			test.turn(t, &o)
			result := mustSeal(t, example(), prev, o)
			if k.open(t, reparsed(t, result.Node)).DataKey.Equal(prev.DataKey) {
				t.Error("the data key was kept")
			}
			for path, value := range leaves(result.Node, "", map[string]string{}) {
				if strings.HasPrefix(value, "ENC[") && before[path] == value {
					t.Errorf("%s was kept", path)
				}
			}
		})
	}
}

func TestFreshKeyOnChange(t *testing.T) {
	k := newKey(t)
	o := k.options()
	o.FreshKeyOnChange = true
	first := reparsed(t, mustSeal(t, example(), nil, o).Node)
	prev := k.open(t, first)
	if !mustSeal(t, example(), prev, o).Unchanged {
		t.Error("sealing what has not changed made a change")
	}
	s := example()
	s.StringData["password"] = "another"
	prev = k.open(t, reparsed(t, first))
	if k.open(t, reparsed(t, mustSeal(t, s, prev, o).Node)).DataKey.Equal(prev.DataKey) {
		t.Error("a value was changed under the previous data key")
	}
}

func TestSealRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(*manifest.Secret)
		target any
		want   string
	}{
		{"service account token", func(s *manifest.Secret) { s.Type = "kubernetes.io/service-account-token" }, new(*sopsdoc.DeniedError), "type"},
		{"bootstrap token", func(s *manifest.Secret) { s.Type = "bootstrap.kubernetes.io/token" }, new(*sopsdoc.DeniedError), "type"},
		{"helm release", func(s *manifest.Secret) { s.Type = "helm.sh/release.v1" }, new(*sopsdoc.DeniedError), "type"},
		{"own annotation", func(s *manifest.Secret) { s.Annotations["signet.dev/adopt"] = "x" }, new(*sopsdoc.DeniedError), "signet.dev/adopt"},
		{"own label", func(s *manifest.Secret) { s.Labels["signet.dev/managed"] = "true" }, new(*sopsdoc.DeniedError), "signet.dev/managed"},
		{"key signet", func(s *manifest.Secret) { s.Labels["signet"] = "x" }, new(*sopsdoc.DeniedError), "labels.signet"},
		{"Flux label", func(s *manifest.Secret) { s.Labels["kustomize.toolkit.fluxcd.io/name"] = "x" }, new(*sopsdoc.DeniedError), "kustomize.toolkit.fluxcd.io/name"},
		{"Argo CD label", func(s *manifest.Secret) { s.Labels["argocd.argoproj.io/instance"] = "x" }, new(*sopsdoc.DeniedError), "argocd.argoproj.io/instance"},
		{"Helm's mark", func(s *manifest.Secret) { s.Labels["app.kubernetes.io/managed-by"] = "Helm" }, new(*sopsdoc.DeniedError), "managed-by"},
		{"value in a label", func(s *manifest.Secret) { s.Labels["note"] = "correct horse" }, new(*seal.ClearValueError), "label note"},
		{"base64 of a value in an annotation", func(s *manifest.Secret) { s.Annotations["note"] = "is Y29ycmVjdCBob3JzZQ== today" }, new(*seal.ClearValueError), "annotation note"},
		{"another namespace", func(s *manifest.Secret) { s.Namespace = "dev" }, new(*seal.NamespaceError), "dev"},
		{"bad name", func(s *manifest.Secret) { s.Name = "DB" }, new(*manifest.SyntaxError), "metadata.name"},
		{"bad key", func(s *manifest.Secret) { s.StringData["a b"] = "x" }, new(*sopsdoc.InvalidError), "a b"},
		{"too large", func(s *manifest.Secret) { s.Data["big"] = make([]byte, 1<<20) }, new(*seal.SizeError), "limit"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, o := example(), newKey(t).options()
			o.Namespace = "prod"
			test.change(s)
			_, err := seal.Seal(context.Background(), s.Node(), nil, o)
			if !errors.As(err, test.target) {
				t.Fatalf("got %T %v, want %T", err, err, test.target)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %q does not name %q", err, test.want)
			}
			if strings.Contains(err.Error(), "correct horse") {
				t.Errorf("error %q holds a value", err)
			}
		})
	}
}

func TestOperatorsExtendThePolicy(t *testing.T) {
	s, o := example(), newKey(t).options()
	o.Policy = sopsdoc.Policy{Types: []string{"kubernetes.io/basic-auth"}}
	if _, err := seal.Seal(context.Background(), s.Node(), nil, o); !errors.As(err, new(*sopsdoc.DeniedError)) {
		t.Errorf("got %v", err)
	}
	o.Policy, s.Type = sopsdoc.Policy{}, "helm.sh/release.v1"
	if _, err := seal.Seal(context.Background(), s.Node(), nil, o); !errors.As(err, new(*sopsdoc.DeniedError)) {
		t.Errorf("an empty policy allows what is always denied: %v", err)
	}
}

func TestWhatIsLegitimateStays(t *testing.T) {
	s := example()
	s.Labels["argocd.argoproj.io/secret-type"] = "repository"
	s.Annotations["signet.dev/merge"] = "other"
	n := manifest.Root(mustSeal(t, s, nil, newKey(t).options()).Node)
	if manifest.GetString(n, "spec", "sealed", "labels", "argocd.argoproj.io/secret-type") != "repository" {
		t.Error("Argo CD's repository credentials lost their label")
	}
	if manifest.GetString(n, "spec", "sealed", "annotations", "signet.dev/merge") != "other" {
		t.Error("consent to merging was lost")
	}
}

func TestFluxSubstitutionIsTurnedOff(t *testing.T) {
	for _, value := range []string{"${x}", "a$$b"} {
		s := example()
		s.Annotations["owner"] = value
		n := manifest.Root(mustSeal(t, s, nil, newKey(t).options()).Node)
		if manifest.GetString(n, "metadata", "annotations", "kustomize.toolkit.fluxcd.io/substitute") != "disabled" {
			t.Errorf("%q: Flux would rewrite a sealed annotation", value)
		}
	}
}
