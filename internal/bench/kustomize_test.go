// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-secrets/signet/internal/kmstest"
)

// smallBench has real programs and little to do.
func smallBench(t *testing.T) *bench {
	t.Helper()
	b, err := newBench(t.Context(), t.TempDir(), options{rounds: 1, starts: 1, documents: 2, keys: 1})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// All forms of all ways are built, and come out as they went in.
func TestKustomizeBuilds(t *testing.T) {
	b := smallBench(t)
	rows, err := b.kustomizeBuilds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, r := range rows {
		count[r.beside]++
		if r.signet == "" || r.sops == "" || r.ratio <= 0 {
			t.Errorf("a row without figures: %+v", r)
		}
	}
	const noFunctionRow, age, kms = 1, 1 + 3*2, 2 + 3*2
	if diff := cmp.Diff(map[string]int{"": noFunctionRow + age + 2*kms, besideNoFunction: 4 * 3}, count); diff != "" {
		t.Errorf("rows differ (-want +got):\n%s", diff)
	}
	for _, note := range b.notes {
		if !strings.HasPrefix(note, "fastest form for 2 documents, ") {
			t.Errorf("note %q", note)
		}
	}
	if len(b.notes) != 4 {
		t.Errorf("%d notes, want 4", len(b.notes))
	}
}

// A build that does less than it should must not look fast.
func TestKustomizeFindsWrongBuilds(t *testing.T) {
	b := smallBench(t)
	server := kmstest.Start(t, kmstest.Options{})
	c, err := b.newBuildCorpus(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	age, direct := c.ways[0], c.ways[2]
	right := c.opening(direct, generator)
	if _, err := right.once(t.Context()); err != nil {
		t.Fatal(err)
	}
	without := func(s side, arg string) side {
		args := s.commands[0].args
		if args[len(args)-1] != arg {
			t.Fatalf("the last argument is %q, not %q", args[len(args)-1], arg)
		}
		s.commands[0].args = args[:len(args)-1]
		return s
	}
	fewer := direct
	fewer.calls--
	tests := []struct {
		name string
		side side
		want string
	}{
		{"the generator is skipped", without(c.opening(age, generator), "--enable-exec"), "not the values that were sealed"},
		{"the transformer is skipped", without(c.opening(age, transformer), "--enable-exec"), `kind "SealedSecret"`},
		{"a call too many", c.opening(fewer, generator), "took 2 KMS calls, want 1"},
		{"a value is another", c.building(noFunction, c.path(clearFolder), content{"secret-0000/username": "other"}), "not the values"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := test.side.once(t.Context()); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestParts(t *testing.T) {
	if all, err := parts(""); err != nil || len(all) < 2 {
		t.Errorf("%d parts, %v, want all", len(all), err)
	}
	if one, err := parts("kustomize"); err != nil || len(one) != 1 || one[0].name != "kustomize" {
		t.Errorf("parts %v, %v, want one", one, err)
	}
	if _, err := parts("other"); err == nil {
		t.Error("a part that does not exist was found")
	}
}

func TestFastest(t *testing.T) {
	ms := func(walls ...int) (costs []cost) {
		for _, wall := range walls {
			costs = append(costs, cost{wall: time.Duration(wall) * time.Millisecond, cpu: time.Second})
		}
		return costs
	}
	took := map[form][]cost{generator: ms(20, 30, 900), transformer: ms(70, 80, 90), filter: ms(50, 20, 21)}
	const want = "fastest form for work: filter (filter 21.0 ms, CPU 1.00 s; generator 30.0 ms, CPU 1.00 s; transformer 80.0 ms, CPU 1.00 s)"
	if got := fastest("work", took); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// What is decrypted first and built then takes both.
func TestPlus(t *testing.T) {
	got := plus([]cost{{1, 2}, {3, 4}}, []cost{{10, 20}, {30, 40}})
	if want := []cost{{11, 22}, {33, 44}}; got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %v, want %v", got, want)
	}
}
