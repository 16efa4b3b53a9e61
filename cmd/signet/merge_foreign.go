// SPDX-License-Identifier: Apache-2.0

package main

// judge finds the sides that were sealed by somebody who need not have been able to
// open what was there before: that takes public keys only, and with them a branch
// could choose under which scope, type and labels the values of the other side come
// out, and beside which others. Without a base that opens, one side is judged by the
// other.
func (v *secretVersions) judge() {
	for _, pair := range [][2]*openedVersion{{v.ours, v.theirs}, {v.theirs, v.ours}} {
		side, former := pair[0], pair[1]
		if v.base != nil {
			former = v.base
		}
		if !side.standIn && !former.standIn {
			side.version.Foreign = !side.sealed.Envelope.Succeeds(former.dataKey, side.dataKey)
		}
	}
}
