// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/signet-secrets/signet/internal/kmstest"
)

// rig is what a story has set up of key services.
type rig struct {
	kms   *kmstest.Server
	names []string // of variables that are different every time

	silences map[string]*silence
}

func newRig() *rig {
	return &rig{names: []string{"ALICE", "BOB", "WORK"}, silences: map[string]*silence{}}
}

type rigKey struct{}

func rigOf(ts *testscript.TestScript) *rig { return ts.Value(rigKey{}).(*rig) }

// set sets a variable, whose value `masked` and `kms log` then write as $NAME.
func (r *rig) set(ts *testscript.TestScript, name, value string) {
	ts.Setenv(name, value)
	if !slices.Contains(r.names, name) {
		r.names = append(r.names, name)
	}
}

// named writes the names of variables in place of their values.
func (r *rig) named(ts *testscript.TestScript, text string) string {
	for _, name := range r.names {
		text = strings.ReplaceAll(text, ts.Getenv(name), "$"+name)
	}
	return text
}

// keep NAME FILE sets $NAME to the text in a file, such as stdout.
func cmdKeep(ts *testscript.TestScript, neg bool, args []string) {
	rigOf(ts).set(ts, args[0], strings.TrimSpace(ts.ReadFile(args[1])))
}

// kms VERB [ARG]... is about a KMS and STS that belongs to the story:
//
//	start                   starts it, with a key $KMS_ARN, and points AWS SDKs at it
//	key NAME [PART=TEXT]... makes the key $NAME: region=, account=, usage=, multi=yes
//	alias NAME ALIAS KEY    makes the alias $NAME
//	role ARN                makes a role that everybody may assume
//	state KEY STATE         as in KMS's KeyState: Disabled, PendingDeletion
//	deny [PART=TEXT]...     denies what matches: op=, key=, principal=, CONTEXT KEY=
//	allow                   takes all denials back
//	inject FAULT OP N       makes the next N calls go wrong
//	calls [OP N]...         there were these calls since the last time, and no others
//	log FILE                writes a line for each call since the last `kms calls`
func cmdKMS(ts *testscript.TestScript, neg bool, args []string) {
	r := rigOf(ts)
	if neg || len(args) == 0 || (r.kms == nil) != (args[0] == "start") {
		ts.Fatalf("usage: kms VERB [ARG]..., start first")
	}
	verbs := map[string]func(*testscript.TestScript, []string){
		"start": r.start, "key": r.key, "alias": r.alias, "role": r.role, "state": r.state,
		"deny": r.deny, "allow": r.allow, "inject": r.inject, "calls": r.calls, "log": r.log,
	}
	verb, ok := verbs[args[0]]
	if !ok {
		ts.Fatalf("unknown: kms %s", args[0])
	}
	verb(ts, args[1:])
}

func (r *rig) start(ts *testscript.TestScript, args []string) {
	srv, err := kmstest.New(kmstest.Options{})
	ts.Check(err)
	ts.Defer(srv.Close)
	r.kms = srv
	for _, kv := range srv.Env() {
		name, value, _ := strings.Cut(kv, "=")
		ts.Setenv(name, value)
	}
	r.key(ts, []string{"KMS_ARN"})
}

func (r *rig) key(ts *testscript.TestScript, args []string) {
	var k kmstest.Key
	for part, text := range parts(ts, args[1:]) {
		switch part {
		case "region":
			k.Region = text
		case "account":
			k.Account = text
		case "usage":
			k.Usage = text
		case "multi":
			k.MultiRegion = true
		default:
			ts.Fatalf("unknown: kms key %s=", part)
		}
	}
	r.set(ts, args[0], r.kms.CreateKey(k))
}

func (r *rig) alias(ts *testscript.TestScript, args []string) {
	r.set(ts, args[0], r.kms.CreateAlias(args[1], args[2]))
}

func (r *rig) role(_ *testscript.TestScript, args []string) { r.kms.AddRole(args[0]) }

