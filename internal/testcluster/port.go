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

// freePort returns a port of 127.0.0.1 that nothing listens on at this moment.
// The choice is random so that test binaries that run at the same time hardly
// ever choose alike.
func freePort() (int, error) {
	const tries = 100
	var err error
	for range tries {
		port := lowestPort + rand.IntN(highestPort-lowestPort)
		var l net.Listener
		if l, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return port, l.Close()
		}
	}
	return 0, fmt.Errorf("find a free port of 127.0.0.1: %w", err)
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
