// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const namespace = "shop"

// value is one entry of a Secret.
type value struct {
	key    string
	bytes  []byte
	binary bool // goes into data, in base64; otherwise into stringData
}

func text(key, s string) value        { return value{key: key, bytes: []byte(s)} }
func file(key string, b []byte) value { return value{key: key, bytes: b, binary: true} }

// secret is a Secret of the demo.
type secret struct {
	name, kind string // kind is the type field
	values     []value
}

// makeSecrets writes each Secret as a manifest, and each of its values as a
// file of its own, to compare with later.
func makeSecrets(valuesDir, manifestDir string) error {
	secrets, err := newSecrets()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(manifestDir, 0o755); err != nil {
		return err
	}
	for _, s := range secrets {
		if err := os.WriteFile(filepath.Join(manifestDir, s.name+".yaml"), s.manifest(), 0o644); err != nil {
			return err
		}
		if err := writeValues(valuesDir, s.name, s.kind, s.values); err != nil {
			return err
		}
	}
	return nil
}

// typeFile stands beside the values of a Secret and holds its type.
const typeFile = ".type"

func writeValues(dir, name, kind string, values []value) error {
	dir = filepath.Join(dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, v := range append(values, text(typeFile, kind+"\n")) {
		if err := os.WriteFile(filepath.Join(dir, v.key), v.bytes, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// newSecrets returns the kinds of Secrets that people have, with values that
// are new in each run.
func newSecrets() ([]secret, error) {
	crt, key, err := certificate("shop.example")
	if err != nil {
		return nil, err
	}
	keystore := make([]byte, 2048)
	rand.Read(keystore) // never fails
	password := rand.Text()
	auth := base64.StdEncoding.EncodeToString([]byte("shop-robot:" + password))
	docker := fmt.Sprintf(`{"auths":{"registry.example":{"username":"shop-robot","password":%q,"auth":%q}}}`, password, auth)
	settings := "# read at start\n[payment]\nmerchant = M-" + rand.Text()[:8] +
		"\napi_key  = pk_" + rand.Text() + "\n\n[mail]\n\tpassword: \"" + rand.Text() + "\"  # 'quoted' & indented\n"
	return []secret{
		{"database", "kubernetes.io/basic-auth", []value{
			text("username", "shop-"+strings.ToLower(rand.Text()[:6])),
			text("password", rand.Text()),
		}},
		{"web-tls", "kubernetes.io/tls", []value{file("tls.crt", crt), file("tls.key", key)}},
		{"registry", "kubernetes.io/dockerconfigjson", []value{file(".dockerconfigjson", []byte(docker))}},
		{"keystore", "Opaque", []value{
			file("keystore.p12", keystore),
			text("passphrase", rand.Text()),
		}},
		{"settings", "Opaque", []value{
			text("settings.ini", settings),
			text("feature-flags", ""),
			text("greeting", "안녕하세요! 창고 비밀번호는 "+rand.Text()[:10]+"입니다."),
		}},
	}, nil
}

// certificate makes a self-signed certificate and its key, both in PEM.
func certificate(host string) (crt, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: host},
		DNSNames:     []string{host},
		NotBefore:    time.Now(),
		NotAfter:     time.Now().AddDate(1, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return nil, nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	crt = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	key = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	return crt, key, nil
}

// manifest writes a Secret as people do: text in stringData, with block
// scalars for several lines, everything else in data.
func (s secret) manifest() []byte {
	var out, data, stringData bytes.Buffer
	fmt.Fprintf(&out, "apiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\n  namespace: %s\n  labels:\n    app: shop\ntype: %s\n",
		s.name, namespace, s.kind)
	for _, v := range s.values {
		switch {
		case v.binary:
			fmt.Fprintf(&data, "  %s: %s\n", v.key, base64.StdEncoding.EncodeToString(v.bytes))
		case bytes.Contains(v.bytes, []byte("\n")):
			fmt.Fprintf(&stringData, "  %s: |\n", v.key)
			for line := range strings.Lines(string(v.bytes)) {
				stringData.WriteString(strings.TrimRight("    "+line, " \n") + "\n")
			}
		default:
			fmt.Fprintf(&stringData, "  %s: %q\n", v.key, v.bytes)
		}
	}
	if data.Len() > 0 {
		fmt.Fprintf(&out, "data:\n%s", data.Bytes())
	}
	if stringData.Len() > 0 {
		fmt.Fprintf(&out, "stringData:\n%s", stringData.Bytes())
	}
	return out.Bytes()
}
