// SPDX-License-Identifier: Apache-2.0

// Package merge3 merges two changed versions of sealed documents over the
// version that both began with.
//
// Sealed text cannot be merged line by line: a MAC covers all of it. So what is
// sealed is merged in the clear, item by item, and sealed again, and the rest
// of the file as Git merges any text. The steps for a file, of which this
// package does those that need neither keys nor programs:
//
//   - NewStreams cuts the sealed documents out of the three versions and leaves
//     placeholders, so that `git merge-file` can merge what remains.
//   - Streams.Merge finds the placeholders in the result and puts the documents
//     into jobs. Most are settled: only one side changed them.
//   - The caller opens the versions of the others. Secrets merges those of a
//     SealedSecret, Trees those of a SOPS document.
//   - The caller seals them, Document.Replace puts them in, and Merged.Bytes
//     returns the file.
//   - Where anything is in conflict, or does not open, ConflictFile.Bytes writes
//     a file with all three versions that no YAML parser accepts.
//     ParseConflict reads it, and the same steps with Conflict.Take finish it.
//
// A merge is clean only if no item was changed on both sides in different ways.
// All functions are safe for concurrent use on different values, and change
// nothing that they are given unless they say so.
//
// This package opens and seals nothing, knows no recipients, runs no program
// and reads no file.
package merge3
