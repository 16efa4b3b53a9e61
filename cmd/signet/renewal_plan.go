// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/internal/exitcode"
	"github.com/signet-secrets/signet/internal/parallel"
	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
	"github.com/signet-secrets/signet/unseal"
)

// action is what is done with a document.
type action string

const (
	actNothing action = "none"    // it is as it should be
	actRewrap  action = "rewrap"  // its data key is wrapped for more recipients
	actRotate  action = "rotate"  // it gets a new data key
	actRefuse  action = "refuse"  // rewrapping it would only seem to take access away
	actUnknown action = "unknown" // the age of its data key is not known, and it was changed since
)

func (a action) works() bool { return a == actRewrap || a == actRotate }

// renewable is a sealed document as it can be seen without a key: a SealedSecret,
// a SOPS file or a SealingKey.
type renewable struct {
	key        *sopsdoc.SealingKey // nil for the others
	sops       bool                // a SOPS file, whose list of recipients anybody can change
	rule       *keys.Rule
	have, want keys.Recipients
	modified   string
	values     int
}

// decision is what is to be done with one document.
type decision struct {
	action       action
	rule         *keys.Rule
	gains, loses []recipient
	refused      error
	key, sops    bool
	values       int
	labels       []standing // of its objects
}

// standing is where an object stands.
type standing struct {
	Document int
	Item     int
	Object   string
}

// renewalFile is an input with what is to be done in it. It holds no trees: they
// are read again when its turn comes.
type renewalFile struct {
	in        input
	sum       [sha256.Size]byte
	decisions []decision
	left      leftAlone
	result    []byte
	err       error
}

// pending reports whether there is something to be done.
func (f *renewalFile) pending() bool {
	for _, d := range f.decisions {
		if f.err == nil && d.action.works() {
			return true
		}
	}
	return false
}

// leftAlone counts what stands in folders and is not renewed.
type leftAlone struct{ keys, foreign int }

// prepare decides for each document what is to be done, without any key. A mistake
// in the rules ends it, since all documents have them in common.
func (r *renewal) prepare(ctx context.Context, inputs []input) ([]*renewalFile, error) {
	files := make([]*renewalFile, len(inputs))
	var rules sync.Mutex
	rule := func(document string) (*keys.Rule, error) {
		rules.Lock()
		defer rules.Unlock()
		return r.rules.rule(document)
	}
	failed := parallel.Do(len(inputs), func(i int) error {
		files[i] = &renewalFile{in: inputs[i]}
		files[i].in.notes = new(bytes.Buffer)
		if ctx.Err() != nil {
			return parallel.ErrNotTried
		}
		return r.prepareFile(files[i], rule)
	})
	for i, err := range failed {
		if aboutRules(err) {
			return nil, err
		}
		files[i].err = err
	}
	return files, nil
}

func (r *renewal) prepareFile(f *renewalFile, rule func(string) (*keys.Rule, error)) error {
	if err := f.in.read(r.in); err != nil {
		return err
	}
	raw := f.in.stream.Bytes()
	f.sum = sha256.Sum256(raw)
	if f.in.name == "-" {
		f.result = raw
	} else {
		defer func() { f.in.stream = nil }()
	}
	if f.in.walked && !f.in.mentionsSealed() {
		return nil
	}
	all, left, err := f.in.renewable()
	f.left = left
	switch {
	case errors.Is(err, errForeign):
		return err // nothing was wrong with the file
	case err != nil || len(all) == 0:
		return exitcode.Opening(err)
	}
	found, err := rule(r.document(f.in))
	if err != nil {
		return &report.PlacedError{File: f.in.name, Operation: string(r.names.operation), Err: r.withoutFile(f.in, err)}
	}
	var errs []error
	for _, t := range all {
		d, err := r.decide(t, found)
		f.decisions = append(f.decisions, d)
		errs = append(errs, report.Split(err)...)
	}
	return errors.Join(errs...)
}

