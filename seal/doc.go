// SPDX-License-Identifier: Apache-2.0

// Package seal turns Kubernetes Secrets into documents that are safe in Git.
//
// It is one of two verbs. Seal needs recipients, to whom it wraps a random
// data key, and no right to open anything; package unseal opens what was
// sealed, and neither imports the other. What both stand on:
//
//	seal            Secret -> document: SealedSecret, or SOPS-encrypted Secret;
//	                age key pair -> SealingKey
//	seal/manifest   YAML and JSON streams; what is not ours stays byte for byte
//	seal/sopsdoc    the document format: values, metadata, MAC, binding
//	seal/keys       data keys, recipients, the rules in .sops.yaml
//	seal/keys/...   key services, one package each: agekey, awskms,
//	                gcpkms, azurekv, vault, pgp
//	unseal          document -> Secret, verified; SealingKeys as identities
//	unseal/sopsfile SOPS files of every format -> their text
//
// And what stands on them:
//
//	kustomize-plugin      the function of kustomize; in argocd/, the plugin of Argo CD
//	controller            the controller; in v1alpha1/, the types of its API
//	cmd/signet            the command line
//	cmd/signet-kustomize  the program of the function
//	cmd/signet-controller the program of the controller
//	internal/userkeys     the keys of whoever runs a program
//	internal/parallel     many documents at once; what a failure or an interruption leaves
//	internal/report       how programs talk; internal/exitcode, with which code
//	                      they end; internal/buildinfo, their version
//	internal/tree         files below a directory, found by patterns, within bounds
//	internal/krm          the words of kustomize and its functions
//
// And for the commands of every day only: internal/memfile, editor and foreground
// (plaintext in memory, for another program), gitrepo (the git program), merge3
// (merging sealed documents), fingerprint (marks of values in diffs), bitnami
// (Sealed Secrets of Bitnami), helmtext (values in templates) and sarif (findings
// for other programs).
//
// The rest of internal is for tests and measurements: testtool, kmstest, vaulttest,
// testcluster, controllertest, installtest, testbin; bench, benchcontroller,
// figures, demo; depcheck, which checks what may import what, and tools.
//
// FORMAT.md beside this file specifies the documents, completely enough for a
// second implementation.
//
// A minimal program parses a Secret with manifest.Parse, gives Seal the
// recipients and a Wrapper such as agekey.Wrapper, and writes the result with
// manifest.EncodeYAML: see the example.
//
// Sealing is not authorship: whoever knows a recipient can seal. Who may put a
// document into a repository or a cluster is decided by review and RBAC.
//
// This package opens nothing, reads no files, no environment and no rules.
package seal
