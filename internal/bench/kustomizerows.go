// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/signet-secrets/signet/internal/figures"
)

// baselines are what the builds of Signet are compared with.
type baselines struct {
	age, kms []cost // `sops decrypt` of each file
	build    []cost // kustomize with no function, of the files that sops has decrypted
}

// secretsOnly builds the corpus and nothing else.
func (c *buildCorpus) secretsOnly(ctx context.Context) ([]row, error) {
	say("building %d documents with kustomize", c.documents)
	forms := append([]form{alone}, builds()...)
	var sides []side
	for _, w := range c.ways {
		for _, f := range forms {
			sides = append(sides, c.opening(w, f))
		}
	}
	n := len(sides)
	sides = append(sides, c.decrypting("age"), c.decrypting("sops"), c.building(noFunction, c.path(clearFolder), c.content))
	costs, err := takeTurns(ctx, c.rounds, sides...)
	if err != nil {
		return nil, err
	}
	base := baselines{age: costs[n], kms: costs[n+1], build: costs[n+2]}
	clear := fmt.Sprintf("kustomize build, %s, %d clear Secrets (no part of it is signet's)", noFunction, c.documents)
	rows := []row{timeRow(clear, base.build, base.age, 0)}
	for i, w := range c.ways {
		took := map[form][]cost{}
		for j, f := range forms {
			took[f] = costs[i*len(forms)+j]
		}
		rows = append(rows, c.wayRows(w, took, base)...)
	}
	return rows, nil
}

// wayRows has the rows of one way. KSOPS, from which the targets come, was
// measured beside `sops decrypt` with an age key, whatever it opened itself.
func (c *buildCorpus) wayRows(w way, took map[form][]cost, base baselines) []row {
	const age = "  the same beside `sops decrypt` with an age key"
	work := fmt.Sprintf("%d documents, %s", c.documents, w.name)
	rows := []row{timeRow("open "+work+", "+string(alone), took[alone], base.age, w.alone)}
	decrypt := base.age
	if w.calls > 0 {
		decrypt = base.kms
		rows = []row{
			timeRow("open "+work+", "+string(alone), took[alone], decrypt, 0),
			timeRow(age, took[alone], base.age, w.alone),
		}
	}
	for _, f := range builds() {
		rows = append(rows,
			timeRow(buildTitle(f, work)+" (kustomize's time in both)", took[f], plus(decrypt, base.build), 0),
			timeRow(age+" (kustomize's time in signet's)", took[f], base.age, w.build))
	}
	return append(rows, c.overhead(work, took, base.build)...)
}

func buildTitle(f form, work string) string {
	return fmt.Sprintf("kustomize build, %s, %s", f, work)
}

const besideNoFunction = "kustomize with no function"

// overhead has the rows beside a build in which nothing has to be opened, and
// notes which form is the fastest.
func (c *buildCorpus) overhead(work string, took map[form][]cost, noFunctionTook []cost) []row {
	var rows []row
	for _, f := range builds() {
		r := timeRow(buildTitle(f, work), took[f], noFunctionTook, 0)
		r.beside = besideNoFunction
		rows = append(rows, r)
	}
	c.notes = append(c.notes, fastest(work, took))
	return rows
}

// mixed builds the corpus, sealed for an age key, among other resources.
func (c *buildCorpus) mixed(ctx context.Context) ([]row, error) {
	count := configMapsPerSecret * c.documents
	say("building %d documents among %d ConfigMaps with kustomize", c.documents, count)
	want := maps.Clone(c.content)
	configMaps, err := c.writeConfigMaps(want, count)
	if err != nil {
		return nil, err
	}
	w := c.ways[0]
	forms := append(builds(), noFunction)
	var sides []side
	for _, f := range forms {
		k := kustomization{dir: c.path(filepath.Join("mixed", string(f))), secrets: c.files(filepath.Join(w.name, "sealed")), configMaps: configMaps}
		if f == noFunction {
			k.secrets = c.files("plain")
		}
		if err := k.write(f); err != nil {
			return nil, err
		}
		sides = append(sides, c.building(f, k.dir, want))
	}
	costs, err := takeTurns(ctx, c.rounds, sides...)
	if err != nil {
		return nil, err
	}
	took := map[form][]cost{}
	for i, f := range forms {
		took[f] = costs[i]
	}
	work := fmt.Sprintf("%d documents, %s, and %d ConfigMaps", c.documents, w.name, count)
	return c.overhead(work, took, took[noFunction]), nil
}

// writeConfigMaps returns the files of new ConfigMaps and adds their values to
// all.
func (c *buildCorpus) writeConfigMaps(all content, count int) ([]string, error) {
	if err := os.MkdirAll(c.path("configmaps"), 0o700); err != nil {
		return nil, err
	}
	files := make([]string, count)
	for i := range files {
		name := fmt.Sprintf("config-%04d", i)
		files[i] = c.path(filepath.Join("configmaps", name+".yaml"))
		if err := os.WriteFile(files[i], newConfigMap(all, name, "host", "port", "path"), 0o600); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// plus is what two pieces of work take one after the other, round by round.
func plus(a, b []cost) []cost {
	sum := make([]cost, len(a))
	for i := range a {
		sum[i] = cost{a[i].wall + b[i].wall, a[i].cpu + b[i].cpu}
	}
	return sum
}

// fastest says in which order the forms of a build have finished.
func fastest(work string, took map[form][]cost) string {
	wall := func(f form) float64 {
		return figures.Median(column(took[f], func(c cost) float64 { return float64(c.wall) }))
	}
	cpu := func(f form) float64 {
		return figures.Median(column(took[f], func(c cost) float64 { return float64(c.cpu) }))
	}
	order := builds()
	slices.SortStableFunc(order, func(a, b form) int { return cmp.Compare(wall(a), wall(b)) })
	var times []string
	for _, f := range order {
		times = append(times, fmt.Sprintf("%s %s, CPU %s", f, figures.Duration(wall(f)), figures.Duration(cpu(f))))
	}
	return fmt.Sprintf("fastest form for %s: %s (%s)", work, order[0], strings.Join(times, "; "))
}

// printNotes prints what the tables do not say.
func (b *bench) printNotes(w io.Writer) {
	for i, note := range b.notes {
		if i == 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, note)
	}
}
