// SPDX-License-Identifier: Apache-2.0

// Package controllertest runs signet-controller as it runs in a cluster, for
// tests, the demo and the benchmark: as a process of its own, with the token of
// its service account and exactly the rights that the install manifests give it,
// on a real control plane (package testcluster) and beside an AWS KMS test
// server (package kmstest).
//
//	lab := controllertest.Start(t, controllertest.Options{})
//	c := lab.RunController(t)
//	ns := lab.Namespace(t)
//	lab.Create(t, lab.Seal(t, controllertest.Secret{Namespace: ns, Name: "db", Data: ...}))
//	lab.WaitReady(t, ns, "db")
//
// A Lab is meant to be shared by the tests of a package, each with its own
// namespace. It has no opinion on what the controller does.
package controllertest