// document is the path that rules are about.
func (r *renewal) document(in input) string {
	switch wd, err := os.Getwd(); {
	case r.filename != "":
		return r.filename
	case in.name == "-" && err == nil:
		return wd + string(os.PathSeparator) + "-"
	}
	return in.name
}

// withoutFile names stdin where document had to make a path up.
func (r *renewal) withoutFile(in input, err error) error {
	if none, ok := report.As[*keys.NoRulesError](err); ok && in.name == "-" && r.filename == "" {
		return &stdinRulesError{"standard input", none}
	}
	return err
}

// errForeign says that a SOPS file belongs to other tools.
var errForeign = errors.New("is encrypted by SOPS and no Kubernetes object")

// errForeignBeside is errForeign for a file that holds other documents, too.
var errForeignBeside = errors.New("holds what is encrypted by SOPS and no Kubernetes object beside other documents")

// renewable returns what is sealed in the input, in order: each SealedSecret, each
// SOPS file with all of its documents, and in a file that was named, each
// SealingKey. The error is errForeign or one of jobs.
func (in input) renewable() (all []*target, left leftAlone, err error) {
	all, err = in.jobs(func(f found) (bool, error) {
		foreign := f.Kind() == "" && sopsdoc.FileMAC(f.Node) != ""
		switch {
		case isSealingKey(f) && in.walked:
			left.keys++
			return false, nil
		case isSealingKey(f):
			return true, nil
		case foreign && in.walked:
			left.foreign++
			return false, nil
		case foreign:
			return false, errForeign
		}
		return toOpen(f)
	})
	return all, left, err
}

// jobs returns what is to be opened together of the objects that are wanted. In a
// file that was named there is something, or the error is errInClear or
// errNoSealed.
func (in input) jobs(want func(found) (bool, error)) (all []*target, err error) {
	clear := false
	words := []string{sopsdoc.Group, sopsdoc.MetadataKey}
	if !in.walked {
		words = append(words, "Secret")
	}
	unopened := in.unopened()
	objects, err := in.objects(func(f found) (bool, error) {
		wanted, err := want(f)
		clear = clear || !wanted && err == nil && f.IsSecret()
		return wanted, err
	}, words...)
	if err := errors.Join(append(report.Split(unopened), report.Split(err)...)...); err != nil {
		return nil, err
	}
	for _, job := range unseal.Jobs(objects, func(f found) (string, *manifest.Object) { return in.name, f.Object }) {
		all = append(all, &target{in: in, job: job})
	}
	switch {
	case len(all) > 0 || in.walked:
		return all, nil
	case clear:
		return nil, in.cannotSelect(errInClear)
	}
	return nil, in.cannotSelect(errNoSealed)
}

// errNoSealed says that a file that was named holds nothing to renew or verify.
var errNoSealed = errors.New("holds nothing that is sealed")

func isSealingKey(f found) bool {
	return f.APIVersion() == sopsdoc.APIVersion && f.Kind() == sopsdoc.KeyKind
}

// decide looks at one document.
func (r *renewal) decide(t *target, rule *keys.Rule) (decision, error) {
	d := decision{rule: rule}
	for _, f := range t.job {
		d.labels = append(d.labels, standing{f.doc.Index, f.Item, report.ObjectName(f.Object)})
	}
	doc, err := t.renewable(rule)
	if err != nil {
		return d, exitcode.Opening(t.wrap("read", err))
	}
	if doc.key != nil && r.names.operation == actRotate {
		return d, t.wrap(string(actRotate), &rotateKeyError{doc.key.Name})
	}
	d.key, d.sops, d.values = doc.key != nil, doc.sops, doc.values
	d.gains, d.loses = describeAll(doc.want.Minus(doc.have)), describeAll(doc.have.Minus(doc.want))
	d.action = r.choose(doc)
	if d.action == actRefuse {
		err := keys.CheckKept(doc.have, doc.want)
		if doc.key != nil {
			err = &rewrapKeyError{doc.key.Name, err}
		}
		d.refused = t.wrap(string(r.names.operation), err)
	}
	return d, nil
}

