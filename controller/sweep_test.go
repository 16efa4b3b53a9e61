// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/controller/v1alpha1"
	"github.com/signet-secrets/signet/seal/keys"
)

// behind is a cache that knows these Secrets and no SealedSecret at all.
type behind []metav1.PartialObjectMetadata

func (b behind) Get(_ context.Context, key client.ObjectKey, o client.Object, _ ...client.GetOption) error {
	for _, s := range b {
		if m, ok := o.(*metav1.PartialObjectMetadata); ok && s.Name == key.Name {
			*m = s
			return nil
		}
	}
	return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
}

func (b behind) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	found, ok := list.(*metav1.PartialObjectMetadataList)
	if !ok {
		return nil
	}
	by := (&client.ListOptions{}).ApplyOptions(options).FieldSelector.Requirements()[0]
	for _, s := range b {
		if by.Field == mergerIndex && slices.Contains(mergers(&s), by.Value) || by.Field == ownerIndex && owner(&s) == by.Value {
			found.Items = append(found.Items, s)
		}
	}
	return nil
}

// apiServer answers for the metadata that it has, by path, and notes what is
// written. What it does not have is not found.
type apiServer struct {
	has map[string]metav1.PartialObjectMetadata

	mu     sync.Mutex
	writes []string
}

const (
	sealedSecretsPath = "/apis/signet.dev/v1alpha1/namespaces/prod/sealedsecrets"
	secretsPath       = "/api/v1/namespaces/prod/secrets"
)

func (a *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		a.mu.Lock()
		a.writes = append(a.writes, r.Method+" "+r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:])
		a.mu.Unlock()
	}
	var answer any
	m, found := a.has[r.URL.Path]
	switch {
	case r.URL.Path == sealedSecretsPath:
		list := metav1.PartialObjectMetadataList{TypeMeta: metav1.TypeMeta{APIVersion: "meta.k8s.io/v1", Kind: "PartialObjectMetadataList"}}
		for path, m := range a.has {
			if strings.HasPrefix(path, sealedSecretsPath) {
				list.Items = append(list.Items, m)
			}
		}
		answer = list
	case found:
		m.TypeMeta = metav1.TypeMeta{APIVersion: "meta.k8s.io/v1", Kind: "PartialObjectMetadata"}
		answer = m
	default:
		status := apierrors.NewNotFound(schema.GroupResource{}, "x").Status()
		status.APIVersion, status.Kind = "v1", "Status"
		answer = status
	}
	w.Header().Set("Content-Type", "application/json")
	if !found && r.URL.Path != sealedSecretsPath {
		w.WriteHeader(http.StatusNotFound)
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// reconcilerBehind returns one whose cache knows these Secrets, as does the API
// server.
func reconcilerBehind(t *testing.T, a *apiServer, secrets ...metav1.PartialObjectMetadata) *reconciler {
	t.Helper()
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	for _, s := range secrets {
		a.has[secretsPath+"/"+s.Name] = s
	}
	g := newGate(Election{})
	api, err := newAPIClient(&rest.Config{Host: server.URL}, g)
	if err != nil {
		t.Fatal(err)
	}
	writer, err := newSecretClient(&rest.Config{Host: server.URL}, g)
	if err != nil {
		t.Fatal(err)
	}
	shut := newGate(Election{Enabled: true, RenewDeadline: time.Minute}) // there are no events
	return &reconciler{
		cache: behind(secrets), api: api, secrets: writer, merging: &merging{client: writer}, events: &events{gate: shut},
		records: newRecords(Options{}), recovery: newRecovery(func(types.NamespacedName) {}), metrics: newMetrics(&keys.Counters{}),
		fairness: newFairness(4),
	}
}

// cached is a Secret as the cache has it.
func cached(name string, entries ...metav1.ManagedFieldsEntry) metav1.PartialObjectMetadata {
	s := *managed(entries...)
	s.Namespace, s.Name, s.UID, s.ResourceVersion = "prod", name, types.UID("s-"+name), "7"
	return s
}

// The cache of SealedSecrets may be behind that of Secrets: what the API server
// says counts.
func TestMergedKeysAreTakenOutOnlyWhenTheObjectIsGoneForSure(t *testing.T) {
	long := strings.Repeat("long-", 40)
	for _, test := range []struct {
		name, object, key string
		there             bool
		want              []string
	}{
		{"plain name, gone", "db", "db", false, []string{"PATCH app"}},
		{"plain name, there", "db", "db", true, nil},
		{"long name, gone", long, long, false, []string{"PATCH app"}},
		{"long name, there", long, long, true, nil},
		{"hash, gone", long, fieldManager(long), false, []string{"PATCH app"}},
		{"hash, there", long, fieldManager(long), true, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := &apiServer{has: map[string]metav1.PartialObjectMetadata{}}
			if test.there {
				o := metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: "prod", Name: test.object}}
				a.has[sealedSecretsPath+"/"+test.object] = o
			}
			r := reconcilerBehind(t, a, cached("app", fieldsOf(fieldManager(test.object), byApply, "a")), cached("other", fieldsOf("x", byApply, "a")))
			if err := r.gone(t.Context(), types.NamespacedName{Namespace: "prod", Name: test.key}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, a.writes); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
		})
	}
}

