// SPDX-License-Identifier: Apache-2.0

package merge3_test

import (
	"fmt"
	"os"

	"github.com/signet-secrets/signet/internal/merge3"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

func ExampleSecrets() {
	version := func(user, password string) merge3.Version {
		return merge3.Version{Content: sopsdoc.Content{StringData: map[string]string{"user": user, "password": password}}}
	}
	base, ours, theirs := version("app", "old"), version("admin", "correct horse"), version("app", "battery staple")
	merged, conflicts := merge3.Secrets(&base, ours, theirs)
	fmt.Println("user:", merged.Content.StringData["user"])
	fmt.Println("conflicts:", merge3.Describe(conflicts))

	conflicts[0].Take(&merged, theirs)
	fmt.Println("password:", merged.Content.StringData["password"])
	// Output:
	// user: admin
	// conflicts: password (changed on both sides)
	// password: battery staple
}

func ExampleConflictFile() {
	f := &merge3.ConflictFile{
		Notes:  []string{"conflict in prod/db: password (changed on both sides)"},
		Base:   []byte("the base\n"),
		Ours:   []byte("our version\n"),
		Theirs: []byte("their version\n"),
	}
	data := f.Bytes(7)
	os.Stdout.Write(data)

	read, ok := merge3.ParseConflict(data)
	fmt.Printf("%v %s", ok, read.Theirs)
	// Output:
	// # signet: conflict in prod/db: password (changed on both sides)
	// <<<<<<< ours: @signet
	// our version
	// ||||||| base
	// the base
	// =======
	// their version
	// >>>>>>> theirs
	// true their version
}
