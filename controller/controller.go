// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/signet-secrets/signet/controller/v1alpha1"
	"github.com/signet-secrets/signet/unseal"
)

// New returns the controller, ready to be started. cfg is how it reaches the API
// server; its limits of queries per second are not used. A process can have one.
func New(cfg *rest.Config, o Options) (manager.Manager, error) {
	o = o.withDefaults()
	cfg = rest.CopyConfig(cfg)
	cfg.QPS = -1 // API priority and fairness does that better
	cfg.WarningHandler = rest.NoWarnings{}
	g := newGate(o.Election)
	mgr, err := newManager(cfg, o, g)
	if err != nil {
		return nil, err
	}
	if err := addIndexes(context.Background(), mgr.GetCache()); err != nil {
		return nil, err
	}
	if err := addControllers(mgr, cfg, o, g); err != nil {
		return nil, err
	}
	return mgr, addChecks(mgr)
}

func newManager(cfg *rest.Config, o Options, g *gate) (manager.Manager, error) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	metav1.AddToGroupVersion(scheme, metav1.SchemeGroupVersion)
	options := manager.Options{
		Scheme:                        scheme,
		MapperProvider:                func(*rest.Config, *http.Client) (meta.RESTMapper, error) { return mapper(), nil },
		Cache:                         cacheOptions(o),
		Logger:                        o.Logger,
		Metrics:                       metricsserver.Options{BindAddress: orOff(o.MetricsAddress)},
		HealthProbeBindAddress:        orOff(o.HealthAddress),
		GracefulShutdownTimeout:       &o.ShutdownTimeout,
		LeaderElection:                o.Election.Enabled,
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 &o.Election.LeaseDuration,
		RenewDeadline:                 &o.Election.RenewDeadline,
		RetryPeriod:                   &o.Election.RetryPeriod,
	}
	if o.Election.Enabled {
		lock, err := newLock(cfg, o.Election)
		if err != nil {
			return nil, fmt.Errorf("set up the Lease: %w", err)
		}
		options.LeaderElectionResourceLockInterface = g.lock(lock)
	}
	mgr, err := manager.New(cfg, options)
	if err != nil {
		return nil, fmt.Errorf("set up the manager: %w", err)
	}
	return mgr, nil
}

// orOff returns the address, or what the manager takes for none.
func orOff(address string) string {
	if address == "" {
		return "0"
	}
	return address
}

// newLock returns the Lease by which replicas agree on who works.
func newLock(cfg *rest.Config, e Election) (resourcelock.Interface, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	return resourcelock.NewFromKubeconfig(resourcelock.LeasesResourceLock, e.Namespace, e.Name,
		resourcelock.ResourceLockConfig{Identity: host + "_" + string(uuid.NewUUID())}, cfg, e.RenewDeadline)
}

// readyTimeout is how long the question whether the caches are in sync may take.
const readyTimeout = time.Second

func addChecks(mgr manager.Manager) error {
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return err
	}
	return mgr.AddReadyzCheck("caches", func(req *http.Request) error {
		// Of a context that has ended the caches may say that they are not in sync
		// though they are.
		ctx, cancel := context.WithTimeout(req.Context(), readyTimeout)
		defer cancel()
		if !mgr.GetCache().WaitForCacheSync(ctx) {
			return fmt.Errorf("the caches are not in sync yet")
		}
		return nil
	})
}

// addControllers puts the parts together.
func addControllers(mgr manager.Manager, cfg *rest.Config, o Options, g *gate) error {
	secrets, err := newSecretClient(cfg, g)
	if err != nil {
		return err
	}
	api, err := newAPIClient(cfg, g)
	if err != nil {
		return err
	}
	m := newMetrics(o.Counters)
	if err := ctrlmetrics.Registry.Register(m); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	enqueue := &enqueuer{cache: mgr.GetCache(), records: newRecords(o), shares: newShares(o.Concurrency)}
	enqueue.shares.again = enqueue.again
	recovery := newRecovery(enqueue.wake)
	unwrapper := &observed{next: o.Unwrapper, works: recovery.works}
	keyEvents := make(chan event.GenericEvent, 64)
	keyRing := &ring{cache: mgr.GetCache(), api: api, wake: enqueue.wake, states: map[string]keyState{}, again: func(name string) {
		o := &v1alpha1.SealingKey{}
		o.Name = name
		select {
		case keyEvents <- event.GenericEvent{Object: o}:
		default: // so many that the next one will do
		}
	}}
	keyRing.keys = unseal.NewKeyring(unseal.KeyOptions{Unwrapper: unwrapper, ParseIdentity: o.ParseIdentity, Observe: keyRing.observe})
	r := &reconciler{
		cache: mgr.GetCache(), api: api, secrets: secrets,
		opener:  &opener{unwrapper: unwrapper, keyring: keyRing.keys, closed: keyRing.closed, deny: o.Deny},
		merging: &merging{client: secrets},
		ring:    keyRing, policy: newPolicy(o, keyRing.keys),
		records: enqueue.records, recovery: recovery, shares: enqueue.shares,
		events: &events{recorder: mgr.GetEventRecorder("signet-controller"), gate: g}, metrics: m,
	}
	r.owning = &ownership{client: secrets, gone: r.isGone}
	if err := addSealingKeys(mgr, keyRing, keyEvents); err != nil {
		return err
	}
	return addSealedSecrets(mgr, r, enqueue, o)
}

func addSealedSecrets(mgr manager.Manager, r *reconciler, e *enqueuer, o Options) error {
	c, err := ctrl.New("sealedsecret", mgr, ctrl.Options{
		Reconciler: r, MaxConcurrentReconciles: o.Concurrency, EnableWarmup: new(true), RateLimiter: apiBackoff(),
	})
	if err != nil {
		return err
	}
	for _, s := range []source.TypedSource[reconcile.Request]{
		e.woken(),
		source.Kind(mgr.GetCache(), &v1alpha1.SealedSecret{}, e.documents()),
		source.Kind(mgr.GetCache(), secretMetadata(), e.secrets()),
	} {
		if err := c.Watch(s); err != nil {
			return err
		}
	}
	return nil
}

// apiBackoff is how long to wait after the API server has failed, per object.
// Nobody tells when it is back.
func apiBackoff() workqueue.TypedRateLimiter[reconcile.Request] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](100*time.Millisecond, 15*time.Second)
}

func addSealingKeys(mgr manager.Manager, r *ring, again <-chan event.GenericEvent) error {
	c, err := ctrl.New("sealingkey", mgr, ctrl.Options{Reconciler: r, EnableWarmup: new(true), RateLimiter: apiBackoff()})
	if err != nil {
		return err
	}
	if err := c.Watch(source.Kind(mgr.GetCache(), &v1alpha1.SealingKey{}, &handler.TypedEnqueueRequestForObject[*v1alpha1.SealingKey]{})); err != nil {
		return err
	}
	return c.Watch(source.Channel(again, &handler.EnqueueRequestForObject{}))
}
