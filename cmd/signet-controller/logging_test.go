// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/signet-secrets/signet/controller"
	"github.com/signet-secrets/signet/internal/testtool"
)

const canary = "correct-horse-battery-staple"

func canarySecret() *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "prod", Name: "db"},
		StringData: map[string]string{"password": canary},
		Data:       map[string][]byte{"password": []byte(canary)},
	}
}

func TestLogShowsNoObjects(t *testing.T) {
	type wrapper struct{ Password string }
	var none *corev1.Secret
	tests := []struct {
		name  string
		value any
		want  string
	}{
		{"text", "text", "text"},
		{"error", errors.New("no access"), "no access"},
		{"recovered panic", errors.New("panic: " + canary + " [recovered]"), "panic [recovered]"},
		{"reason", controller.Unsealed, "Unsealed"},
		{"list of texts", []string{"a", "b"}, "a,b"},
		{"name", types.NamespacedName{Namespace: "prod", Name: "db"}, "prod/db"},
		{"request", reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "prod", Name: "db"}}, "prod/db"},
		{"reference", corev1.ObjectReference{Kind: "Secret", Namespace: "prod", Name: "db"}, "Secret prod/db"},
		{"pointer to a reference", &corev1.ObjectReference{Kind: "Secret", Namespace: "prod", Name: "db"}, "Secret prod/db"},
		{"pointer to a Secret", canarySecret(), "*v1.Secret prod/db"},
		{"no Secret", none, "(*v1.Secret)"},
		{"Secret", *canarySecret(), "(v1.Secret)"},
		{"Secrets", []*corev1.Secret{canarySecret()}, "([]*v1.Secret)"},
		{"map", map[string]string{"password": canary}, "(map[string]string)"},
		{"bytes", []byte(canary), "([]uint8)"},
		{"raw JSON", json.RawMessage(`"` + canary + `"`), "(json.RawMessage)"},
		{"struct", wrapper{canary}, "(main.wrapper)"},
		{"pointer", &wrapper{canary}, "(*main.wrapper)"},
		{"nothing", nil, "none"},
	}
	for _, format := range []string{formatJSON, formatText} {
		for _, test := range tests {
			t.Run(format+" "+test.name, func(t *testing.T) {
				var b testtool.Buffer
				l := logr.FromSlogHandler(newLogger(&b, levelDebug, format).Handler())
				l.WithValues("with", test.value).Info("message", "value", test.value)
				got := b.String()
				if strings.Contains(got, canary) || strings.Count(got, test.want) < 2 || strings.Count(got, "\n") != 1 {
					t.Errorf("log %s, want %s twice", got, test.want)
				}
			})
		}
	}
}

func TestLogFormat(t *testing.T) {
	var b testtool.Buffer
	l := logr.FromSlogHandler(newLogger(&b, levelInfo, formatJSON).Handler()).WithName("test")
	l.Info("Unsealed a Secret", "object", klog.KRef("prod", "db"), "calls", 1)
	l.V(1).Info("hidden")
	var record map[string]any
	if err := json.Unmarshal([]byte(b.String()), &record); err != nil {
		t.Fatalf("%v in %s", err, b.String())
	}
	delete(record, "time")
	object, _ := record["object"].(map[string]any)
	if record["level"] != "INFO" || record["msg"] != "Unsealed a Secret" || record["logger"] != "test" || record["calls"] != 1.0 ||
		record["object"] != "prod/db" && object["name"] != "db" {
		t.Errorf("record = %v", record)
	}
	b = testtool.Buffer{}
	logr.FromSlogHandler(newLogger(&b, levelDebug, formatText).Handler()).V(1).Info("shown")
	if !strings.Contains(b.String(), "level=DEBUG msg=shown") {
		t.Errorf("debug: %s", b.String())
	}
}

// client-go prints the bodies of requests and answers from verbosity 8 on.
// Neither level of ours lets it.
func TestClientPrintsNoBodies(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Canary", canary)
		s := canarySecret()
		s.APIVersion, s.Kind = "v1", "Secret"
		_ = json.NewEncoder(w).Encode(s)
	}))
	defer api.Close()
	t.Cleanup(klog.ClearLogger)
	write := func(t *testing.T, l logr.Logger) {
		client, err := kubernetes.NewForConfig(&rest.Config{Host: api.URL, BearerToken: canary})
		if err != nil {
			t.Fatal(err)
		}
		ctx := klog.NewContext(t.Context(), l)
		if _, err := client.CoreV1().Secrets("prod").Create(ctx, canarySecret(), metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, level := range []string{levelInfo, levelDebug} {
		t.Run(level, func(t *testing.T) {
			var b testtool.Buffer
			l := newLogger(&b, level, formatJSON)
			if err := adopt(l, level); err != nil {
				t.Fatal(err)
			}
			write(t, logr.FromSlogHandler(l.Handler()))
			write(t, klog.Background())
			klog.V(2).InfoS("two")
			for v := 3; v <= 10; v++ {
				klog.V(klog.Level(v)).InfoS(canary)
				klog.Background().V(v).Info(canary)
				logr.FromSlogHandler(l.Handler()).V(v).Info(canary)
			}
			if got := b.String(); strings.Contains(got, canary) || strings.Contains(got, `"two"`) != (level == levelDebug) {
				t.Errorf("log:\n%s", got)
			}
		})
	}
	t.Run("the canary would show", func(t *testing.T) {
		var b testtool.Buffer
		ctx := klog.NewContext(t.Context(), logr.FromSlogHandler(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.Level(-10)})))
		client, err := kubernetes.NewForConfig(&rest.Config{Host: api.URL})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.CoreV1().Secrets("prod").Get(ctx, "db", metav1.GetOptions{}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), canary) {
			t.Errorf("client-go prints no bodies at verbosity 10 any more; this test proves nothing:\n%s", b.String())
		}
	})
}

// What is written with package log comes from net/http.
func TestStrayLog(t *testing.T) {
	var b testtool.Buffer
	if err := adopt(newLogger(&b, levelInfo, formatJSON), levelInfo); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(klog.ClearLogger)
	log.Printf("http2: Framer 0xc000: wrote DATA data=%q", canary)
	log.Printf("http: panic serving 127.0.0.1:1: %s\ngoroutine 1", canary)
	log.Printf("http: TLS handshake error from 127.0.0.1:1: EOF")
	got := b.String()
	if strings.Contains(got, canary) || strings.Count(got, "\n") != 2 || !strings.Contains(got, "A panic ended") || !strings.Contains(got, "TLS handshake error") {
		t.Errorf("log:\n%s", got)
	}
}
