// SPDX-License-Identifier: Apache-2.0

package testcluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
)

// auditPolicy logs the bodies of writes to Secrets without the answers, requests
// and answers for Signet's own kinds and for leases, and of the rest who did
// what. Requests that the API server sends to itself are left out.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
- level: None
  users: ["system:apiserver"]
- level: None
  nonResourceURLs: ["/readyz*", "/livez*", "/healthz*"]
- level: Request
  verbs: [create, update, patch, delete, deletecollection]
  resources:
  - group: ""
    resources: [secrets]
- level: RequestResponse
  resources:
  - group: signet.dev
  - group: coordination.k8s.io
    resources: [leases]
- level: Metadata
`

// AuditEvents returns what the API server has logged so far, in the order of the
// log, over its restarts too. Each request is an event when it is done (stage
// ResponseComplete, or Panic); a watch is one more when it starts
// (ResponseStarted). The body of a write to a Secret is in RequestObject, the
// options of a delete included; for kinds of signet.dev and leases
// ResponseObject is filled as well; for everything else neither is.
//
// The server logs a request after it has answered: its event can be missing when
// its client asks at once. It is an error if Options.Audit is not set.
func (c *Cluster) AuditEvents() ([]auditv1.Event, error) {
	return c.AuditEventsWith("")
}

// AuditEventsWith is AuditEvents for those events whose JSON contains text, which
// is fast for a few of many.
func (c *Cluster) AuditEventsWith(text string) ([]auditv1.Event, error) {
	if !c.options.Audit {
		return nil, errors.New("read audit log: audit is off for this cluster")
	}
	log, err := os.ReadFile(c.file(fileAuditLog))
	if err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	var events []auditv1.Event
	number := 0
	for line := range bytes.Lines(log) {
		number++
		if !bytes.HasSuffix(line, []byte("\n")) {
			break // the server is in the middle of it
		}
		if !bytes.Contains(line, []byte(text)) {
			continue
		}
		var e auditv1.Event
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("read audit log: line %d: %w", number, err)
		}
		events = append(events, e)
	}
	return events, nil
}
