// SPDX-License-Identifier: Apache-2.0

// Package testcluster starts and stops a real Kubernetes control plane on this
// machine: etcd, kube-apiserver with RBAC and its default admission plugins, and
// kube-controller-manager with the garbage collector and the controllers of
// namespaces, service accounts and the root CA's ConfigMap.
//
//	c := testcluster.Start(t, testcluster.Options{})
//	err := c.Apply(t.Context(), crds)
//	cfg, err := c.ServiceAccount(t.Context(), "team-a", "deployer")
//
// Everything listens on 127.0.0.1 with free ports and writes to one folder. The
// programs are those of internal/testbin; the first build takes minutes, a start
// afterwards seconds. On Linux they die with the process that started them,
// however it ends. Tests, the demo and the benchmark share the package: New does
// without a *testing.T.
//
// What differs from a cluster in production: etcd doesn't flush to disk, there
// is no ServiceAccount admission plugin (it would refuse Pods whose service
// account has no token Secret or mount, and there is nothing to run them), and
// two static tokens belong to system:masters, one for Admin and one for the
// controllers.
//
// What to know for tests: the garbage collector looks for new kinds every 30
// seconds, those in Options.Manifests it knows from its start. The API server
// holds back the creation of an object for two seconds if its kind is as young,
// and the namespace controller waits five before it empties a deleted namespace.
//
// There is no scheduler, kubelet, cloud provider or network: Pods are stored and
// never run, Deployments make none. Faults between client and server are not
// emulated either.
package testcluster
