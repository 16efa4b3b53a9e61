// SPDX-License-Identifier: Apache-2.0

package testcluster

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

func (c *Cluster) startEtcd(ctx context.Context) error {
	return retryPorts(func(port int) error { return c.runEtcd(ctx, port) })
}

func (c *Cluster) runEtcd(ctx context.Context, port int) error {
	began := time.Now()
	name := rand.Text()
	c.etcdURL = fmt.Sprintf("http://127.0.0.1:%d", port)
	p, err := startProcess(c.dir, c.binaries.etcd, etcdArgs(name, c.file("etcd"), c.etcdURL)...)
	if err != nil {
		return err
	}
	err = c.awaitReady(ctx, p, func(ctx context.Context) error { return etcdReady(ctx, c.etcdURL, name) })
	if err != nil {
		return err
	}
	c.etcd = p
	c.logf("etcd ready in %.1f s", time.Since(began).Seconds())
	return nil
}

func etcdArgs(name, dataDir, url string) []string {
	const peerURL = "http://127.0.0.1:0" // nobody but this member will ever call it
	return []string{
		"--name=" + name,
		"--data-dir=" + dataDir,
		"--listen-client-urls=" + url,
		"--advertise-client-urls=" + url,
		"--listen-peer-urls=" + peerURL,
		"--initial-advertise-peer-urls=" + peerURL,
		"--initial-cluster=" + name + "=" + peerURL,
		"--unsafe-no-fsync",
		"--quota-backend-bytes=8589934592", // a benchmark can write the default of 2 GB between compactions
		"--log-level=warn",
	}
}

// etcdReady asks the server at url for its members, which it answers once it
// has a leader. The name tells it from another cluster's, which could have got
// the port first.
func etcdReady(ctx context.Context, url, name string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v3/cluster/member/list", strings.NewReader("{}"))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	var list struct {
		Members []struct{ Name string }
	}
	if err := json.Unmarshal(body, &list); err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("list members of etcd: %s: %q", resp.Status, body)
	}
	if len(list.Members) != 1 || list.Members[0].Name != name {
		return fmt.Errorf("%s is another etcd", url)
	}
	return nil
}
