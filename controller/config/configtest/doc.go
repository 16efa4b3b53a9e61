// SPDX-License-Identifier: Apache-2.0

// Package configtest tests the manifests of controller/config with what reads
// them in a cluster: how Argo CD and Flux judge the health of every object that
// the controller can leave behind, and whether Prometheus can read the alerts.
//
// It starts no cluster: that the API server accepts the manifests is tested in
// internal/installtest.
package configtest
