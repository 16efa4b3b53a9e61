// SPDX-License-Identifier: Apache-2.0

// Package report is how the programs of Signet talk to the people who run them.
// The rules:
//
//   - The result of a command goes to stdout and nothing else does. When a
//     command fails, stdout stays empty.
//   - Errors, hints, notes and progress go to stderr, each line with the
//     program's name, in lower case and without a full stop.
//   - An error says where (file, document, object), what was tried, and why it
//     did not work. The hint after it is the exact flag, command or edit that
//     helps.
//   - No line ever holds a value of a Secret, a key or a piece of a file, nor
//     anything that steers the terminal.
//   - A Printer is the only thing that prints errors.
//
// This package knows no hints and no exit codes: what helps, and how a program
// ends, is its own affair.
package report
