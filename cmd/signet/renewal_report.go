// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
)

// renewalRow is what a dry run tells of one object.
type renewalRow struct {
	File     string      `json:"file"`
	Document int         `json:"document"`
	Item     int         `json:"item,omitempty"`
	Object   string      `json:"object"`
	Action   action      `json:"action"`
	Gains    []recipient `json:"gains"`
	Loses    []recipient `json:"loses"`
	Reason   string      `json:"reason,omitempty"`
}

// print tells what would be done.
func (r *renewal) print(files []*renewalFile) error {
	rows := []renewalRow{}
	inputs := make([]input, len(files))
	for i, f := range files {
		inputs[i] = f.in
		rows = append(rows, f.rows()...)
	}
	if err := r.nameSealingKeys(inputs, rows); err != nil {
		return err
	}
	r.noteLeft(files)
	r.noteUnproven(files, "")
	if r.output == "json" {
		return writeJSON(r.out, rows)
	}
	shown := 0
	for _, row := range rows {
		if row.Action == actNothing || row.Action == actUnknown {
			continue
		}
		shown++
		if err := writeOut(r.out, []byte(report.Visible(row.String())+"\n")); err != nil {
			return err
		}
	}
	if shown == 0 {
		printer(r.err).Line("note", "nothing to do")
	}
	return nil
}

// rows are those of the objects of a file.
func (f *renewalFile) rows() []renewalRow {
	var rows []renewalRow
	for _, d := range f.decisions {
		for _, at := range d.labels {
			if d.action == "" {
				continue // an error tells why
			}
			row := renewalRow{File: f.in.name, Document: at.Document, Item: at.Item, Object: at.Object, Action: d.action, Gains: d.gains, Loses: d.loses}
			switch d.action {
			case actRefuse:
				row.Reason = "whoever loses access would keep the data key; " + renewHint(d.refused)
			case actUnknown:
				row.Reason = "nothing tells how old its data key is"
			}
			rows = append(rows, row)
		}
	}
	return rows
}

func (row renewalRow) String() string {
	var text strings.Builder
	text.WriteString(report.Source(row.File))
	if row.Object != "" {
		text.WriteString(", " + row.Object)
	}
	text.WriteString(": " + string(row.Action))
	sign := func(sign string, all []recipient) {
		for _, r := range all {
			text.WriteString(" " + sign + " " + r.who())
		}
	}
	if len(row.Gains)+len(row.Loses) > 0 {
		text.WriteString(":")
	}
	sign("+", row.Gains)
	sign("-", row.Loses)
	if row.Reason != "" {
		text.WriteString(": " + row.Reason)
	}
	return text.String()
}

// nameSealingKeys tells which recipients belong to SealingKeys at hand.
func (r *renewal) nameSealingKeys(inputs []input, rows []renewalRow) error {
	found, err := r.findSealingKeys(r.err, inputs)
	if err != nil {
		return err
	}
	names := map[string]string{}
	for _, k := range found {
		names[k.Recipient] = k.Name
	}
	for _, row := range rows {
		for _, list := range [][]recipient{row.Gains, row.Loses} {
			for i := range list {
				list[i].SealingKey = names[list[i].ID]
			}
		}
	}
	return nil
}

// noteLeft tells what was passed over in folders, and what cannot be decided.
func (r *renewal) noteLeft(files []*renewalFile) {
	var left leftAlone
	for _, f := range files {
		left.keys += f.left.keys
		left.foreign += f.left.foreign
	}
	unknown := countDecisions(files, func(d decision) bool { return d.action == actUnknown })
	say := func(n int, what, why string) {
		if n > 0 {
			printer(r.err).Line("note", plural(n, what)+" left alone: "+why)
		}
	}
	say(left.foreign, "SOPS file", "no Kubernetes objects; sops itself renews them: "+sopsCommand(r.names.operation)+" FILE")
	if r.names.operation == actRotate {
		say(left.keys, "SealingKey", "they get successors: signet key rotate NAME")
	} else {
		say(left.keys, "SealingKey", "name the file of one to rewrap it")
	}
	say(unknown, "document", "changed since that time, and nothing tells how old the data key is; signet rotate without --before does them")
}

func sopsCommand(a action) string {
	if a == actRotate {
		return "sops rotate -i"
	}
	return "sops updatekeys"
}

// announce tells how a run over many files can be finished if it is interrupted.
func (r *renewal) announce(cmd *cobra.Command, args []string, pending []*renewalFile) {
	if cmd.Flags().Lookup("before") == nil {
		return
	}
	at := r.now
	if r.madeBefore != nil {
		at = *r.madeBefore
	}
	text, finish := at.Format(time.RFC3339), ""
	if len(pending) > 1 {
		finish = "; if interrupted, finish with: " + cmd.CommandPath() + " --before " + text + sameAgain(cmd, args)
	}
	if r.stale {
		r.noteUnproven(pending, finish)
	} else if finish != "" {
		documents := countDecisions(pending, func(d decision) bool { return d.action.works() })
		printer(r.err).Line("note", "rotating "+plural(documents, "document")+" whose data key is older than "+text+finish)
	}
}

