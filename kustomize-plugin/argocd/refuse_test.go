// SPDX-License-Identifier: Apache-2.0

//go:build linux

package argocd_test

import (
	"strings"
	"testing"
	"time"

	"github.com/signet-secrets/signet/internal/kmstest"
)

// fails checks that an Application has no manifests and that what Argo CD shows
// begins with the first of the parts and holds the others in this order.
func (p *plugin) fails(t *testing.T, a app, parts ...string) {
	t.Helper()
	got := p.ask(t, "generate", a)
	if len(got.Manifests) > 0 || got.Error == "" {
		t.Fatalf("%d manifests came out, want an error", len(got.Manifests))
	}
	if strings.Contains(got.Error, password) {
		t.Error("the error holds the password")
	}
	_, said, ok := strings.Cut(got.Error, "`signet-argocd-generate` failed exit status ")
	_, said, _ = strings.Cut(said, ": ")
	if !ok || !strings.HasPrefix(said, parts[0]) {
		t.Fatalf("the error does not begin with %q: %s", parts[0], got.Error)
	}
	for _, part := range parts {
		_, after, ok := strings.Cut(said, part)
		if !ok {
			t.Fatalf("%q is missing, or not where it belongs: %s", part, got.Error)
		}
		said = after
	}
}

// namespaceRow is an Application with documents of namespace stage.
type namespaceRow struct {
	name  string
	app   app
	error string // "" if it is opened
}

func namespaceRows(t *testing.T, p *plugin) []namespaceRow {
	stage := map[string]string{"db.yaml": p.seal(t, "stage", "db")}
	both := map[string]string{"db.yaml": stage["db.yaml"], "api.yaml": p.seal(t, "prod", "api")}
	built := map[string]string{"db.yaml": stage["db.yaml"], "kustomization.yaml": "resources: [db.yaml]\n"}
	moved := map[string]string{"db.yaml": stage["db.yaml"], "kustomization.yaml": "namespace: prod\nresources: [db.yaml]\n"}
	from := func(name string) map[string]string {
		return map[string]string{"db.yaml": stage["db.yaml"], name: "plugin: {}\n"}
	}
	const widen = `[{"name": "namespaces", "array": ["stage"]}]`
	return []namespaceRow{
		{"other", app{files: stage}, `signet: error: ./db.yaml, document 1, stage/db: open: metadata.namespace is "stage", but "prod" was asked for`},
		{"other beside own", app{files: both}, `signet: error: ./db.yaml, document 1, stage/db: open: metadata.namespace is "stage"`},
		{"other built", app{files: built}, `signet: error: kustomize, document 1, stage/db: open: metadata.namespace is "stage"`},
		{"other, built to look like own", app{files: moved}, `signet: error: kustomize, document 1, prod/db: open: `},
		{"own", app{files: stage, namespace: "stage"}, ""},
		{"widened", app{files: stage, parameters: widen}, ""},
		{"widened by a string", app{files: stage, parameters: `[{"name": "namespaces", "string": "stage"}]`}, `signet: error: the parameter "namespaces" is no array`},
		{"widened to what is not needed", app{files: stage, parameters: `[{"name": "namespaces", "array": ["test"]}]`},
			`signet: error: ./db.yaml, document 1, stage/db: open: the result would be in namespace "stage"; documents are opened for namespaces prod, test only`},
		{"widened beyond what is permitted", app{files: stage, parameters: `[{"name": "namespaces", "array": ["stage", "kube-system"]}]`},
			`signet: error: the parameter "namespaces" may not name kube-system`},
		{"widened to all", app{files: stage, parameters: `[{"name": "namespaces", "array": ["*"]}]`}, `signet: error: the parameter "namespaces" may not name *`},
		{"widened by a list in one", app{files: stage, parameters: `[{"name": "namespaces", "array": ["stage,kube-system"]}]`},
			`signet: error: the parameter "namespaces" holds what is no namespace`},
		{"widened by nothing", app{files: stage, parameters: `[{"name": "namespaces", "array": [""]}]`}, `signet: error: the parameter "namespaces" holds what is no namespace`},
		{"widened, perhaps from Git", app{files: from(".argocd-source.yaml"), parameters: widen},
			`signet: error: the parameter "namespaces" cannot be trusted beside ./.argocd-source.yaml`},
		{"widened, perhaps from Git for this Application", app{files: from(".argocd-source-shop.yaml"), parameters: widen},
			`signet: error: the parameter "namespaces" cannot be trusted beside ./.argocd-source-shop.yaml`},
		{"other parameters from Git", app{files: from(".argocd-source.yaml"), namespace: "stage"}, ""},
		{"no destination", app{files: stage, namespace: "-"}, "signet: error: the Application has no destination namespace"},
		{"destination that is all", app{files: stage, namespace: "*"}, "signet: error: the Application has no destination namespace"},
		{"destination that is a list", app{files: stage, namespace: "prod,stage"}, "signet: error: the Application has no destination namespace"},
	}
}

