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
	"sigs.k8s.io/controller-runtime/pkg/cache"
	ctrl "sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/signet-secrets/signet/controller/v1alpha1"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/unseal"
)

// New returns the controller, ready to be started. cfg is how it reaches the API
// server; its limits of queries per second are not used. A process can have one.
func New(cfg *rest.Config, o Options) (manager.Manager, error) {
	o = o.withDefaults()
	cfg = rest.CopyConfig(cfg)
	cfg.QPS = -1 // API priority and fairness does that better
	cfg.WarningHandler = rest.NoWarnings{}
	tellRefused(cfg, o.Logger)
	g := newGate(o.Election)
	mgr, err := newManager(cfg, o, g)
	if err != nil {
		return nil, err
	}
	if err := addIndexes(context.Background(), mgr.GetCache()); err != nil {
		return nil, fmt.Errorf("set up the indexes: %w", err)
	}
	if err := addControllers(mgr, cfg, o, g); err != nil {
		return nil, err
	}
	if err := addChecks(mgr); err != nil {
		return nil, fmt.Errorf("set up the health checks: %w", err)
	}
	return mgr, nil
}

func newManager(cfg *rest.Config, o Options, g *gate) (manager.Manager, error) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("set up the scheme: %w", err)
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

// parts are what the two controllers share.
type parts struct {
	cache     cache.Cache
	secrets   *secretClient
	api       *apiClient
	metrics   *metrics
	enqueue   *enqueuer
	recovery  *recovery
	unwrapper keys.Unwrapper
}

func newParts(c cache.Cache, cfg *rest.Config, o Options, g *gate) (*parts, error) {
	secrets, err := newSecretClient(cfg, g)
	if err != nil {
		return nil, err
	}
	api, err := newAPIClient(cfg, g)
	if err != nil {
		return nil, err
	}
	m := newMetrics(o.Counters)
	if err := ctrlmetrics.Registry.Register(m); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	enqueue := newEnqueuer(c, o)
	recovery := newRecovery(enqueue.wake)
	return &parts{
		cache: c, secrets: secrets, api: api, metrics: m, enqueue: enqueue, recovery: recovery,
		unwrapper: &observed{next: o.Unwrapper, works: recovery.works},
	}, nil
}

// addControllers puts the parts together.
func addControllers(mgr manager.Manager, cfg *rest.Config, o Options, g *gate) error {
	p, err := newParts(mgr.GetCache(), cfg, o, g)
	if err != nil {
		return err
	}
	k := newSealingKeys(p.cache, p.api, p.enqueue.wake, unseal.KeyOptions{Unwrapper: p.unwrapper, ParseIdentity: o.ParseIdentity})
	if err := addSealingKeys(mgr, k); err != nil {
		return fmt.Errorf("set up the controller of SealingKeys: %w", err)
	}
	e := &events{recorder: mgr.GetEventRecorder("signet-controller"), gate: g}
	if err := addSealedSecrets(mgr, newReconciler(p, o, k, e), p.enqueue, o); err != nil {
		return fmt.Errorf("set up the controller of SealedSecrets: %w", err)
	}
	return nil
}

func newReconciler(p *parts, o Options, k *sealingKeys, e *events) *reconciler {
	r := &reconciler{
		cache: p.cache, api: p.api, secrets: p.secrets,
		opener:      &opener{unwrapper: p.unwrapper, keyring: k.keyring, closed: k.closed, deny: denyList(o.Deny)},
		merging:     &merging{client: p.secrets},
		sealingKeys: k, policy: newPolicy(o, k.keyring),
		records: p.enqueue.records, recovery: p.recovery, fairness: p.enqueue.fairness,
		events: e, metrics: p.metrics,
	}
	r.owning = &ownership{client: p.secrets, gone: r.isGone}
	return r
}

func addSealedSecrets(mgr manager.Manager, r *reconciler, e *enqueuer, o Options) error {
	c, err := ctrl.New("sealedsecret", mgr, ctrl.Options{
		Reconciler: r, MaxConcurrentReconciles: o.Concurrency, EnableWarmup: new(true), RateLimiter: apiBackoff(), UsePriorityQueue: new(true),
	})
	if err != nil {
		return err
	}
	for _, s := range []source.TypedSource[reconcile.Request]{
		e.intake.source(),
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

func addSealingKeys(mgr manager.Manager, k *sealingKeys) error {
	c, err := ctrl.New("sealingkey", mgr, ctrl.Options{Reconciler: k, EnableWarmup: new(true), RateLimiter: apiBackoff()})
	if err != nil {
		return err
	}
	if err := c.Watch(k.intake.source()); err != nil {
		return err
	}
	return c.Watch(source.Kind(mgr.GetCache(), &v1alpha1.SealingKey{}, &handler.TypedEnqueueRequestForObject[*v1alpha1.SealingKey]{}))
}
