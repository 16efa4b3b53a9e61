// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 holds the Go types of the API group signet.dev:
// SealedSecret, from which the controller makes a Secret, and SealingKey, a key
// pair that opens many of them. The comments of the fields become the
// descriptions in the CustomResourceDefinitions, which `make manifests` writes.
//
// Reading an object never fails: what does not have the types given here is
// left empty, and Spec.Raw keeps the JSON as it came. So one malformed object
// cannot stop a watch of all of them. Whoever opens a document reads Raw.
//
// The package knows the shape of objects only. What makes a document valid is
// in seal/sopsdoc, and what is done with one in controller.
//
// +kubebuilder:object:generate=true
// +groupName=signet.dev
package v1alpha1
