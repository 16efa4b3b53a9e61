// SPDX-License-Identifier: Apache-2.0

package sopsfile_test

import (
	"sync/atomic"
	"testing"

	"github.com/signet-secrets/signet/unseal/sopsfile"
)

// TestOpensStockRandom protects the text as TestOpensStock does, with files
// that nobody thought of. What sops does not open itself (it moves comments,
// which can change what a comment selects) is refused here too.
func TestOpensStockRandom(t *testing.T) {
	s := newStock(t)
	files := uint64(300)
	if testing.Short() {
		files = 15
	}
	for _, f := range []sopsfile.Format{sopsfile.YAML, sopsfile.JSON, sopsfile.Dotenv, sopsfile.INI, sopsfile.Binary} {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			var opened, refused atomic.Int32
			t.Run("files", func(t *testing.T) {
				for seed := uint64(0); uint64(opened.Load()) < files && seed < 4*files; seed++ {
					g := newGenerator(seed)
					enc, ok := s.encrypt(t, nameOf(f), []byte(g.file(f)), g.rule()...)
					switch {
					case !ok:
					case s.compare(t, f, enc):
						opened.Add(1)
					default:
						refused.Add(1)
					}
					if t.Failed() {
						t.Fatalf("seed %d", seed)
					}
				}
			})
			t.Logf("%s: %d files opened to the same bytes, %d refused by both", f, opened.Load(), refused.Load())
			if uint64(opened.Load()) < files {
				t.Errorf("only %d files were compared", opened.Load())
			}
		})
	}
}
