// SPDX-License-Identifier: Apache-2.0

// Package controllertest runs signet-controller as it runs in a cluster, for
// tests, the demo and the benchmark: as a process of its own, with the token of
// its service account and exactly the rights that the install manifests give it,
// on a real control plane (package testcluster) and beside an AWS KMS test
// server (package kmstest).
//
//	func TestMain(m *testing.M) {
//		os.Exit(controllertest.Main(m, controllertest.Options{}, func(l *controllertest.Lab) error { lab = l; return nil }))
//	}
//
//	lab.RunController(t)
//	ns := lab.Namespace(t)
//	lab.Create(t, lab.MustSeal(t, controllertest.Secret{Namespace: ns, Name: "db", Data: map[string]string{"password": "..."}}))
//	lab.WaitReady(t, ns, "db")
//
// A Lab is meant to be shared by the tests of a package, each with its own
// namespace. It has no opinion on what the controller does.
package controllertest
