// SPDX-License-Identifier: Apache-2.0

// Package installtest tests the install manifests in controller/config: that
// kustomize builds them, that they grant what the controller needs and no more,
// and that a real API server takes them and refuses what they are there to
// refuse.
//
// It does not run the controller. How health is judged and whether alerts can be
// read is tested in controller/config/configtest, which needs other people's
// modules.
package installtest
