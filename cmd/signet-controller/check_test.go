// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/signet-secrets/signet/controller"
)

func TestWrongSettings(t *testing.T) {
	dir := t.TempDir()
	missing, big := filepath.Join(dir, "missing"), filepath.Join(dir, "big")
	if err := os.WriteFile(big, make([]byte, maxFileBytes+1), 0o600); err != nil {
		t.Fatal(err)
	}
	patterns := filepath.Join(dir, "patterns")
	writeTestFile(t, patterns, "kms=*\nnonsense=x\n")
	empty, garbage, config := filepath.Join(dir, "empty"), filepath.Join(dir, "garbage"), filepath.Join(dir, "config")
	writeTestFile(t, empty, "# created: 2026-01-02\n\n")
	writeTestFile(t, garbage, "# a comment\ncorrect horse battery staple\n")
	writeTestFile(t, config, "{")
	identity, _ := newKeyFile(t)
	tests := []struct {
		name    string
		environ []string
		args    []string
		want    []string // errors, in order
	}{
		{"no number", nil, []string{"--concurrency=x"}, []string{`--concurrency: want a whole number, not "x"`}},
		{"no number in a variable", []string{"SIGNET_CONCURRENCY=x"}, nil, []string{`$SIGNET_CONCURRENCY: want a whole number, not "x"`}},
		{"two variables", []string{"SIGNET_MIN_BACKOFF=1", "SIGNET_LEADER_ELECT=on"}, nil, []string{
			`$SIGNET_MIN_BACKOFF: want a duration such as 90s or 10m, not "1"`, `$SIGNET_LEADER_ELECT: want true or false, not "on"`}},
		{"empty variable", []string{"SIGNET_KMS_RATE="}, nil, []string{`$SIGNET_KMS_RATE: want a number, not ""`}},
		{"no workers", nil, []string{"--concurrency=0"}, []string{"--concurrency: want 1 or more, not 0"}},
		{"no calls", nil, []string{"--kms-concurrency=-1"}, []string{"--kms-concurrency: want 1 or more, not -1"}},
		{"rate", nil, []string{"--kms-rate=-1"}, []string{"--kms-rate: want 0 or more requests per second, not -1"}},
		{"no rate", nil, []string{"--kms-rate=NaN"}, []string{"--kms-rate: want 0 or more requests per second, not NaN"}},
		{"backoff", []string{"SIGNET_MAX_BACKOFF=1s"}, []string{"--min-backoff=2s"}, []string{"$SIGNET_MAX_BACKOFF: 1s is less than --min-backoff (2s)"}},
		{"no resync", nil, []string{"--resync-period=0"}, []string{"--resync-period: want more than 0, not 0s"}},
		{"no shutdown", nil, []string{"--shutdown-timeout=-1s"}, []string{"--shutdown-timeout: want more than 0, not -1s"}},
		{"cache", nil, []string{"--data-key-cache-ttl=-1s"}, []string{"--data-key-cache-ttl: want 0 or more, not -1s"}},
		{"namespace", nil, []string{"--watch-namespaces=a,,B"}, []string{
			`--watch-namespaces: "" is no name of a namespace`, `--watch-namespaces: "B" is no name of a namespace`}},
		{"renew deadline", nil, []string{"--leader-elect-renew-deadline=15s"}, []string{
			"--leader-elect-renew-deadline: 15s is not less than --leader-elect-lease-duration (15s): two replicas could work at the same time"}},
		{"lease duration", []string{"SIGNET_LEADER_ELECT_LEASE_DURATION=9s"}, nil, []string{
			"--leader-elect-renew-deadline: 10s is not less than $SIGNET_LEADER_ELECT_LEASE_DURATION (9s): two replicas could work at the same time"}},
		{"retry period", nil, []string{"--leader-elect-retry-period=9s"}, []string{
			"--leader-elect-renew-deadline: 10s is not more than 1.2 times --leader-elect-retry-period (9s)"}},
		{"half a second", nil, []string{"--leader-elect-lease-duration=15500ms"}, []string{"--leader-elect-lease-duration: want whole seconds, not 15.5s"}},
		{"no retries", nil, []string{"--leader-elect-retry-period=0"}, []string{"--leader-elect-retry-period: want more than 0, not 0s"}},
		{"lease name", nil, []string{"--leader-elect-name=A"}, []string{`--leader-elect-name: "A" is no name of a Lease`}},
		{"lease namespace", nil, []string{"--leader-elect-namespace=a.b"}, []string{`--leader-elect-namespace: "a.b" is no name of a namespace`}},
		{"address", nil, []string{"--metrics-bind-address=8080"}, []string{`--metrics-bind-address: want HOST:PORT, :PORT or 0, not "8080"`}},
		{"port", nil, []string{"--health-probe-bind-address=:99999"}, []string{`--health-probe-bind-address: want HOST:PORT, :PORT or 0, not ":99999"`}},
		{"one address for both", []string{"SIGNET_METRICS_BIND_ADDRESS=:8081"}, nil, []string{"--health-probe-bind-address: is the same as $SIGNET_METRICS_BIND_ADDRESS"}},
		{"level", nil, []string{"--log-level=trace"}, []string{`--log-level: want info or debug, not "trace"`}},
		{"format", nil, []string{"--log-format=xml"}, []string{`--log-format: want json or text, not "xml"`}},
		{"account", nil, []string{"--aws-account=1234"}, []string{"--aws-account: want the 12 digits of an AWS account"}},
		{"region", nil, []string{"--aws-region=https://x"}, []string{"--aws-region: want the name of a Region, such as eu-west-1"}},
		{"vault", nil, []string{"--vault-addr=vault:8200"}, []string{"--vault-addr: want https://HOST"}},
		{"allow-list", nil, []string{"--allow-keys=arn:aws:kms:x"}, []string{`--allow-keys: allow-list: arn:aws:kms:x: say of what kind it is, as in kms=arn:...`}},
		{"allow-list in a variable", []string{"SIGNET_ALLOW_KEYS=kms"}, nil, []string{`$SIGNET_ALLOW_KEYS: allow-list: kms: want <kind>=<pattern> or default`}},
		{"allow-list in a file", nil, []string{"--allow-keys-file=" + patterns}, []string{`--allow-keys-file: allow-list: nonsense=x: unknown kind, there are`}},
		{"no such allow-list", nil, []string{"--allow-keys-file=" + missing}, []string{"--allow-keys-file: \"" + missing + "\": no such file or directory"}},
		{"two allow-lists", []string{"SIGNET_ALLOW_KEYS=kms=*"}, []string{"--allow-keys-file=" + patterns}, []string{"--allow-keys-file: cannot be used together with $SIGNET_ALLOW_KEYS"}},
		{"denied type", nil, []string{"--deny-types=a,"}, []string{"--deny-types: an item is empty, or has white space around it"}},
		{"denied metadata", nil, []string{"--deny-metadata=a, b"}, []string{"--deny-metadata: an item is empty, or has white space around it"}},
		{"age key file", nil, []string{"--age-key-file=" + identity, "--age-key-file=" + missing}, []string{"--age-key-file: \"" + missing + "\": no such file or directory"}},
		{"age key file too big", nil, []string{"--age-key-file=" + big}, []string{"--age-key-file: \"" + big + "\": has more than 1048576 bytes"}},
		{"age key folder", []string{"SIGNET_AGE_KEY_FILE=" + dir}, nil, []string{"$SIGNET_AGE_KEY_FILE: \"" + dir + "\": is a directory"}},
		{"age key file without an identity", nil, []string{"--age-key-file=" + empty}, []string{"--age-key-file: \"" + empty + "\": no identity in it"}},
		{"age key file with something else", []string{"SIGNET_AGE_KEY_FILE=" + garbage}, []string{"--log-level=x"}, []string{
			"$SIGNET_AGE_KEY_FILE: \"" + garbage + "\": line 2: ", "--log-level"}},
		{"broken kubeconfig and something else", nil, []string{"--kubeconfig=" + config, "--leader-elect-namespace=A"}, []string{
			"--kubeconfig: find the cluster: error loading config file", `--leader-elect-namespace: "A" is no name of a namespace`}},
		{"kubeconfig", nil, []string{"--kubeconfig=" + missing}, []string{"--kubeconfig: \"" + missing + "\": no such file or directory"}},
		{"several at once", nil, []string{"--concurrency=0", "--log-level=x", "--resync-period=0"}, []string{"--concurrency", "--resync-period", "--log-level"}},
		{"unknown flag", nil, []string{"--concurency=1"}, []string{"unknown flag: --concurency"}},
		{"shorthand", nil, []string{"-phunter2"}, []string{"unknown shorthand flag: 'p' in -p"}},
		{"argument", nil, []string{"start"}, []string{`"start" is not expected here, there are only flags`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := runController(t, append(test.environ, "SIGNET_LEADER_ELECT_NAMESPACE=signet-system"), test.args...)
			var got []string
			for line := range strings.Lines(o.stderr) {
				if text, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "signet-controller: error: "); ok {
					got = append(got, text)
				}
			}
			ok := o.code == exitUsage && o.stdout == "" && len(got) == len(test.want)
			for i := range min(len(got), len(test.want)) {
				ok = ok && strings.HasPrefix(got[i], test.want[i])
			}
			if !ok {
				t.Errorf("exit %d, errors %q\nwant exit 2, errors %q\nstdout: %s", o.code, got, test.want, o.stdout)
			}
			if !strings.HasSuffix(o.stderr, "signet-controller: hint: see signet-controller --help\n") {
				t.Errorf("no hint:\n%s", o.stderr)
			}
		})
	}
}