// rotateKeyError says that a SealingKey does not get a new data key, but a
// successor.
type rotateKeyError struct{ name string }

func (e *rotateKeyError) Error() string {
	return "a SealingKey is not rotated in place: whoever could open it may have kept the identity in it"
}

// rewrapKeyError is a *keys.RemovedError about a SealingKey.
type rewrapKeyError struct {
	name string
	err  error
}

func (e *rewrapKeyError) Error() string { return e.err.Error() }
func (e *rewrapKeyError) Unwrap() error { return e.err }

// renewable parses the document, as far as that goes without a key, and finds for
// whom it should be sealed.
func (t *target) renewable(rule *keys.Rule) (*renewable, error) {
	if isSealingKey(t.object()) {
		return renewableKey(t.object(), rule)
	}
	if t.isSOPS() {
		return t.renewableFile(rule)
	}
	parsed, err := sopsdoc.ParseSealedSecret(t.object().Node)
	if err != nil {
		return nil, err
	}
	e := parsed.Envelope
	want, err := sopsdoc.BindContext(rule.Recipients, e.Scope)
	if err != nil {
		return nil, err
	}
	return &renewable{
		rule: rule, have: e.Metadata.Recipients, want: want, modified: e.Metadata.LastModified,
		values: len(e.DataKeys()) + len(e.StringDataKeys()),
	}, nil
}

func (t *target) renewableFile(rule *keys.Rule) (*renewable, error) {
	var trees []*yaml.Node
	r := &renewable{sops: true, rule: rule, want: rule.Recipients}
	for _, f := range t.job {
		trees = append(trees, f.Tree())
		r.values += len(manifest.Keys(manifest.Get(f.Node, "data"))) + len(manifest.Keys(manifest.Get(f.Node, "stringData")))
	}
	file, err := sopsdoc.ParseFile(trees...)
	if err != nil {
		return nil, err
	}
	r.have, r.modified = file.Metadata.Recipients, file.Metadata.LastModified
	return r, nil
}

func renewableKey(f found, rule *keys.Rule) (*renewable, error) {
	k, err := sopsdoc.ParseSealingKey(f.Node)
	if err != nil {
		return nil, err
	}
	want, err := sopsdoc.BindKeyContext(rule.Recipients, k.Name)
	if err != nil {
		return nil, err
	}
	return &renewable{key: k, rule: rule, have: k.Metadata.Recipients, want: want, modified: k.Metadata.LastModified}, nil
}

// olderThan tells whether the data key was made before t. If its age is not known
// the time of the last change tells: what was not changed since then has the data
// key of before; of the rest nobody knows. What names a time that cannot be counts
// as old.
func (r *renewable) olderThan(t, now time.Time) action {
	changed, err := time.Parse(time.RFC3339, r.modified)
	switch made, known := r.have.Created(); {
	case !made.IsZero() && made.Before(t), !r.have.PlausibleAge(changed, now):
		return actRotate
	case known:
		return actNothing
	}
	if err == nil && changed.Before(t) {
		return actRotate
	}
	return actUnknown
}

func describeAll(entries []keys.Entry) []recipient {
	all := make([]recipient, 0, len(entries))
	for _, e := range entries {
		all = append(all, describe(e))
	}
	return all
}

// who names a recipient in a line.
func (r recipient) who() string {
	const most = 120 // characters, which all but post-quantum recipients and RSA keys have
	text := r.ID
	if len(text) > most {
		text = shortRecipient(text)
	}
	if r.SealingKey != "" {
		text += " (SealingKey " + r.SealingKey + ")"
	}
	return cmp.Or(text, r.Type)
}
