// SPDX-License-Identifier: Apache-2.0

package gcpkms

import (
	"errors"
	"net"
	"net/url"

	"github.com/signet-secrets/signet/seal/keys/internal/chars"
)

// parseEndpoint returns the base URL for requests, without a slash at its end.
func parseEndpoint(text string) (string, error) {
	if !hasScheme(text) {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Hostname() == "", u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "",
		u.Path != "" && u.Path != "/", !chars.Only(u.Host, nameChars+".:[]"):
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
