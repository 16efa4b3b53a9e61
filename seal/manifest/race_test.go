// SPDX-License-Identifier: Apache-2.0

//go:build race

package manifest

// raceEnabled says that memory and time say nothing about the code.
const raceEnabled = true
