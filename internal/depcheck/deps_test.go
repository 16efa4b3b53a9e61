// SPDX-License-Identifier: Apache-2.0

package depcheck

import (
	"slices"
	"strings"
	"testing"
)

const module = "github.com/signet-secrets/signet"

// row gives the packages of this module that a package may import directly.
// Patterns are relative to the module; see match. A package that no row names
// is an error, and so is a row without a package unless it is planned.
type row struct {
	packages string
	may      []string
	planned  bool // may not exist yet
}

// libraries may be imported by a program; none of them is one.
var libraries = []string{"seal/...", "unseal/..."}

// shared may be imported by the programs of users.
var shared = []string{"internal/buildinfo", "internal/exitcode", "internal/parallel", "internal/report", "internal/userkeys"}

// daily is what the commands of every day are made of beside the libraries.
var daily = []string{
	"internal/bitnami", "internal/editor", "internal/fingerprint", "internal/foreground", "internal/gitrepo",
	"internal/helmtext", "internal/memfile", "internal/merge3", "internal/sarif",
}

// The arrows. They go one way: programs, then seal and unseal, then what the
// two share. The first row that matches a package is its row.
var rows = []row{
	{packages: "cmd/signet", may: slices.Concat(libraries, shared, daily, []string{"internal/krm", "internal/tree"})},
	{packages: "cmd/signet-kustomize", may: slices.Concat(shared, []string{"internal/krm", "kustomize-plugin", "unseal", "seal/keys", "seal/keys/*", "seal/sopsdoc"})},
	{packages: "cmd/signet-controller", may: []string{"controller", "internal/buildinfo", "seal/keys", "seal/keys/*", "seal/sopsdoc"}},

	// What programs have in common. The controller shares the version only: it
	// talks to a log, and has keys of its own.
	{packages: "internal/buildinfo"},
	{packages: "internal/exitcode", may: []string{"internal/parallel", "internal/report", "internal/userkeys", "seal/keys", "seal/manifest", "unseal"}},
	{packages: "internal/parallel", may: []string{"internal/report"}},
	{packages: "internal/report", may: []string{"seal/manifest"}},
	{packages: "internal/krm"},  // the words of kustomize
	{packages: "internal/tree"}, // file names and patterns of foreign kustomizations
	{packages: "internal/userkeys", may: []string{"internal/report", "unseal", "seal/keys", "seal/keys/*", "seal/manifest", "seal/sopsdoc"}},

	// What the commands of every day need. None of it knows keys or rules, and
	// what is under seal only as values.
	{packages: "internal/bitnami", may: []string{"seal/manifest"}},
	{packages: "internal/editor", may: []string{"internal/foreground", "internal/memfile"}},
	{packages: "internal/fingerprint"},
	{packages: "internal/foreground"},
	{packages: "internal/gitrepo"}, // the git program
	{packages: "internal/helmtext"},
	{packages: "internal/memfile"},
	{packages: "internal/merge3", may: []string{"seal/manifest", "seal/sopsdoc"}},
	{packages: "internal/sarif"},

	// The function of kustomize doesn't know key services either.
	{packages: "kustomize-plugin", may: []string{"internal/krm", "internal/parallel", "internal/report", "internal/tree", "seal/keys", "seal/manifest", "seal/sopsdoc", "unseal/..."}},
	{packages: "kustomize-plugin/argocd", may: []string{"internal/kmstest", "internal/testtool"}}, // only tests, of the scripts

	// The controller doesn't know key services; its program gives it some.
	{packages: "controller", may: []string{"controller/v1alpha1", "unseal", "seal/keys", "seal/manifest", "seal/sopsdoc"}},
	{packages: "controller/tests/*"},  // only tests, of the program on a control plane
	{packages: "controller/v1alpha1"}, // the API types, also for clients that others write

	// seal and unseal never import each other: what seals provably can't open.
	{packages: "seal", may: []string{"seal/manifest", "seal/sopsdoc", "seal/keys"}},
	{packages: "unseal", may: []string{"seal/manifest", "seal/sopsdoc", "seal/keys"}},
	{packages: "unseal/*", may: []string{"unseal", "seal/manifest", "seal/sopsdoc", "seal/keys"}},

	// YAML in and out, of use without any cryptography.
	{packages: "seal/manifest"},
	{packages: "seal/sopsdoc", may: []string{"seal/keys", "seal/manifest"}},
	{packages: "seal/keys", may: []string{"seal/manifest", "seal/keys/internal/hide"}},

	// A provider is the interfaces of seal/keys and one SDK, so that a program
	// links the SDKs that its providers.go names and no others.
	{packages: "seal/keys/agekey", may: []string{"seal/keys", "seal/manifest"}},
	{packages: "seal/keys/*", may: []string{"seal/keys", "seal/manifest", "seal/keys/internal/..."}},
	{packages: "seal/keys/internal/*", may: []string{"seal/keys"}}, // what several providers do alike

	{packages: "examples/*", may: []string{"seal/keys"}}, // only tests, that the examples hold what they promise
	{packages: "examples/internal/readme", may: []string{"internal/testtool"}},

	{packages: "internal/depcheck"},
	{packages: "internal/testtool"},
	{packages: "internal/kmstest"},
	{packages: "internal/vaulttest"},
	{packages: "internal/testcluster", may: []string{"internal/testtool"}},
	{packages: "internal/installtest"}, // only tests, of what controller/config installs
	{packages: "internal/controllertest", may: []string{
		"controller/v1alpha1", "seal", "seal/keys", "seal/keys/*", "seal/manifest", "seal/sopsdoc",
		"internal/kmstest", "internal/testcluster", "internal/testtool",
	}},
	{packages: "internal/kmstest/cmd", may: []string{"internal/kmstest"}},
	{packages: "internal/figures"},                                                      // medians, ratios, tables: what the benchmarks print
	{packages: "internal/bench", may: []string{"internal/kmstest", "internal/figures"}}, // measures the programs from outside
	{packages: "internal/benchcontroller", may: []string{ // and so does this
		"controller/v1alpha1", "seal/keys", "internal/figures",
		"internal/controllertest", "internal/kmstest", "internal/testcluster", "internal/testtool",
	}},
	{packages: "internal/demo"}, // a second opinion on what Signet does
	{packages: "internal/demo/cluster", may: []string{"internal/testcluster"}},
}