// What would be in another namespace is refused before a key is used; a
// parameter widens the limit if the administrator permits it and it cannot come
// from Git.
func TestNamespaces(t *testing.T) {
	p := start(t, setup{env: []string{"SIGNET_PARAMETER_NAMESPACES=stage,test"}})
	for _, tt := range namespaceRows(t, p) {
		t.Run(tt.name, func(t *testing.T) {
			p.ResetCounts()
			if tt.error == "" {
				p.generates(t, tt.app, secretJSON("stage", "db"))
				return
			}
			parts := []string{tt.error, "\nsignet: hint: "}
			if strings.Contains(tt.error, "stage/db: ") { // signet's own hints know flags only
				parts = append(parts, "\nsignet: hint: in Argo CD the destination namespace of the Application (prod)")
			}
			p.fails(t, tt.app, parts...)
			if calls := p.Calls(); len(calls) > 0 && tt.name != "other beside own" {
				t.Errorf("KMS was called: %v", calls)
			}
			for _, c := range p.Calls() {
				if c.Context["kubernetes-namespace"] == "stage" {
					t.Errorf("KMS was called for what was refused: %v", c)
				}
			}
		})
	}
}

// With everything permitted, * opens for all namespaces.
func TestAllNamespaces(t *testing.T) {
	p := start(t, setup{env: []string{"SIGNET_PARAMETER_NAMESPACES=*"}})
	p.generates(t, app{
		files: map[string]string{"db.yaml": p.seal(t, "stage", "db"), "api.yaml": p.seal(t, "kube-system", "api")}, parameters: `[{"name": "namespaces", "array": ["*"]}]`,
	}, secretJSON("stage", "db"), secretJSON("kube-system", "api"))
}

