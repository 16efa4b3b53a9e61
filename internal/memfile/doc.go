// SPDX-License-Identifier: Apache-2.0

// Package memfile keeps plaintext in files for as long as another program needs
// them: in a directory that is in memory, so that nothing of it reaches a disk,
// and that only its owner may enter. The kernel is asked what the directory is
// on; its name proves nothing, in containers least of all.
//
// New makes a Dir, and Wipe overwrites and removes whatever is in it then, also
// what an editor has left. Plaintext must not outlive the program that asked for
// it, so a second process, the reaper, waits for the end of the first and does
// the same when that one could not. It is the same program, started again:
//
//	func main() {
//		if code, ok := memfile.Reap(os.Args); ok {
//			os.Exit(code)
//		}
//		// ...
//	}
//
// What is left when both were killed is removed by the next New.
//
// Linux has directories in memory. On other systems New works in a directory
// that the user names, and says so otherwise; outside of Unix nothing is locked,
// and what two kills leave stays.
//
// NoCore keeps the process that handles the plaintext from writing core dumps.
//
// The package cannot keep the kernel from writing memory to swap (see Dir.Swap),
// nor another process of the same user from reading. It knows nothing of what
// editors write elsewhere.
package memfile
