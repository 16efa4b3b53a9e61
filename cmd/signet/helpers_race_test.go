// SPDX-License-Identifier: Apache-2.0

//go:build race

package main

// raceEnabled says that the race detector slows the tests down.
const raceEnabled = true
