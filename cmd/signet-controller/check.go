// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/signet-secrets/signet/seal/keys"
)

// checker collects what is wrong with settings.
type checker struct {
	*options
	errs []error
}

func (c *checker) wrong(flag, format string, args ...any) {
	c.errs = append(c.errs, &settingError{c.source(flag), fmt.Sprintf(format, args...)})
}

// finish checks all settings, which have parsed, so that everything else that is
// wrong is told at once and before anything was started, and replaces those that
// stand for others. namespaceFile names the namespace of the Pod.
func (o *options) finish(namespaceFile string) error {
	c := &checker{options: o}
	c.checkWork()
	c.checkKeys()
	c.checkElection(namespaceFile)
	c.checkServing()
	return errors.Join(c.errs...)
}

func (c *checker) checkWork() {
	for _, n := range c.namespaces {
		if problems := validation.IsDNS1123Label(n); len(problems) > 0 {
			c.wrong("watch-namespaces", "%q is no name of a namespace", keys.ForeignText(n))
		}
	}
	slices.Sort(c.namespaces)
	c.namespaces = slices.Compact(c.namespaces)
	c.atLeastOne("concurrency", c.concurrency)
	c.positive("min-backoff", c.minBackoff)
	c.positive("max-backoff", c.maxBackoff)
	c.positive("resync-period", c.resyncPeriod)
	c.positive("shutdown-timeout", c.shutdownTimeout)
	if c.maxBackoff < c.minBackoff {
		c.wrong("max-backoff", "%v is less than %s (%v)", c.maxBackoff, c.source("min-backoff"), c.minBackoff)
	}
	if c.kubeconfig != "" && c.readable("kubeconfig", c.kubeconfig) {
		if _, err := c.restConfig(); err != nil {
			c.wrong("kubeconfig", "%s", keys.ForeignText(err.Error()))
		}
	}
}

func (c *checker) checkKeys() {
	c.readAllowList()
	for _, list := range []struct {
		flag  string
		items []string
	}{{"deny-types", c.denyTypes}, {"deny-metadata", c.denyMetadata}} {
		if slices.ContainsFunc(list.items, func(s string) bool { return s == "" || strings.TrimSpace(s) != s }) {
			c.wrong(list.flag, "an item is empty, or has white space around it")
		}
	}
	for _, path := range c.ageKeyFiles {
		if c.readable("age-key-file", path) {
			c.holdsIdentities("age-key-file", path)
		}
	}
	if c.cacheTTL < 0 {
		c.wrong("data-key-cache-ttl", "want 0 or more, not %v", c.cacheTTL)
	}
	if !(c.kmsRate >= 0) || math.IsInf(c.kmsRate, 0) {
		c.wrong("kms-rate", "want 0 or more requests per second, not %v", c.kmsRate)
	}
	c.atLeastOne("kms-concurrency", c.kmsConcurrency)
	if c.awsAccount != "" && !isAccount(c.awsAccount) {
		c.wrong("aws-account", "want the 12 digits of an AWS account")
	}
	if strings.Trim(c.awsRegion, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		c.wrong("aws-region", "want the name of a Region, such as eu-west-1")
	}
	if a := c.vaultAddress; a != "" && !strings.HasPrefix(a, "https://") && !strings.HasPrefix(a, "http://") {
		c.wrong("vault-addr", "want https://HOST")
	}
}

// jitter is how much longer than the retry period client-go waits at most
// (client-go: tools/leaderelection, JitterFactor).
const jitter = 1.2

