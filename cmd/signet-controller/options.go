// SPDX-License-Identifier: Apache-2.0

package main

import (
	"time"

	"github.com/spf13/pflag"

	"github.com/signet-secrets/signet/controller"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/awskms"
)

// callsAtOnce is the default of --kms-concurrency.
const callsAtOnce = 20

// options are the settings of a run: flags, and variables where there is no
// flag. finish checks them and fills in what depends on the surroundings.
type options struct {
	kubeconfig      string
	namespaces      []string
	concurrency     int
	minBackoff      time.Duration
	maxBackoff      time.Duration
	resyncPeriod    time.Duration
	shutdownTimeout time.Duration

	allowKeys    []string
	allowFile    string
	denyTypes    []string
	denyMetadata []string
	ageKeyFiles  []string

	cacheTTL       time.Duration
	kmsRate        float64
	kmsConcurrency int
	awsRegion      string
	awsAccount     string
	vaultAddress   string

	election controller.Election

	metricsAddress string
	healthAddress  string
	logLevel       string
	logFormat      string

	allowText string            // what --allow-keys, or the file, or the default says
	sources   map[string]string // flag name -> variable that set it
}

// add declares the flags, each with its variable at the end of its help.
func (o *options) add(flags *pflag.FlagSet) {
	flags.SortFlags = false
	o.addWork(flags)
	o.addKeys(flags)
	o.addElection(flags)
	o.addServing(flags)
	flags.VisitAll(func(f *pflag.Flag) { f.Usage += " [$" + variable(f.Name) + "]" })
}

func (o *options) addWork(flags *pflag.FlagSet) {
	flags.StringVar(&o.kubeconfig, "kubeconfig", "",
		"`FILE` that says how to reach the cluster; without it $KUBECONFIG, and else the pod's own service account")
	flags.StringSliceVar(&o.namespaces, "watch-namespaces", nil,
		"watch only these `NAMESPACES`, separated by commas; without it all")
	flags.IntVar(&o.concurrency, "concurrency", controller.DefaultConcurrency, "how many objects are worked on at the same time")
	flags.DurationVar(&o.minBackoff, "min-backoff", controller.DefaultMinBackoff, "time to the second attempt at an object that fails")
	flags.DurationVar(&o.maxBackoff, "max-backoff", controller.DefaultMaxBackoff, "longest time between two attempts at an object that fails")
	flags.DurationVar(&o.resyncPeriod, "resync-period", controller.DefaultResyncPeriod, "how often every object is looked at without cause")
	flags.DurationVar(&o.shutdownTimeout, "shutdown-timeout", controller.DefaultShutdownTimeout, "how long work that has begun may take after SIGTERM")
}

func (o *options) addKeys(flags *pflag.FlagSet) {
	flags.StringArrayVar(&o.allowKeys, "allow-keys", nil,
		"use only keys that match these `PATTERNS`, as in kms=arn:aws:kms:*:111122223333:key/* (default \"default\": AWS KMS keys of the own account)")
	flags.StringVar(&o.allowFile, "allow-keys-file", "", "`FILE` with the patterns, read at start, in place of --allow-keys")
	flags.StringSliceVar(&o.denyTypes, "deny-types", nil,
		"refuse Secrets of these `TYPES` too, separated by commas, beside those that are always refused")
	flags.StringSliceVar(&o.denyMetadata, "deny-metadata", nil,
		"refuse Secrets with these labels or annotations too: `KEYS`, separated by commas; a final * stands for any rest, key=value for one value")
	flags.StringSliceVar(&o.ageKeyFiles, "age-key-file", nil,
		"`FILES` with age identities or an SSH private key, repeated or separated by commas; checked at the start, and read once, at their first use")
	flags.DurationVar(&o.cacheTTL, "data-key-cache-ttl", keys.DefaultCacheTTL, "how long data keys that key services gave are remembered; 0 is not at all")
	flags.Float64Var(&o.kmsRate, "kms-rate", awskms.DefaultRate, "requests to AWS KMS per second at most; 0 is no limit")
	flags.IntVar(&o.kmsConcurrency, "kms-concurrency", callsAtOnce, "calls to key services under way at the same time at most")
	flags.StringVar(&o.awsRegion, "aws-region", "",
		"Region that the controller runs in; without it $AWS_REGION or the AWS configuration")
	flags.StringVar(&o.awsAccount, "aws-account", "",
		"the controller's own AWS `ACCOUNT`; without it that of $AWS_ROLE_ARN (IRSA), or what AWS STS says when the first document needs to know")
	flags.StringVar(&o.vaultAddress, "vault-addr", "",
		"`URL` of your HashiCorp Vault, for hints when documents name another one; allow its keys with --allow-keys hc_vault=URL/v1/**")
}

func (o *options) addElection(flags *pflag.FlagSet) {
	flags.BoolVar(&o.election.Enabled, "leader-elect", true, "work only while this replica holds the Lease")
	flags.StringVar(&o.election.Namespace, "leader-elect-namespace", "", "`NAMESPACE` of the Lease; without it the pod's own")
	flags.StringVar(&o.election.Name, "leader-elect-name", controller.DefaultLeaseName, "`NAME` of the Lease")
	flags.DurationVar(&o.election.LeaseDuration, "leader-elect-lease-duration", controller.DefaultLeaseDuration,
		"how long others wait for a leader that is not heard of")
	flags.DurationVar(&o.election.RenewDeadline, "leader-elect-renew-deadline", controller.DefaultRenewDeadline,
		"how long the leader may work without being heard of")
	flags.DurationVar(&o.election.RetryPeriod, "leader-elect-retry-period", controller.DefaultRetryPeriod,
		"how often the leader is heard of, and others try to become it")
}

func (o *options) addServing(flags *pflag.FlagSet) {
	flags.StringVar(&o.metricsAddress, "metrics-bind-address", ":8080", "`HOST:PORT` for /metrics; 0 is none")
	flags.StringVar(&o.healthAddress, "health-probe-bind-address", ":8081", "`HOST:PORT` for /healthz and /readyz; 0 is none")
	flags.StringVar(&o.logLevel, "log-level", levelInfo, "`LEVEL` of the log: info or debug; neither shows what is in Secrets")
	flags.StringVar(&o.logFormat, "log-format", formatJSON, "`FORMAT` of the log: json or text")
}
