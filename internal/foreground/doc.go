// SPDX-License-Identifier: Apache-2.0

// Package foreground runs a program that has the terminal while its parent waits
// and then goes on: an editor, or a program that is given files.
//
// Both stay in one process group, so that job control is that of the shell. Keys
// such as Ctrl-C are for the program alone then, and signals that are sent to the
// parent reach it too. If the parent is killed, the kernel tells the program (on
// Linux).
//
// The package cleans nothing up: that is for its caller, when Run returns.
package foreground
