// SPDX-License-Identifier: Apache-2.0

package foreground

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"syscall"
	"time"

	"golang.org/x/term"
)

// Options say what happens to signals. INT and QUIT are ignored while the program
// runs, since a terminal sends them to it as well. TERM and HUP are passed on.
type Options struct {
	// Forward are further signals that are passed on.
	Forward []os.Signal

	// Grace is how long the program may go on after the first TERM or HUP until
	// it is killed; 0 is for ever.
	Grace time.Duration

	// OnDeath is what the program gets when this process is killed, on Linux;
	// 0 is nothing.
	OnDeath syscall.Signal
}

// InterruptedError says that this process was told to end while the program ran,
// which has ended.
type InterruptedError struct {
	Signal os.Signal // TERM or HUP
}

// Error names the signal.
func (e *InterruptedError) Error() string { return "ended by signal: " + e.Signal.String() }

// Run starts a program and waits for its end. It returns how that was; the error
// is not that the program has failed, but that it could not be started, or an
// *InterruptedError.
//
// The caller is still subscribed to signals with signal.Notify: whoever has a
// context that INT ends needs a new one after Run.
func Run(cmd *exec.Cmd, o Options) (*os.ProcessState, error) {
	signals := subscribe(o.Forward)
	defer signal.Stop(signals)
	defer keepTerminal(cmd)()

	dieWithParent(cmd, o.OnDeath)
	started := make(chan error)
	ended := make(chan error, 1)
	go func() {
		// The kernel sends the death signal when the thread that has started a
		// program is gone (prctl(2), PR_SET_PDEATHSIG), not the process.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			stopTogether(cmd.Process.Pid)
			ended <- cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, cause(err))
	}
	interrupted, err := pass(signals, cmd.Process, o, ended)
	if interrupted != nil {
		return cmd.ProcessState, &InterruptedError{interrupted}
	}
	if cmd.ProcessState == nil {
		return nil, fmt.Errorf("wait for %s to end: %w", cmd.Path, cause(err))
	}
	return cmd.ProcessState, nil
}

// subscribe listens for the signals that Run deals with. What was ignored before,
// as HUP under nohup, stays so.
func subscribe(forward []os.Signal) chan os.Signal {
	signals := make(chan os.Signal, 32)
	for _, s := range append([]os.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP}, forward...) {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	return signals
}

// pass passes signals on until the program has ended, and returns the first one
// that asked for the end of this process, and what waiting has returned.
func pass(signals <-chan os.Signal, p *os.Process, o Options, ended <-chan error) (first os.Signal, err error) {
	var kill <-chan time.Time
	for {
		select {
		case err := <-ended:
			return firstEnd(first, signals), err
		case <-kill:
			_ = p.Kill() // an error means that it has ended
		case s := <-signals:
			if isEnd(s) && first == nil {
				first = s
				if o.Grace > 0 {
					timer := time.NewTimer(o.Grace)
					defer timer.Stop()
					kill = timer.C
				}
			}
			if isEnd(s) || slices.Contains(o.Forward, s) {
				_ = p.Signal(s)
			}
		}
	}
}

// firstEnd returns first or, if it is nil, one that has come together with the end
// of the program: a terminal that goes away tells both.
func firstEnd(first os.Signal, signals <-chan os.Signal) os.Signal {
	for first == nil {
		select {
		case s := <-signals:
			if isEnd(s) {
				first = s
			}
		default:
			return nil
		}
	}
	return first
}

func isEnd(s os.Signal) bool { return s == syscall.SIGTERM || s == syscall.SIGHUP }

// keepTerminal returns a function that gives the terminal its state back if the
// program was killed, which had no time to do that.
func keepTerminal(cmd *exec.Cmd) func() {
	f, ok := cmd.Stdin.(*os.File)
	if !ok {
		return func() {}
	}
	state, err := term.GetState(int(f.Fd()))
	if err != nil {
		return func() {}
	}
	return func() {
		if _, killed := killedBy(cmd.ProcessState); killed {
			_ = term.Restore(int(f.Fd()), state)
		}
	}
}

func cause(err error) error {
	if e := (*exec.Error)(nil); errors.As(err, &e) {
		return e.Err
	}
	if e := (*os.PathError)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}
