// SPDX-License-Identifier: Apache-2.0

package awskms_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// Two policies that are not in files: what an administrator has, and the key
// policy that AWS gives a key for which none is named. With the first, a key
// policy is on its own; with the second, an IAM policy.
const (
	administrator = "AdministratorAccess"
	defaultKey    = "default key policy"

	administratorJSON = `{"Version": "2012-10-17", "Statement": [
		{"Sid": "All", "Effect": "Allow", "Action": "*", "Resource": "*"}]}`
	defaultKeyJSON = `{"Version": "2012-10-17", "Statement": [
		{"Sid": "All", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"}]}`
)

const (
	controller = "arn:aws:iam::111122223333:role/signet-controller"
	tenant     = "arn:aws:iam::111122223333:role/signet-tenant"
	breakGlass = "arn:aws:iam::111122223333:role/signet-break-glass"
	somebody   = "arn:aws:iam::111122223333:role/somebody"
	neighbour  = "arn:aws:iam::444455556666:role/signet-controller" // in the other account
)

type pairs map[string]string

// row is a request, the policies that decide over it, and what they decide.
type row struct {
	name     string
	policies []string // file names and the two above; the first is that of the resource
	request  request
	want     bool
}

// call is a request to KMS with an encryption context.
func call(principal, action string, context pairs) request {
	r := request{principal: principal, action: action, resource: keyARN, keys: map[string][]string{}}
	r.keys["aws:principalarn"] = []string{principal}
	for _, name := range slices.Sorted(maps.Keys(context)) {
		key := "kms:encryptioncontext:" + strings.ToLower(name)
		r.keys[key] = append(r.keys[key], context[name])
		r.keys["kms:encryptioncontextkeys"] = append(r.keys["kms:encryptioncontextkeys"], name)
	}
	return r
}

func encrypt(principal string, context pairs) request {
	return call(principal, "kms:Encrypt", context)
}

func decrypt(principal string, context pairs) request {
	return call(principal, "kms:Decrypt", context)
}

// with returns the request with more condition keys.
func (r request) with(more pairs) request {
	r.keys = maps.Clone(r.keys)
	for key, value := range more {
		r.keys[strings.ToLower(key)] = []string{value}
	}
	return r
}

// at returns the request for another key.
func (r request) at(arn string) request {
	r.resource = arn
	return r
}

// document is the context of a document, sealingKey that of a SealingKey.
func document(namespace, name string) pairs {
	return pairs{"kubernetes-namespace": namespace, "kubernetes-name": name}
}

func sealingKey(name string) pairs { return pairs{"signet-sealing-key": name} }

// plus returns the context with another pair.
func (p pairs) plus(name, value string) pairs {
	p = maps.Clone(p)
	p[name] = value
	return p
}

func tag(namespace string) pairs { return pairs{"aws:PrincipalTag/kubernetes-namespace": namespace} }

// all returns the policies of files and the two that are not.
func all(t *testing.T) map[string]policy {
	t.Helper()
	policies := load(t)
	policies[administrator] = parse(t, administrator, []byte(administratorJSON))
	policies[defaultKey] = parse(t, defaultKey, []byte(defaultKeyJSON))
	return policies
}

// decide evaluates a row.
func (r row) decide(t *testing.T, policies map[string]policy) bool {
	t.Helper()
	var found []policy
	for _, name := range r.policies {
		p, ok := policies[name]
		if !ok {
			t.Fatalf("%s: there is no policy %s", r.name, name)
		}
		found = append(found, p)
	}
	return allowed(r.request, found[0], found[1:]...)
}

func rows() []row {
	return slices.Concat(sealerRows(), controllerRows(), tenantRows(), sealingKeyRows(), breakGlassRows(),
		otherReaderRows(), keyRows(), replicaRows(), crossAccountRows(), trustRows())
}

func TestRequests(t *testing.T) {
	policies := all(t)
	for _, r := range rows() {
		t.Run(r.name, func(t *testing.T) {
			if got := r.decide(t, policies); got != r.want {
				t.Errorf("allowed = %v, want %v, by %q\nrequest: %+v", got, r.want, r.policies, r.request)
			}
		})
	}
}

// Each condition of each file is there for a reason: without it a request above
// would be decided otherwise. So nothing in the files is decoration, and
// nothing that the README claims of them is untested.
func TestEachConditionMatters(t *testing.T) {
	policies, rows := all(t), rows()
	for _, file := range slices.Sorted(maps.Keys(load(t))) {
		for i, s := range policies[file].Statement {
			for operator, conditions := range s.Condition {
				for key := range conditions {
					changed := maps.Clone(policies)
					changed[file] = without(policies[file], i, operator, key)
					matters := slices.ContainsFunc(rows, func(r row) bool {
						return slices.Contains(r.policies, file) && r.decide(t, changed) != r.want
					})
					if !matters {
						t.Errorf("%s: statement %s decides the same without %s on %s", file, s.Sid, operator, key)
					}
				}
			}
		}
	}
}

// without returns the policy without one condition of its statement i.
func without(p policy, i int, operator, key string) policy {
	p.Statement = slices.Clone(p.Statement)
	s := &p.Statement[i]
	s.Condition = maps.Clone(s.Condition)
	s.Condition[operator] = maps.Clone(s.Condition[operator])
	delete(s.Condition[operator], key)
	return p
}
