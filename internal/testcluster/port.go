// SPDX-License-Identifier: Apache-2.0

package testcluster

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// errPortTaken is in the error of a program that found its port in use.
var errPortTaken = errors.New("port was taken")

// Ports are chosen below the ranges that systems take the local ports of
// outgoing connections from (Linux: 32768 up, ip(7); others: 49152 up). In such
// a range a client that connects to a stopped server's port can be given that
// very port, and then talks to itself and keeps the server from coming back.
const lowestPort, highestPort = 12000, 32000

// listenAtFreePort listens on a port of 127.0.0.1 that nothing listens on. The
// choice is random so that test binaries that run at the same time hardly ever
// choose alike.
func listenAtFreePort() (net.Listener, error) {
	const tries = 100
	var err error
	for range tries {
		port := lowestPort + rand.IntN(highestPort-lowestPort)
		var l net.Listener
		if l, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return l, nil
		}
	}
	return nil, fmt.Errorf("find a free port of 127.0.0.1: %w", err)
}

// FreeAddresses returns n addresses, 127.0.0.1:port, that nothing listens on at
// this moment. They lie outside the range of local ports, so that a server that
// was stopped can come back to its own.
func FreeAddresses(n int) ([]string, error) {
	var found []string
	for range n {
		l, err := listenAtFreePort()
		if err != nil {
			return nil, err
		}
		defer l.Close() // at the end, so that no two are alike
		found = append(found, l.Addr().String())
	}
	return found, nil
}

func freePort() (int, error) {
	l, err := listenAtFreePort()
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// retryPorts calls start with new ports until it fails for another reason than
// that one was taken.
func retryPorts(start func(port int) error) error {
	var err error
	for range startAttempts {
		var port int
		if port, err = freePort(); err != nil {
			return err
		}
		if err = start(port); !errors.Is(err, errPortTaken) {
			return err
		}
	}
	return err
}
