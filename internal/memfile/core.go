// SPDX-License-Identifier: Apache-2.0

package memfile

// CoreLimit, which NoCore returns, is how large the core dumps of a process could be.
type CoreLimit struct {
	cur, max uint64
}
