// SPDX-License-Identifier: Apache-2.0

package kustomizeplugin_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
)

// BenchmarkFiles opens 200 files for one age identity, without kustomize.
func BenchmarkFiles(b *testing.B) {
	l := newLab(b)
	for i := range 200 {
		l.write(b, fmt.Sprintf("many/%03d.yaml", i), l.sealed(b, "prod", fmt.Sprintf("s%03d", i)))
	}
	in := resourceList(unsealing("many/*.yaml"))
	for b.Loop() {
		mustDo(b, l.function().Run(context.Background(), strings.NewReader(in), io.Discard))
	}
}

// BenchmarkTransform opens 10 documents among 10,000 resources.
func BenchmarkTransform(b *testing.B) {
	l := newLab(b)
	items := repeated(odd, 9990)
	for i := range 10 {
		items = append(items, l.sealed(b, "prod", fmt.Sprintf("s%03d", i)))
	}
	in := resourceList(unsealing(), items...)
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		mustDo(b, l.function().Run(context.Background(), strings.NewReader(in), io.Discard))
	}
}
