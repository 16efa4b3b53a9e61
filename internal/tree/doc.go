// SPDX-License-Identifier: Apache-2.0

// Package tree finds and opens the files of a kustomization, all of which may be
// foreign. Everything goes through an os.Root, so that nothing outside of it can
// be reached: not with an absolute path, not with "..", and not through a
// symbolic link that leads out or is absolute. Nothing in it can make a reader
// wait for ever, as a named pipe would, and no patterns can keep one busy for
// ever, as those that go through links to the directory itself would.
//
// The package never looks at what is in a file.
package tree
