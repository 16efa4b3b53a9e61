// SPDX-License-Identifier: Apache-2.0

package installtest

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/seal/sopsdoc"
)

const notSignets = "the Secret is not Signet's"

// testAccount does with the token of the controller what the policy on its
// account is there to refuse. That RBAC allows all of it, the accepted cases
// prove.
func (l *lab) testAccount(t *testing.T) {
	cfg, err := l.ServiceAccount(t.Context(), "signet-system", "signet-controller")
	if err != nil {
		t.Fatal(err)
	}
	controller := connect(t, cfg)
	foreign := l.secret(t, "foreign", corev1.SecretTypeOpaque, nil, nil)
	await(t, "the policy on the controller's account", func(ctx context.Context) bool {
		return controller.Delete(ctx, foreign.DeepCopy(), client.DryRunAll) != nil
	})
	t.Run("change and delete", func(t *testing.T) { l.testOwnSecrets(t, controller) })
	t.Run("types", func(t *testing.T) { l.testTypes(t, controller) })
	t.Run("marks that it puts there itself", func(t *testing.T) {
		changed := foreign.DeepCopy()
		changed.Labels = map[string]string{"signet.dev/managed": "true"}
		changed.Annotations = map[string]string{"signet.dev/adopt": "db", "signet.dev/sealed-secret": "db"}
		expect(t, complaint(controller.Update(t.Context(), changed)), notSignets)
	})
	t.Run("others are unaffected", func(t *testing.T) { l.testOthers(t, foreign) })
}

// secret makes a Secret in namespace prod as the administrator.
func (l *lab) secret(tb testing.TB, name string, kind corev1.SecretType, labels, annotations map[string]string) *corev1.Secret {
	tb.Helper()
	s := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "prod", Name: name, Labels: labels, Annotations: annotations},
		Type:       kind,
		Data:       map[string][]byte{"password": []byte("correct horse battery staple")},
	}
	if err := l.admin.Create(tb.Context(), s); err != nil {
		tb.Fatal(err)
	}
	return s
}

func (l *lab) testOwnSecrets(t *testing.T, controller client.Client) {
	managed := map[string]string{"signet.dev/managed": "true"}
	for i, test := range []struct {
		name                string
		labels, annotations map[string]string
		want                string
	}{
		{"managed", managed, nil, ""},
		{"managed and owned", managed, map[string]string{"signet.dev/sealed-secret": "db"}, ""},
		{"owned, label removed", nil, map[string]string{"signet.dev/sealed-secret": "db"}, ""},
		{"consents to adoption", nil, map[string]string{"signet.dev/adopt": "db"}, ""},
		{"consents to merging", map[string]string{"app": "db"}, map[string]string{"signet.dev/merge": "db"}, ""},
		{"nobody's", nil, nil, notSignets},
		{"with other marks", map[string]string{"app": "db"}, map[string]string{"a": "b"}, notSignets},
		{"label with another value", map[string]string{"signet.dev/managed": "false"}, nil, notSignets},
		{"empty consent", nil, map[string]string{"signet.dev/adopt": "", "signet.dev/merge": ""}, notSignets},
		{"consent as a label", map[string]string{"signet.dev/adopt": "db"}, nil, notSignets},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := l.secret(t, fmt.Sprintf("case-%d", i), corev1.SecretTypeOpaque, test.labels, test.annotations)
			patch := client.RawPatch("application/merge-patch+json", []byte(`{"data":{"user":"YWxpY2U="}}`))
			expect(t, complaint(controller.Patch(t.Context(), s.DeepCopy(), patch)), test.want)
			expect(t, complaint(controller.Delete(t.Context(), s.DeepCopy())), test.want)
		})
	}
}

func (l *lab) testTypes(t *testing.T, controller client.Client) {
	create := func(kind string) error {
		s := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: "prod", GenerateName: "made-",
				Annotations: map[string]string{"kubernetes.io/service-account.name": "default"},
			},
			Type: corev1.SecretType(kind),
		}
		return controller.Create(t.Context(), s)
	}
	for _, kind := range []string{"", "Opaque", "example.com/own"} {
		t.Run("create "+kind, func(t *testing.T) { expect(t, complaint(create(kind)), "") })
	}
	for i, kind := range sopsdoc.Denied().Types {
		refused := "Signet makes no Secrets of type " + kind
		t.Run("create "+kind, func(t *testing.T) { expect(t, complaint(create(kind)), refused) })
		t.Run("update "+kind, func(t *testing.T) {
			s := l.secret(t, fmt.Sprintf("type-%d", i), corev1.SecretType(kind), map[string]string{"signet.dev/managed": "true"},
				map[string]string{"kubernetes.io/service-account.name": "default"})
			s.Data["user"] = []byte("alice")
			expect(t, complaint(controller.Update(t.Context(), s)), refused)
		})
	}
}

// testOthers: other accounts, also one with the same rights, are not concerned.
func (l *lab) testOthers(t *testing.T, foreign *corev1.Secret) {
	cfg, err := l.ServiceAccount(t.Context(), "other", "signet-controller")
	if err != nil {
		t.Fatal(err)
	}
	l.apply(t, []byte(`
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: another-controller}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: signet-controller}
subjects: [{kind: ServiceAccount, name: signet-controller, namespace: other}]
`))
	other := connect(t, cfg)
	await(t, "the rights of the other account", func(ctx context.Context) bool {
		return other.Get(ctx, client.ObjectKeyFromObject(foreign), foreign.DeepCopy()) == nil
	})
	expect(t, complaint(l.admin.Update(t.Context(), foreign.DeepCopy(), client.DryRunAll)), "")
	expect(t, complaint(other.Update(t.Context(), foreign.DeepCopy(), client.DryRunAll)), "")
	token := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "prod", Name: "token"}, Type: corev1.SecretTypeBootstrapToken}
	expect(t, complaint(other.Create(t.Context(), token, client.DryRunAll)), "")
	expect(t, complaint(other.Delete(t.Context(), foreign.DeepCopy())), "")
}
