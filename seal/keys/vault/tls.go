// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strconv"
)

// newTLSConfig reads the variables about TLS. The error is a *settingError.
func newTLSConfig() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: os.Getenv(envServerName)}
	var err error
	if c.RootCAs, err = rootCAs(); err != nil {
		return nil, err
	}
	if c.Certificates, err = clientCertificates(); err != nil {
		return nil, err
	}
	if text := os.Getenv(envSkipVerify); text != "" {
		if c.InsecureSkipVerify, err = strconv.ParseBool(text); err != nil {
			return nil, &settingError{envSkipVerify, errors.New("is neither true nor false")}
		}
	}
	return c, nil
}

// rootCAs returns nil for those of the system. A file goes before a text, and
// that before a directory, of which every file must hold certificates.
func rootCAs() (*x509.CertPool, error) {
	if path := os.Getenv(envCACert); path != "" {
		return addFile(x509.NewCertPool(), envCACert, path)
	}
	if text := os.Getenv(envCACertText); text != "" {
		return addPEM(x509.NewCertPool(), envCACertText, []byte(text))
	}
	dir := os.Getenv(envCAPath)
	if dir == "" {
		return nil, nil
	}
	pool := x509.NewCertPool()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		_, err = addFile(pool, envCAPath, path)
		return err
	})
	if err != nil && !errors.As(err, new(*settingError)) {
		err = &settingError{envCAPath, pathCause(err)}
	}
	if err != nil {
		return nil, err
	}
	return pool, nil
}

func addFile(pool *x509.CertPool, variable, path string) (*x509.CertPool, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, &settingError{variable, pathCause(err)}
	}
	return addPEM(pool, variable, data)
}

func addPEM(pool *x509.CertPool, variable string, data []byte) (*x509.CertPool, error) {
	if !pool.AppendCertsFromPEM(data) {
		return nil, &settingError{variable, errors.New("holds no PEM certificate")}
	}
	return pool, nil
}

// clientCertificates returns nil for none.
func clientCertificates() ([]tls.Certificate, error) {
	cert, key := os.Getenv(envClientCert), os.Getenv(envClientKey)
	switch {
	case cert == "" && key == "":
		return nil, nil
	case cert == "" || key == "":
		return nil, &settingError{envClientCert + " and " + envClientKey, errors.New("must be set both")}
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if cause := pathCause(err); cause != err {
		return nil, &settingError{envClientCert + " or " + envClientKey, cause}
	}
	if err != nil {
		return nil, &settingError{envClientCert + " or " + envClientKey, errors.New("hold no certificate and its key in PEM")}
	}
	return []tls.Certificate{pair}, nil
}