// A Secret may be taken over from a SealedSecret that is gone.
func TestIsGoneAsksTheAPIServer(t *testing.T) {
	a := &apiServer{has: map[string]metav1.PartialObjectMetadata{sealedSecretsPath + "/there": {}}}
	r := reconcilerBehind(t, a)
	for name, want := range map[string]bool{"there": false, "gone": true} {
		if got := r.isGone(t.Context(), types.NamespacedName{Namespace: "prod", Name: name}); got != want {
			t.Errorf("%s is gone: %v, want %v", name, got, want)
		}
	}
}

// The object may name another Secret by now, or be on its way.
func TestSweepIsForTheObjectAsItIs(t *testing.T) {
	deleted := metav1.Now()
	for _, test := range []struct {
		name string
		live *metav1.ObjectMeta
		want []string
	}{
		{"as it is", &metav1.ObjectMeta{UID: "o-1", Generation: 2}, []string{"PATCH app", "DELETE old"}},
		{"newer", &metav1.ObjectMeta{UID: "o-1", Generation: 3}, nil},
		{"another", &metav1.ObjectMeta{UID: "o-2", Generation: 2}, nil},
		{"being deleted", &metav1.ObjectMeta{UID: "o-1", Generation: 2, DeletionTimestamp: &deleted}, nil},
		{"gone", nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := &apiServer{has: map[string]metav1.PartialObjectMetadata{}}
			if test.live != nil {
				a.has[sealedSecretsPath+"/db"] = metav1.PartialObjectMetadata{ObjectMeta: *test.live}
			}
			r := reconcilerBehind(t, a, leftBehind()...)
			if err := r.sweep(t.Context(), renamed()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, a.writes); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
		})
	}
}

// renamed is a SealedSecret that names the Secret new.
func renamed() *v1alpha1.SealedSecret {
	o := &v1alpha1.SealedSecret{ObjectMeta: metav1.ObjectMeta{Namespace: "prod", Name: "db", UID: "o-1", Generation: 2}}
	o.Spec.SecretName = "new"
	return o
}

// leftBehind are the Secrets of renamed: the one that it names, and one before
// that, and one into which it has merged. Then one that was to be kept, one that
// waits for a finalizer, and one of others.
func leftBehind() []metav1.PartialObjectMetadata {
	owned := func(name string, owners ...metav1.OwnerReference) metav1.PartialObjectMetadata {
		s := cached(name)
		s.Annotations, s.OwnerReferences = map[string]string{OwnerAnnotation: "db"}, owners
		return s
	}
	ours := metav1.OwnerReference{UID: "o-1"}
	finalized := owned("finalized", ours)
	finalized.DeletionTimestamp = new(metav1.Now())
	return []metav1.PartialObjectMetadata{
		owned("new", ours), owned("old", ours), cached("app", fieldsOf("signet:db", byApply, "a")),
		owned("kept"), finalized, cached("other", fieldsOf("signet:other", byApply, "a")),
	}
}

func TestLeftovers(t *testing.T) {
	for _, test := range []struct {
		name          string
		change        func(*v1alpha1.SealedSecret)
		merged, owned []string
	}{
		{"renamed", func(*v1alpha1.SealedSecret) {}, []string{"app"}, []string{"old"}},
		{"name as before", func(o *v1alpha1.SealedSecret) { o.Spec.SecretName = "old" }, []string{"app"}, []string{"new"}},
		{"retain", func(o *v1alpha1.SealedSecret) { o.Spec.DeletionPolicy = v1alpha1.Retain }, []string{"app"}, nil},
		{"merges into it", func(o *v1alpha1.SealedSecret) {
			o.Spec.SecretName, o.Spec.CreationPolicy = "app", v1alpha1.Merge
		}, nil, []string{"new", "old"}},
		{"owner of what it has merged into", func(o *v1alpha1.SealedSecret) { o.Spec.SecretName = "app" }, []string{"app"}, []string{"new", "old"}},
		{"another name", func(o *v1alpha1.SealedSecret) { o.Name = "db2" }, nil, nil},
		{"another uid", func(o *v1alpha1.SealedSecret) { o.UID = "o-2" }, []string{"app"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := reconcilerBehind(t, &apiServer{has: map[string]metav1.PartialObjectMetadata{}}, leftBehind()...)
			o := renamed()
			test.change(o)
			left, err := r.leftovers(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([][]string{test.merged, test.owned}, [][]string{namesOf(left.merged), namesOf(left.owned)}); diff != "" {
				t.Errorf("merged, owned (-want +got):\n%s", diff)
			}
			if left.none() != (len(test.merged)+len(test.owned) == 0) {
				t.Errorf("none: %v", left.none())
			}
		})
	}
}

func namesOf(secrets []metav1.PartialObjectMetadata) []string {
	var names []string
	for _, s := range secrets {
		names = append(names, s.Name)
	}
	return names
}