func (c *checker) checkElection(namespaceFile string) {
	e := &c.election
	if !e.Enabled {
		return
	}
	if e.Namespace == "" {
		text, _ := os.ReadFile(namespaceFile)
		e.Namespace = strings.TrimSpace(string(text))
	}
	switch {
	case e.Namespace == "":
		c.wrong("leader-elect-namespace", "nothing tells the namespace outside of a pod: give one, or --leader-elect=false for a controller that is alone")
	case len(validation.IsDNS1123Label(e.Namespace)) > 0:
		c.wrong("leader-elect-namespace", "%q is no name of a namespace", keys.ForeignText(e.Namespace))
	}
	if len(validation.IsDNS1123Subdomain(e.Name)) > 0 {
		c.wrong("leader-elect-name", "%q is no name of a Lease", keys.ForeignText(e.Name))
	}
	c.positive("leader-elect-retry-period", e.RetryPeriod)
	// a Lease counts whole seconds (coordination.k8s.io, leaseDurationSeconds)
	if e.LeaseDuration < time.Second || e.LeaseDuration%time.Second != 0 {
		c.wrong("leader-elect-lease-duration", "want whole seconds, not %v", e.LeaseDuration)
	}
	if e.RenewDeadline >= e.LeaseDuration {
		c.wrong("leader-elect-renew-deadline", "%v is not less than %s (%v): two replicas could work at the same time",
			e.RenewDeadline, c.source("leader-elect-lease-duration"), e.LeaseDuration)
	}
	if float64(e.RenewDeadline) <= jitter*float64(e.RetryPeriod) {
		c.wrong("leader-elect-renew-deadline", "%v is not more than %v times %s (%v)",
			e.RenewDeadline, jitter, c.source("leader-elect-retry-period"), e.RetryPeriod)
	}
}

func (c *checker) checkServing() {
	c.metricsAddress = c.address("metrics-bind-address", c.metricsAddress)
	c.healthAddress = c.address("health-probe-bind-address", c.healthAddress)
	_, port, _ := net.SplitHostPort(c.metricsAddress)
	if port != "" && port != "0" && c.metricsAddress == c.healthAddress {
		c.wrong("health-probe-bind-address", "is the same as %s", c.source("metrics-bind-address"))
	}
	if c.logLevel != levelInfo && c.logLevel != levelDebug {
		c.wrong("log-level", "want %s or %s, not %q", levelInfo, levelDebug, keys.ForeignText(c.logLevel))
	}
	if c.logFormat != formatJSON && c.logFormat != formatText {
		c.wrong("log-format", "want %s or %s, not %q", formatJSON, formatText, keys.ForeignText(c.logFormat))
	}
}

// address returns an address to listen on, "" for none.
func (c *checker) address(flag, text string) string {
	if text == "" || text == "0" {
		return ""
	}
	_, port, err := net.SplitHostPort(text)
	if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
		c.wrong(flag, "want HOST:PORT, :PORT or 0, not %q", keys.ForeignText(text))
	}
	return text
}

func (c *checker) atLeastOne(flag string, n int) {
	if n < 1 {
		c.wrong(flag, "want 1 or more, not %d", n)
	}
}

func (c *checker) positive(flag string, d time.Duration) {
	if d <= 0 {
		c.wrong(flag, "want more than 0, not %v", d)
	}
}

// readable finds files that are missing before the first document needs them.
func (c *checker) readable(flag, path string) bool {
	_, err := readFile(path)
	if err != nil {
		c.wrong(flag, "%v", err)
	}
	return err == nil
}

// maxFileBytes is how much of a file is read.
const maxFileBytes = 1 << 20

// readFile reads a file of moderate size. The error names it, unless the name
// looks like a key.
func readFile(path string) ([]byte, error) {
	data, err := readLimited(path)
	if pathErr := new(fs.PathError); errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", shownPath(path), err)
	}
	return data, nil
}

// shownPath quotes a path, which may be a key put there by mistake.
func shownPath(path string) string {
	upper := strings.ToUpper(path)
	if strings.Contains(upper, "AGE-SECRET-KEY-") || strings.Contains(upper, "AGE-PLUGIN-") || strings.Contains(upper, "PRIVATE KEY") {
		return "a private key is no path of a file"
	}
	return strconv.Quote(path)
}

func readLimited(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err == nil && len(data) > maxFileBytes {
		err = fmt.Errorf("has more than %d bytes", maxFileBytes)
	}
	return data, err
}