// When anything goes wrong there are no manifests, and the first line says what.
func TestFailures(t *testing.T) {
	p := start(t, setup{})
	db := p.seal(t, "prod", "db")
	other := p.CreateKey(kmstest.Key{Account: "444455556666"})
	foreign := strings.ReplaceAll(db, p.arn, other)
	tampered := strings.Replace(db, "password: ENC[AES256_GCM,data:", "password: ENC[AES256_GCM,data:AAAA", 1)
	if foreign == db || tampered == db {
		t.Fatal("nothing was changed")
	}
	noisy := "commonLabels: {a: b}\nresources: [db.yaml]\n"
	tests := []struct {
		name  string
		files map[string]string
		parts []string
	}{
		{"key that is not allowed", map[string]string{"db.yaml": foreign}, []string{"signet: error: ./db.yaml, document 1, prod/db: open: ", "444455556666", "\nsignet: hint: "}},
		{"tampered", map[string]string{"db.yaml": tampered}, []string{"signet: error: ./db.yaml, document 1, ", "\nsignet: hint: "}},
		{"tampered, among others and with a warning of kustomize", map[string]string{
			"db.yaml": settings + "---\n" + tampered, "kustomization.yaml": noisy,
		}, []string{"signet: error: kustomize, document ", "\nsignet: hint: "}},
		{"file is missing", map[string]string{"kustomization.yaml": "resources: [missing.yaml]\n"}, []string{"Error: ", "missing.yaml", "\nsignet: error: run kustomize: exit status 1"}},
		{"no kustomization", map[string]string{"kustomization.yaml": "resources: 1\n"}, []string{"Error: ", "\nsignet: error: run kustomize: exit status 1"}},
		{"nothing", map[string]string{"README.md": "#\n"}, []string{"signet: error: there is no kustomization, no Chart.yaml and no .yaml", "\nsignet: hint: correct the path"}},
		{"nothing but comments", map[string]string{"empty.yaml": "# nothing\n"}, []string{"signet: error: signet: read: the input is empty", "\nsignet: hint: "}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { p.fails(t, app{files: tt.files}, tt.parts...) })
	}
	t.Run("wrong key", func(t *testing.T) {
		p.SetState(p.arn, kmstest.Disabled)
		defer p.SetState(p.arn, kmstest.Enabled)
		p.fails(t, app{files: map[string]string{"db.yaml": db}}, "signet: error: ./db.yaml, document 1, prod/db: open: ", "DisabledException", "\nsignet: hint: ")
	})
	t.Run("no right", func(t *testing.T) {
		p.Deny(kmstest.Denial{Operation: "Decrypt"})
		defer p.AllowAll()
		p.fails(t, app{files: map[string]string{"db.yaml": db}}, "signet: error: ./db.yaml, document 1, prod/db: open: ", "AccessDeniedException", "\nsignet: hint: ")
	})
	t.Run("no YAML", func(t *testing.T) { // it's Argo CD that refuses what is not sealed
		got := p.ask(t, "generate", app{files: map[string]string{"db.yaml": db + "---\na: [\n"}})
		if len(got.Manifests) > 0 || !strings.Contains(got.Error, "yaml: line 1: ") || strings.Contains(got.Error, password) {
			t.Errorf("got %d manifests and %q", len(got.Manifests), got.Error)
		}
	})
	t.Run("symbolic link", func(t *testing.T) {
		p.fails(t, app{files: map[string]string{"db.yaml": db}, links: map[string]string{"api.yaml": "db.yaml"}, parameters: `[{"name": "recurse", "string": "true"}]`},
			"signet: error: there are symbolic links, which are not followed\nsignet: hint: ")
	})
}

// Links lead to no file outside of the repository: when it unpacks, Argo CD's
// server refuses them or has them lead elsewhere.
func TestLinksOut(t *testing.T) {
	p := start(t, setup{})
	for _, tt := range []struct{ name, link, target, error string }{
		{"file of the system", "db.yaml", "/proc/self/environ", "signet: error: there are symbolic links, which are not followed"},
		{"file of the repository", "db.yaml", "settings.yaml", "signet: error: there are symbolic links, which are not followed"},
		{"by a path", "db.yaml", "../../../home/.config", "receiving stream"},
		{"templates of a chart", "templates", "/proc/self", "signet: error: there are symbolic links, which are not followed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{"settings.yaml": settings}
			if tt.link == "templates" {
				files["Chart.yaml"] = "apiVersion: v2\nname: chart\nversion: 1.0.0\n"
			}
			got := p.ask(t, "generate", app{files: files, links: map[string]string{tt.link: tt.target}})
			if len(got.Manifests) > 0 || !strings.Contains(got.Error, tt.error) || strings.Contains(got.Error, "KUBE_VERSION") {
				t.Errorf("got %d manifests and %q", len(got.Manifests), got.Error)
			}
		})
	}
}