// ban says what a package must not link, directly or through others.
type ban struct {
	packages string   // who, relative to the module
	except   []string // and who of those may
	paths    []string // what: import paths or patterns
	reason   string
	// pending says why nothing that matches paths can be found yet, neither in
	// the standard library nor in the module graph. It must go when it can.
	pending string
}

// sopsRoot is a separate name because of what it drags in: the package itself,
// not what lies below it.
const sopsRoot = "github.com/getsops/sops/v3"

// kubernetes are the packages that work with a cluster.
var kubernetes = []string{
	"cmd/signet-controller", "controller/...", "internal/controllertest", "internal/benchcontroller",
	"internal/testcluster", "internal/demo/cluster",
}

// ofModule makes import paths of paths that are relative to the module.
func ofModule(relative []string) []string {
	paths := make([]string, len(relative))
	for i, name := range relative {
		paths[i] = module + "/" + name
	}
	return paths
}

var bans = []ban{
	{
		packages: "...",
		except:   kubernetes,
		paths:    []string{"k8s.io/...", "sigs.k8s.io/controller-runtime/..."},
		reason:   "programs of users work on YAML nodes; the Kubernetes API types and client would triple their size and start-up",
	},
	{
		packages: "cmd/signet-controller",
		paths:    []string{module + "/seal/keys/pgp"},
		reason:   "it runs gpg, and the controller runs no programs",
	},
	{
		packages: "...",
		except:   []string{"cmd/signet-controller", "controller"},
		paths:    []string{module + "/controller"},
		reason:   "only one program is the controller",
	},
	{
		packages: "kustomize-plugin",
		paths:    []string{module + "/seal", module + "/internal/userkeys"},
		reason:   "it opens documents, with the keys that its program gives it",
	},
	{
		packages: "cmd/signet-kustomize",
		paths:    []string{module + "/seal", "github.com/spf13/cobra/..."},
		reason:   "it only opens, and a build starts it once for each configuration",
	},
	{
		packages: "...",
		except:   []string{"cmd/signet", "cmd/signet-kustomize", "internal/exitcode"},
		paths:    []string{module + "/internal/userkeys"},
		reason:   "these are the keys of a person",
	},
	{
		packages: "...",
		except:   slices.Concat([]string{"cmd/signet"}, daily),
		paths:    ofModule(daily),
		reason:   "editors, the git program and foreign formats are for the command line of a person",
	},
	{
		packages: "cmd/...",
		paths: []string{
			sopsRoot, sopsRoot + "/stores/...", sopsRoot + "/config/...",
			sopsRoot + "/keyservice/...", sopsRoot + "/decrypt/...",
		},
		reason: "these packages link every cloud SDK and bring a second opinion on the format; leaf packages are fine",
	},
	{
		packages: "...",
		except:   []string{"cmd/signet-controller", "controller"}, // by controller-runtime; a test of the program finds nothing served
		paths:    []string{"net/http/pprof"},
		reason:   "importing it registers handlers that show memory, where plaintext and data keys are",
	},
	{
		packages: "seal/...",
		paths:    []string{module + "/unseal/..."},
		reason:   "what seals provably can't open",
	},
	{
		packages: "unseal/...",
		paths:    []string{module + "/seal"},
		reason:   "opening must not depend on how documents are made; what both need is in seal/sopsdoc",
	},
	{
		packages: "...",
		paths:    []string{module + "/cmd/..."},
		reason:   "programs are the ends of the graph; code that is worth sharing belongs in a library",
	},
	{
		packages: "...",
		except: []string{
			"internal/testtool", "internal/kmstest", "internal/kmstest/cmd", "internal/vaulttest",
			"internal/testcluster", "internal/controllertest", "internal/bench",
			"internal/benchcontroller", "internal/demo/cluster", "examples/internal/readme",
		},
		paths: []string{
			module + "/internal/testtool", module + "/internal/kmstest", module + "/internal/vaulttest",
			module + "/internal/testcluster", module + "/internal/controllertest",
		},
		reason: "test equipment has no place in what ships",
	},
	{
		packages: "...",
		except:   []string{"cmd/..."},
		paths:    []string{"github.com/spf13/cobra/..."},
		reason:   "a library takes values and returns errors; flags and help are for programs",
	},
}

