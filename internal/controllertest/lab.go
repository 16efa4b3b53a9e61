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

	"filippo.io/age"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/signet-secrets/signet/controller/v1alpha1"
	"github.com/signet-secrets/signet/internal/kmstest"
	"github.com/signet-secrets/signet/internal/testcluster"
	"github.com/signet-secrets/signet/internal/testtool"
)

// Account is the service account that the install manifests make.
const (
	AccountNamespace = "signet-system"
	AccountName      = "signet-controller"
)

// Options says what kind of lab to set up.
type Options struct {
	Cluster testcluster.Options
	// Without names parts of controller/config/default that are left out, such
	// as "admission".
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
}

// Open sets up a lab. The caller closes it.
func Open(ctx context.Context, o Options) (*Lab, error) {
	root, err := moduleRoot()
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
	manifests, err := l.Manifests(o.Without...)
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
	o.Cluster.Manifests = append(manifests, o.Cluster.Manifests...)
	if l.Cluster, err = testcluster.New(ctx, o.Cluster); err != nil {
		return err
	}
	l.Admin, err = NewClient(l.Cluster.Admin())
	return err
}

// Close stops everything and removes the files.
func (l *Lab) Close() error {
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

// Manifests renders controller/config/default.
func (l *Lab) Manifests(without ...string) ([]byte, error) {
	kustomize, err := testtool.Locate("kustomize", io.Discard)
	if err != nil {
		return nil, err
	}
	config := filepath.Join(l.root, "controller", "config")
	parts := []string{"crd", "rbac", "user-roles", "manager", "network-policy", "admission"}
	var all []byte
	for _, part := range parts {
		if contains(without, part) {
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

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
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

// moduleRoot finds the checkout from the working directory up.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "controller", "config")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("not inside the checkout")
		}
		dir = parent
	}
}
