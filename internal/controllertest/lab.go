// SPDX-License-Identifier: Apache-2.0

package controllertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"

	"filippo.io/age"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/signet-secrets/signet/controller/v1alpha1"
	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/internal/testcluster"
	"github.com/signet-secrets/signet/internal/testtool"
)

// The service account that the install manifests make.
const (
	AccountNamespace = "signet-system"
	AccountName      = "signet-controller"
)

// Options says what kind of lab to set up.
type Options struct {
	Cluster testcluster.Options
	// Without names parts of the install manifests that are left out, such as
	// "admission"; see Lab.Parts.
	Without []string
	// Log gets the progress of a first build; nil is silence.
	Log io.Writer
}

// Lab is a control plane with Signet installed, and key services.
type Lab struct {
	Cluster *testcluster.Cluster
	KMS     *kmstest.Server
	// Admin is a client of a cluster administrator.
	Admin client.Client
	// Dir is where files are kept.
	Dir string
	// KeyFile holds an age identity for the controller, whose recipient is
	// Recipient.
	KeyFile, Recipient string
	// Program is the controller, CLI the command line.
	Program, CLI string

	root string

	mu      sync.Mutex // guards running
	running []*Controller
}

// Open sets up a lab. The caller closes it.
func Open(ctx context.Context, o Options) (*Lab, error) {
	root, err := testtool.ModuleRoot()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "signet-lab-")
	if err != nil {
		return nil, err
	}
	l := &Lab{Dir: dir, root: root}
	if err := l.open(ctx, o); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func (l *Lab) open(ctx context.Context, o Options) error {
	manifests, err := l.Parts(o.Without...)
	if err != nil {
		return err
	}
	if err := l.build(ctx); err != nil {
		return err
	}
	if err := l.makeIdentity(); err != nil {
		return err
	}
	if l.KMS, err = kmstest.New(kmstest.Options{}); err != nil {
		return err
	}
	o.Cluster.Manifests = slices.Concat(manifests, []byte("---\n"), o.Cluster.Manifests)
	if l.Cluster, err = testcluster.New(ctx, o.Cluster); err != nil {
		return err
	}
	l.Admin, err = NewClient(l.Cluster.Admin())
	return err
}

// Close stops everything, the controllers that still run first, and removes the
// files.
func (l *Lab) Close() error {
	l.mu.Lock()
	running := l.running
	l.running = nil
	l.mu.Unlock()
	for _, c := range running {
		_ = c.Stop() // how it ends is for the tests to judge
	}
	var errs []error
	if l.Cluster != nil {
		errs = append(errs, l.Cluster.Close())
	}
	if l.KMS != nil {
		l.KMS.Close()
	}
	return errors.Join(append(errs, os.RemoveAll(l.Dir))...)
}

// NewClient returns a client that knows Secrets, Namespaces and the API of
// Signet, and reads nothing from a cache.
func NewClient(cfg *rest.Config) (client.Client, error) {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	return client.New(cfg, client.Options{Scheme: scheme})
}

// Parts renders the folders of controller/config that controller/config/default is
// made of, such as crd and admission, without those that are named. The components
// of default, which change what is in the parts, are left out.
func (l *Lab) Parts(without ...string) ([]byte, error) {
	kustomize, err := testtool.Locate("kustomize", io.Discard)
	if err != nil {
		return nil, err
	}
	config := filepath.Join(l.root, "controller", "config")
	parts, err := resources(filepath.Join(config, "default", "kustomization.yaml"))
	if err != nil {
		return nil, err
	}
	for _, part := range without {
		if !slices.Contains(parts, part) {
			return nil, fmt.Errorf("leave out %q: there are the parts %q", part, parts)
		}
	}
	var all []byte
	for _, part := range parts {
		if slices.Contains(without, part) {
			continue
		}
		out, err := exec.Command(kustomize, "build", filepath.Join(config, part)).Output()
		if err != nil {
			return nil, fmt.Errorf("render %s: %w", part, err)
		}
		all = append(append(all, "---\n"...), out...)
	}
	return all, nil
}

// resources are the names of the folders that a kustomization lists.
func resources(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var kustomization struct{ Resources []string }
	if err := yaml.Unmarshal(text, &kustomization); err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	var names []string
	for _, path := range kustomization.Resources {
		names = append(names, filepath.Base(path))
	}
	return names, nil
}

// build compiles the programs as they are released.
func (l *Lab) build(ctx context.Context) error {
	l.Program, l.CLI = filepath.Join(l.Dir, "signet-controller"), filepath.Join(l.Dir, "signet")
	for path, pkg := range map[string]string{l.Program: "./cmd/signet-controller", l.CLI: "./cmd/signet"} {
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, pkg)
		cmd.Dir, cmd.Env = l.root, append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
		}
	}
	return nil
}

func (l *Lab) makeIdentity() error {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	l.KeyFile, l.Recipient = filepath.Join(l.Dir, "age.txt"), id.Recipient().String()
	return os.WriteFile(l.KeyFile, []byte(id.String()+"\n"), 0o600)
}