func TestEveryPackageHasARow(t *testing.T) {
	graph := load(t)
	for _, p := range graph.own() {
		if rowOf(p.ImportPath) == nil {
			t.Errorf("%s: no row in deps_test.go says what it may import; add one", relative(p.ImportPath))
		}
	}
	for i, r := range rows {
		named := slices.ContainsFunc(graph.own(), func(p *pkg) bool { return rowOf(p.ImportPath) == &rows[i] })
		if !named && !r.planned {
			t.Errorf("row %q: there is no such package; remove the row or mark it planned", r.packages)
		}
	}
}

func TestArrows(t *testing.T) {
	for _, p := range load(t).own() {
		r := rowOf(p.ImportPath)
		if r == nil {
			continue // reported by TestEveryPackageHasARow
		}
		for _, imported := range p.Imports {
			if isOwn(imported) && !matchAny(r.may, relative(imported)) {
				t.Errorf("%s imports %s, but may import of this module only %q",
					relative(p.ImportPath), relative(imported), r.may)
			}
		}
	}
}

func TestBans(t *testing.T) {
	graph := load(t)
	for _, b := range bans {
		for _, p := range graph.own() {
			name := relative(p.ImportPath)
			if !match(b.packages, name) || matchAny(b.except, name) {
				continue
			}
			banned := func(path string) bool { return path != p.ImportPath && matchAny(b.paths, path) }
			if chain := graph.chain(p.ImportPath, banned); chain != nil {
				t.Errorf("%s must not link %s: %s\n\t%s",
					name, chain[len(chain)-1], b.reason, strings.Join(chain, "\n\t-> "))
			}
		}
	}
}

// A ban on a path that was renamed upstream, or whose subject is gone, would
// pass for ever.
func TestBansMeanSomething(t *testing.T) {
	graph := load(t)
	known := graph.known(t)
	for _, b := range bans {
		if !slices.ContainsFunc(graph.own(), func(p *pkg) bool { return match(b.packages, relative(p.ImportPath)) }) {
			t.Errorf("ban on %q: no package matches %q", b.paths, b.packages)
		}
		for _, path := range b.paths {
			found := known(path)
			if !found && b.pending == "" {
				t.Errorf("ban on %s: no such package can be found; correct the path or remove the ban", path)
			}
			if found && b.pending != "" {
				t.Errorf("ban on %s: it can be found now, so %q no longer holds; remove `pending`", path, b.pending)
			}
		}
	}
}

func TestMatch(t *testing.T) {
	tests := []struct {
		pattern, path string
		want          bool
	}{
		{"...", "seal", true},
		{"seal", "seal", true},
		{"seal", "seal/keys", false},
		{"seal/...", "seal", true},
		{"seal/...", "seal/keys/agekey", true},
		{"seal/...", "sealed", false},
		{"seal/keys/*", "seal/keys/agekey", true},
		{"seal/keys/*", "seal/keys", false},
		{"seal/keys/*", "seal/keys/agekey/internal", false},
	}
	for _, test := range tests {
		t.Run(test.pattern+" "+test.path, func(t *testing.T) {
			if got := match(test.pattern, test.path); got != test.want {
				t.Errorf("match = %v, want %v", got, test.want)
			}
		})
	}
}

func TestChain(t *testing.T) {
	g := newGraph([]*pkg{
		{ImportPath: "a", Imports: []string{"b", "c"}},
		{ImportPath: "b", Imports: []string{"a", "d"}},
		{ImportPath: "c", Imports: []string{"e"}},
		{ImportPath: "d", Imports: []string{"e"}},
		{ImportPath: "e"},
	})
	if got, want := g.chain("a", func(p string) bool { return p == "e" }), []string{"a", "c", "e"}; !slices.Equal(got, want) {
		t.Errorf("chain = %q, want the shortest, %q", got, want)
	}
	if got := g.chain("c", func(p string) bool { return p == "d" }); got != nil {
		t.Errorf("chain = %q, want none", got)
	}
}
