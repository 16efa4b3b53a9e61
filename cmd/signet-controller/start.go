// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/signet-secrets/signet/controller"
	"github.com/signet-secrets/signet/internal/buildinfo"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

// start runs the controller until ctx ends, which is no error. An error is a
// *loggedError.
func start(ctx context.Context, o *options, p process, unknown []string) error {
	l := newLogger(p.err, o.logLevel, o.logFormat)
	err := prepare(l, o)
	if err == nil {
		for _, name := range unknown {
			l.Warn("This environment variable has no effect", "name", name)
		}
		err = safely(l, func() error { return work(ctx, l, o) })
	}
	if err != nil {
		l.Error("Stopped", "error", err)
		return &loggedError{err}
	}
	l.Info("Stopped")
	return nil
}

// prepare makes this a process that may see Secrets.
func prepare(l *slog.Logger, o *options) error {
	saveMemory("/sys/fs/cgroup")
	if err := harden(); err != nil {
		l.Warn("The process is not as protected as it could be", "error", err)
	}
	noCommandsInEnvironment()
	handlePanics(l, os.Exit)
	return adopt(l, o.logLevel)
}

// work runs the controller.
func work(ctx context.Context, l *slog.Logger, o *options) error {
	cfg, err := o.restConfig()
	if err != nil {
		return err
	}
	settings, err := o.controllerOptions(logr.FromSlogHandler(l.Handler()))
	if err != nil {
		return err
	}
	mgr, err := controller.New(cfg, settings)
	if err != nil {
		return fmt.Errorf("set up the controller: %w", err)
	}
	l.Info("Starting", "version", buildinfo.Version(), "allowKeys", settings.AllowList, "namespaces", o.namespaces,
		"leaderElection", o.election.Enabled)
	return untilStopped(ctx, l, mgr, idleShutdown, o.shutdownTimeout+shutdownMargin)
}

// restConfig says how to reach the cluster: as --kubeconfig says, or
// $KUBECONFIG, or as a pod does. The kubeconfig in somebody's home is never
// taken by itself: it may lead to any cluster.
func (o *options) restConfig() (*rest.Config, error) {
	var cfg *rest.Config
	var err error
	switch {
	case o.kubeconfig != "":
		cfg, err = loadKubeconfig(&clientcmd.ClientConfigLoadingRules{ExplicitPath: o.kubeconfig})
	case os.Getenv(clientcmd.RecommendedConfigPathEnvVar) != "":
		cfg, err = loadKubeconfig(clientcmd.NewDefaultClientConfigLoadingRules())
	default:
		cfg, err = rest.InClusterConfig()
		if errors.Is(err, rest.ErrNotInCluster) {
			err = errors.New("this is no pod of a cluster: give --kubeconfig")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("find the cluster: %w", err)
	}
	cfg.UserAgent = "signet-controller/" + buildinfo.Version()
	return cfg, nil
}

func loadKubeconfig(rules *clientcmd.ClientConfigLoadingRules) (*rest.Config, error) {
	return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
}

// controllerOptions returns what the controller needs to know. Nothing is
// called.
func (o *options) controllerOptions(l logr.Logger) (controller.Options, error) {
	allow, err := newAllowList(o.allowText, newAccount(o, os.Getenv))
	if err != nil {
		return controller.Options{}, err
	}
	counters := &keys.Counters{}
	return controller.Options{
		Namespaces:      o.namespaces,
		Unwrapper:       newUnwrapper(o, allow, counters),
		ParseIdentity:   parseIdentity,
		Deny:            sopsdoc.Policy{Types: o.denyTypes, Metadata: o.denyMetadata},
		AllowList:       allow.String(),
		Counters:        counters,
		Concurrency:     o.concurrency,
		MinBackoff:      o.minBackoff,
		MaxBackoff:      o.maxBackoff,
		ResyncPeriod:    o.resyncPeriod,
		Election:        o.election,
		MetricsAddress:  o.metricsAddress,
		HealthAddress:   o.healthAddress,
		ShutdownTimeout: o.shutdownTimeout,
		Logger:          l,
	}, nil
}