// A KMS that throttles every other request costs time, not the sync.
func TestThrottled(t *testing.T) {
	p := start(t, setup{})
	files, want := map[string]string{}, []string{}
	for _, name := range strings.Fields("a b c d e f g h i j k l") {
		files[name+".yaml"] = p.seal(t, "prod", name)
		want = append(want, secretJSON("prod", name))
	}
	p.SetFaults(kmstest.Faults{Throttle: 0.5, Seed: 1})
	p.ResetCounts()
	p.generates(t, app{files: files, timeout: 2 * time.Minute}, want...)
	if all, good := p.Count("Decrypt"), p.Succeeded("Decrypt"); all <= good || good < len(want) {
		t.Errorf("%d of %d calls succeeded: none was throttled", good, all)
	}
}

// A KMS that is not there is given up on long before the time is over: the error
// is its own.
func TestDown(t *testing.T) {
	p := start(t, setup{})
	db := p.seal(t, "prod", "db")
	p.Close()
	p.fails(t, app{files: map[string]string{"db.yaml": db}}, "signet: error: ./db.yaml, document 1, prod/db: open: ", "connection refused", "\nsignet: hint: ")
}

// The script ends before Argo CD does, which would not say why, and names the
// key that it waits for.
func TestTimeLimit(t *testing.T) {
	const limit = "5s" // the key service is asked within, on a loaded machine too
	p := start(t, setup{env: []string{"SIGNET_TIMEOUT=" + limit}})
	db := p.seal(t, "prod", "db")
	p.SetFaults(kmstest.Faults{Hang: 1})
	p.fails(t, app{files: map[string]string{"db.yaml": db, "kustomization.yaml": "resources: [db.yaml]\n"}},
		"signet: error: not done within "+limit+": no answer from kms ", p.arn, "\nsignet: hint: ")
	p.fails(t, app{files: map[string]string{"db.yaml": db}}, // the inner of two runs, which has less time
		"signet: error: not done within ", ": no answer from kms ", p.arn, "\nsignet: hint: ")
	for _, tt := range []struct {
		name, want string
		env        []string
	}{{"limit by default", "50s", nil}, {"limit of the administrator", "10m", []string{"SIGNET_TIMEOUT=10m"}}} {
		t.Run(tt.name, func(t *testing.T) {
			p := start(t, setup{env: tt.env})
			p.replace(t, "signet", "echo signet: error: limit $SIGNET_TIMEOUT >&2\nexit 1\n")
			p.fails(t, app{files: map[string]string{"db.yaml": db}}, "signet: error: limit "+tt.want)
		})
	}
}

// What hangs ends with the request, and so does all that it started.
func TestHang(t *testing.T) {
	p := start(t, setup{})
	db := p.seal(t, "prod", "db")
	check := func(t *testing.T, a app, running func() bool) {
		t.Helper()
		a.timeout = 20 * time.Second
		got := make(chan answer)
		go func() { got <- p.ask(t, "generate", a) }()
		eventually(t, "that it hangs", running)
		if a := <-got; len(a.Manifests) > 0 || a.Error == "" {
			t.Errorf("%d manifests came out, want an error", len(a.Manifests))
		} else {
			t.Log(a.Error)
		}
		eventually(t, "that no process is left", func() bool { return len(p.descendants(t)) == 0 })
	}
	t.Run("key service", func(t *testing.T) {
		p.SetFaults(kmstest.Faults{Hang: 1})
		defer p.SetFaults(kmstest.Faults{})
		p.ResetCounts()
		check(t, app{files: map[string]string{"db.yaml": db}}, func() bool { return p.Count("Decrypt") > 0 })
	})
	t.Run("kustomize", func(t *testing.T) {
		p.replace(t, "kustomize", "/bin/sleep 3600\n")
		check(t, app{files: map[string]string{"kustomization.yaml": "resources: []\n"}}, func() bool {
			return strings.Contains(strings.Join(p.descendants(t), "\n"), "sleep 3600")
		})
	})
}