// noteUnproven tells of SOPS files that are rotated because nothing proves for whom
// they were encrypted.
func (r *renewal) noteUnproven(files []*renewalFile, finish string) {
	if !r.stale {
		return
	}
	if n := countDecisions(files, func(d decision) bool { return d.sops && d.action.works() }); n > 0 {
		printer(r.err).Line("note", "--stale takes "+plural(n, "SOPS file")+" along, whoever is listed: nothing protects that list"+finish)
	}
}

func countDecisions(files []*renewalFile, is func(decision) bool) int {
	n := 0
	for _, f := range files {
		for _, d := range f.decisions {
			if is(d) {
				n++
			}
		}
	}
	return n
}

// sameAgain returns flags and arguments of a run, for another one.
func sameAgain(cmd *cobra.Command, args []string) string {
	var text strings.Builder
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if slices.Contains([]string{"before", "older-than", "stale"}, f.Name) {
			return
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, v := range values {
			if f.Value.Type() == "bool" {
				text.WriteString(" --" + f.Name + "=" + v)
			} else {
				text.WriteString(" --" + f.Name + " " + report.Quoted(v))
			}
		}
	})
	for _, arg := range args {
		text.WriteString(" " + report.Quoted(arg))
	}
	return text.String()
}

// tally counts what happened to the documents of a run.
type tally struct {
	done, upToDate, failed, untried int
	gains, loses                    accessChanges
}

// summarize tells, on stderr, how many documents were done, and who can open more
// or fewer of them now.
func (r *renewal) summarize(args []string, files []*renewalFile) {
	r.noteLeft(files)
	names := map[string]string{}
	for recipient, found := range r.limits {
		names[recipient] = found[0].Name
	}
	t := tallyOf(files)
	for _, c := range t.gains.all {
		printer(r.err).Line("note", report.Visible(c.named(names)+" can now open "+plural(c.documents, "document")+" more"))
	}
	for _, c := range t.loses.all {
		who := c.named(names)
		printer(r.err).Line("note", report.Visible(who+" could read "+plural(c.values, "value")+" in "+plural(c.documents, "document")+
			"; Git history stays readable for "+who+": change them where they come from; the list: signet inspect --exposed-to "+report.Quoted(shortestPrefix(c.ID))+quotedPaths(args)))
	}
	text := fmt.Sprintf("%d %s, %d up to date, %d failed", t.done, r.names.done, t.upToDate, t.failed)
	if t.untried > 0 {
		text += fmt.Sprintf(", %d not tried", t.untried)
	}
	if t.done+t.upToDate+t.failed+t.untried == 0 {
		text = "nothing sealed found"
	}
	printer(r.err).Line("note", text)
}

// shortestPrefix is as much of a recipient as tells it from others.
func shortestPrefix(id string) string {
	const most, enough = 120, 40
	if len(id) <= most {
		return id
	}
	return id[:enough]
}

func quotedPaths(args []string) string {
	text := ""
	for _, arg := range args {
		if arg != "-" {
			text += " " + report.Quoted(arg)
		}
	}
	return text
}

func tallyOf(files []*renewalFile) tally {
	var t tally
	for _, f := range files {
		if f.err != nil && len(f.decisions) == 0 {
			t.failed++ // what it holds is not known
		}
		for _, d := range f.decisions {
			switch {
			case d.action == "" || d.action == actRefuse:
				t.failed++
			case !d.action.works():
				t.upToDate++
			case f.err == parallel.ErrNotTried:
				t.untried++
			case f.err != nil:
				t.failed++
			default:
				t.done++
				t.gains.add(d.gains, d.values)
				t.loses.add(d.loses, d.values)
			}
		}
	}
	return t
}

// accessChanges says of recipients in how many documents something has changed for them.
type accessChanges struct{ all []*accessChange }

type accessChange struct {
	recipient
	documents, values int
}

func (c *accessChanges) add(all []recipient, values int) {
	for _, r := range all {
		i := slices.IndexFunc(c.all, func(old *accessChange) bool { return old.Type == r.Type && old.ID == r.ID })
		if i < 0 {
			i = len(c.all)
			c.all = append(c.all, &accessChange{recipient: r})
		}
		c.all[i].documents++
		c.all[i].values += values
	}
}

func (c *accessChange) named(names map[string]string) string {
	c.SealingKey = names[c.ID]
	return c.who()
}
