// SPDX-License-Identifier: Apache-2.0

package testcluster

import (
	"fmt"
	"strings"
)

// PIDs returns the process IDs of the programs that run, by the name of the
// program.
func (c *Cluster) PIDs() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	pids := map[string]int{}
	for _, p := range c.processes() {
		if p.Running() {
			pids[p.name] = p.PID()
		}
	}
	return pids
}

// logTails is the end of each program's log for a person to read.
func (c *Cluster) logTails() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all strings.Builder
	for _, p := range c.processes() {
		fmt.Fprintf(&all, "end of the log of %s:\n%s\n", p.name, p.tail())
	}
	return all.String()
}

// processes are those that were started and not stopped. Hold mu.
func (c *Cluster) processes() []*process {
	var started []*process
	for _, p := range []*process{c.etcd, c.apiserver, c.manager} {
		if p != nil {
			started = append(started, p)
		}
	}
	return started
}
