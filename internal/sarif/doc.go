// SPDX-License-Identifier: Apache-2.0

// Package sarif writes findings as SARIF 2.1.0 (OASIS), as code hosts and
// editors read them: one run, its rules, and one result for each finding, in
// the form that GitHub asks for. Paths become URIs relative to the root of the
// sources, so that a log means the same on every machine.
//
// The package knows no rules of its own, and makes no text safe: what it is
// given must hold no secret.
package sarif
