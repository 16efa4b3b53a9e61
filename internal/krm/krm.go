// SPDX-License-Identifier: Apache-2.0

// Package krm has the words that kustomize, its functions and `signet` share.
// It does nothing with them.
package krm

// Annotations that kustomize reads (kyaml: fn/runtime/runtimeutil; kustomize
// api: internal/plugins/utils/utils.go, UpdateResourceOptions).
const (
	FunctionAnnotation = "config.kubernetes.io/function"      // of a configuration: which program is its function
	HashAnnotation     = "kustomize.config.k8s.io/needs-hash" // of the result of a generator: its name gets a hash
	BehaviorAnnotation = "kustomize.config.k8s.io/behavior"   // likewise: create, merge or replace
)

// Configurations of functions that open documents. UnsealKind is of
// sopsdoc.APIVersion.
const (
	UnsealKind      = "Unseal"
	KSOPSAPIVersion = "viaduct.ai/v1"
	KSOPSKind       = "ksops"
)
