// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/keys/awskms"
)

// allowDefault is the item of an allow-list that stands for the default.
const allowDefault = "default"

// readAllowList sets allowText.
func (c *checker) readAllowList() {
	from := "allow-keys"
	switch {
	case c.allowKeys != nil && c.allowFile != "":
		c.wrong("allow-keys-file", "cannot be used together with %s", c.source("allow-keys"))
		return
	case c.allowFile != "":
		from = "allow-keys-file"
		text, err := readFile(c.allowFile)
		if err != nil {
			c.wrong(from, "%v", err)
			return
		}
		c.allowText = string(text)
	case c.allowKeys != nil:
		c.allowText = strings.Join(c.allowKeys, "\n")
	default:
		c.allowText = allowDefault
	}
	if _, err := keys.ParseAllowList(c.allowText, keys.AllowList{}); err != nil {
		c.wrong(from, "%v", err)
	}
}

// allowList is the allow-list of a controller that may have yet to learn its
// AWS account, for which the item "default" stands. It learns that when a
// document has a KMS key that the answer decides about, and not before, so that
// a cluster without AWS never asks.
type allowList struct {
	text    string
	without keys.AllowList // with nothing for "default"
	account *account
}

// newAllowList returns the allow-list of a text that ParseAllowList accepts.
func newAllowList(text string, own *account) (*allowList, error) {
	without, err := keys.ParseAllowList(text, keys.AllowList{})
	if err != nil {
		return nil, err
	}
	return &allowList{text, without, own}, nil
}

// String is the list in a form that stays the same for as long as the settings
// do. While the account is not known, "default" stands in it.
func (l *allowList) String() string {
	if id, known := l.account.settled(); known {
		return l.with(id).String()
	}
	if l.with("000000000000").String() == l.without.String() {
		return l.without.String() // no item "default": the account plays no part
	}
	return strings.TrimSpace(allowDefault + " " + l.without.String())
}

// with returns the list for an account.
func (l *allowList) with(account string) keys.AllowList {
	list, err := keys.ParseAllowList(l.text, keys.AllowForAccount(account))
	if err != nil {
		return keys.AllowList{} // it was parsed before
	}
	return list
}

// Check is keys.AllowList.Check. The error is also a *keys.CallError: the
// account could not be learned, and may be at the next try.
func (l *allowList) Check(ctx context.Context, e keys.Entry) error {
	err := l.without.Check(e)
	if err == nil {
		return nil
	}
	// Whether e would do if its account were ours: otherwise there is nothing
	// to learn. What e names decides nothing else, not even where STS is asked.
	kms, isKMS := e.(keys.KMSEntry)
	arn, malformed := awskms.ParseKeyARN(kms.ARN)
	if !isKMS || malformed != nil || l.with(arn.Account).Check(e) != nil {
		return err
	}
	own, err := l.account.get(ctx)
	if err != nil {
		return &keys.CallError{
			Operation: keys.Unwrapping,
			Entry:     e,
			Err:       fmt.Errorf("learn the controller's AWS account, whose keys are allowed by default: %w", err),
			Hint:      "give the account with --aws-account, or the keys with --allow-keys",
		}
	}
	return l.with(own).Check(e)
}

// checkReplica is Check for a replica of a key that was checked: what had to be
// learned is known by then.
func (l *allowList) checkReplica(e keys.KMSEntry) error {
	if own, known := l.account.known(); known {
		return l.with(own).Check(e)
	}
	return l.without.Check(e)
}

// unwrapper returns u behind the list.
func (l *allowList) unwrapper(u keys.Unwrapper) keys.Unwrapper { return allowed{l, u} }

type allowed struct {
	list *allowList
	next keys.Unwrapper
}

var (
	_ keys.Unwrapper = allowed{}
	_ keys.Ranker    = allowed{}
)

// Unwrap implements keys.Unwrapper.
func (a allowed) Unwrap(ctx context.Context, e keys.Entry) ([]byte, error) {
	if err := a.list.Check(ctx, e); err != nil {
		return nil, err
	}
	return a.next.Unwrap(ctx, e)
}

// Rank implements keys.Ranker.
func (a allowed) Rank(e keys.Entry) keys.Rank { return keys.RankOf(a.next, e) }