func (r *rig) state(_ *testscript.TestScript, args []string) {
	r.kms.SetState(args[0], kmstest.State(args[1]))
}

func (r *rig) deny(ts *testscript.TestScript, args []string) {
	d := kmstest.Denial{Context: map[string]string{}}
	for part, text := range parts(ts, args) {
		switch part {
		case "op":
			d.Operation = text
		case "key":
			d.KeyARN = text
		case "principal":
			d.Principal = text
		default:
			d.Context[part] = text
		}
	}
	r.kms.Deny(d)
}

func (r *rig) allow(*testscript.TestScript, []string) { r.kms.AllowAll() }

func (r *rig) inject(ts *testscript.TestScript, args []string) {
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	r.kms.Inject(kmstest.Fault(args[0]), args[1], n)
}

func (r *rig) calls(ts *testscript.TestScript, args []string) {
	want := map[string]int{}
	for pair := range slices.Chunk(args, 2) {
		n, err := strconv.Atoi(pair[1])
		ts.Check(err)
		want[pair[0]] = n
	}
	if got := r.kms.Counts(); !maps.Equal(got, want) {
		ts.Fatalf("calls %v, want %v", got, want)
	}
	r.kms.ResetCounts()
}

// log sorts the lines: calls run in parallel.
func (r *rig) log(ts *testscript.TestScript, args []string) {
	var lines []string
	for _, c := range r.kms.Calls() {
		line := c.Operation + " " + c.KeyID
		for _, name := range slices.Sorted(maps.Keys(c.Context)) {
			line += " " + name + "=" + c.Context[name]
		}
		if session := strings.LastIndex(c.Principal, "/"); strings.Contains(c.Principal, ":assumed-role/") {
			line += " by " + c.Principal[:session] // after that comes the machine's name
		}
		lines = append(lines, strings.TrimRight(line+" "+c.Error, " ")+"\n")
	}
	slices.Sort(lines)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(r.named(ts, strings.Join(lines, ""))), 0o666))
}

// parts splits arguments of the form PART=TEXT.
func parts(ts *testscript.TestScript, args []string) map[string]string {
	all := map[string]string{}
	for _, arg := range args {
		part, text, ok := strings.Cut(arg, "=")
		if !ok {
			ts.Fatalf("%q is not PART=TEXT", arg)
		}
		all[part] = text
	}
	return all
}

// listener NAME... makes each of $NAME the address of a server at which nothing
// may arrive until the story ends, except what `arrived` has been told of.
func cmdListener(ts *testscript.TestScript, neg bool, args []string) {
	r := rigOf(ts)
	for _, name := range args {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		s := &silence{listener: l, arrived: make(chan string, 1000)}
		go s.accept()
		r.set(ts, name, l.Addr().String())
		r.silences[name] = s
		ts.Defer(func() {
			defer l.Close()
			tb := ts.Value(tbKey{}).(testing.TB)
			switch n, err := s.count(); {
			case err != nil:
				tb.Error(err)
			case n > 0:
				tb.Errorf("%d connections to %s, where nothing should arrive", n, name)
			}
		})
	}
}

// arrived NAME... checks that something has connected to each of $NAME, and
// forgets it.
func cmdArrived(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		n, err := rigOf(ts).silences[name].count()
		ts.Check(err)
		if n == 0 {
			ts.Fatalf("nothing has connected to %s", name)
		}
	}
}

// silence is a server that nobody should call.
type silence struct {
	listener net.Listener
	arrived  chan string // addresses of clients
}

// accept closes each connection at once.
func (s *silence) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		conn.Close()
		s.arrived <- conn.RemoteAddr().String()
	}
}

// count returns how many connections there were since the last time: those
// before one of its own.
func (s *silence) count() (int, error) {
	addr := s.listener.Addr()
	conn, err := net.Dial(addr.Network(), addr.String())
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	for n := 0; ; n++ {
		if <-s.arrived == conn.LocalAddr().String() {
			return n, nil
		}
	}
}