// What stands in the Deployment as it is shipped must do without any flag.
func TestDefaults(t *testing.T) {
	o := mustParse(t)
	want := controller.Election{
		Enabled: true, Namespace: "signet-system", Name: "signet-controller",
		LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 2 * time.Second,
	}
	if o.election != want {
		t.Errorf("election = %+v, want %+v", o.election, want)
	}
	if o.metricsAddress != ":8080" || o.healthAddress != ":8081" || o.allowText != "default" || o.concurrency != 16 {
		t.Errorf("metrics %q, health %q, allow-list %q, concurrency %d", o.metricsAddress, o.healthAddress, o.allowText, o.concurrency)
	}
	if o := mustParse(t, "--metrics-bind-address=0", "--health-probe-bind-address="); o.metricsAddress != "" || o.healthAddress != "" {
		t.Errorf("off: metrics %q, health %q", o.metricsAddress, o.healthAddress)
	}
}

func TestElectionNamespace(t *testing.T) {
	const noNamespace = "--leader-elect-namespace: nothing tells the namespace outside of a pod"
	if o := runController(t, nil); o.code != exitUsage || !strings.Contains(o.stderr, noNamespace) {
		t.Errorf("outside of a pod: exit %d\n%s", o.code, o.stderr)
	}
	if o := runController(t, nil, "--leader-elect=false", "--log-level=x"); strings.Contains(o.stderr, noNamespace) {
		t.Errorf("without election:\n%s", o.stderr)
	}
	if o := mustParse(t, "--leader-elect-namespace=other"); o.election.Namespace != "other" {
		t.Errorf("namespace = %q", o.election.Namespace)
	}
}

// People put keys where their paths belong.
func TestSettingsAreNotRepeatedIfTheyMayBeKeys(t *testing.T) {
	const key = "AGE-SECRET-KEY-1CORRECTHORSEBATTERYSTAPLEQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ"
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	new(options).add(flags)
	flags.VisitAll(func(f *pflag.Flag) {
		t.Run(f.Name, func(t *testing.T) {
			for _, o := range []outcome{
				runController(t, nil, "--"+f.Name+"="+key, "--log-format=x"),
				runController(t, []string{variable(f.Name) + "=" + key, "SIGNET_CONCURRENCY=0"}),
				runController(t, nil, "-"+key),
				runController(t, nil, key),
			} {
				if o.code != exitUsage || strings.Contains(o.stdout+o.stderr, "CORRECTHORSE") {
					t.Errorf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
				}
			}
		})
	})
}

func TestVersion(t *testing.T) {
	for _, args := range [][]string{{"version"}, {"--version"}} {
		if o := runController(t, nil, args...); o.code != 0 || o.stderr != "" || !strings.HasPrefix(o.stdout, "signet-controller ") {
			t.Errorf("%q: exit %d, stdout %q, stderr %q", args, o.code, o.stdout, o.stderr)
		}
	}
}
