// SPDX-License-Identifier: Apache-2.0

package testcluster

import (
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/signet-secrets/signet/internal/testtool"
)

// binaries are the absolute paths of the programs.
type binaries struct {
	etcd, apiserver, manager string
}

// findBinaries builds the programs that the cache doesn't have.
func findBinaries(progress io.Writer) (binaries, error) {
	var b binaries
	for name, path := range map[string]*string{
		"etcd":                    &b.etcd,
		"kube-apiserver":          &b.apiserver,
		"kube-controller-manager": &b.manager,
	} {
		var err error
		if *path, err = testtool.Locate(name, progress); err != nil {
			return binaries{}, err
		}
	}
	return b, nil
}

// tokens are the bearer tokens of the two static users.
type tokens struct {
	admin, manager string
}

// Users of the static tokens. The controllers have one of their own so that the
// audit log tells their requests from those of the administrator.
const (
	adminUser   = "testcluster:admin"
	managerUser = "testcluster:controller-manager"
)

// Files in the cluster's folder.
const (
	fileServingCert       = "apiserver.crt"
	fileServingKey        = "apiserver.key"
	fileAccountKey        = "service-account.key"
	fileTokens            = "tokens.csv"
	fileEncryption        = "encryption.yaml"
	fileAuditPolicy       = "audit-policy.yaml"
	fileAuditLog          = "audit.log"
	fileManagerKubeconfig = "controller-manager.kubeconfig"
)

func (c *Cluster) file(name string) string { return filepath.Join(c.dir, name) }

// writeFiles makes the keys and writes what the API server reads.
func (c *Cluster) writeFiles() error {
	var err error
	if c.pki, err = newPKI(); err != nil {
		return err
	}
	c.tokens = tokens{admin: rand.Text(), manager: rand.Text()}
	files := map[string][]byte{
		fileServingCert: c.pki.servingCert,
		fileServingKey:  c.pki.servingKey,
		fileAccountKey:  c.pki.serviceAccountKey,
		// token,user,uid,"groups"
		fileTokens: fmt.Appendf(nil, "%s,%s,1,system:masters\n%s,%s,2,system:masters\n",
			c.tokens.admin, adminUser, c.tokens.manager, managerUser),
	}
	if c.options.EncryptionConfig != nil {
		files[fileEncryption] = c.options.EncryptionConfig
	}
	if c.options.Audit {
		files[fileAuditPolicy] = []byte(auditPolicy)
	}
	for name, content := range files {
		if err := os.WriteFile(c.file(name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}
