// SPDX-License-Identifier: Apache-2.0

package gcpkms

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"
)

// maxIdlePerHost keeps a connection for each of the calls that a program makes
// at once; with 2, the default, most would dial anew.
const maxIdlePerHost = 64

// newTransport returns what requests are made with. HTTP/1.1 alone, because an
// attempt that is given up then takes its connection with it: one dead HTTP/2
// connection would time all attempts out.
func newTransport(attempt time.Duration) *http.Transport {
	http1 := new(http.Protocols)
	http1.SetHTTP1(true)
	// A host that cannot be reached is told from a server that does not answer.
	dialer := &net.Dialer{Timeout: attempt * 3 / 4}
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dialer.DialContext,
		TLSHandshakeTimeout: attempt * 3 / 4,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		Protocols:           http1,
		MaxIdleConns:        4 * maxIdlePerHost,
		MaxIdleConnsPerHost: maxIdlePerHost,
		IdleConnTimeout:     90 * time.Second,
	}
}

// noRedirect keeps requests, which carry tokens and secrets, where they were
// sent to.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// parseEndpoint returns the base URL for requests, without a slash at its end.
func parseEndpoint(text string) (string, error) {
	if !hasScheme(text) {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Hostname() == "", u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "",
		u.Path != "" && u.Path != "/", !only(u.Host, nameChars+".:[]"):
		return "", errors.New("want https://<host>")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return u.Scheme + "://" + u.Host, nil
	}
	return "", errors.New("want https://<host>: others could read the token on its way")
}

func hasScheme(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != ""
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
