// SPDX-License-Identifier: Apache-2.0

package keys

// Type names a key service by its list in the `sops` block.
type Type string

// The key types of SOPS 3.13 (sops: stores/stores.go, type metadata).
const (
	Age       Type = "age"
	AWSKMS    Type = "kms"
	GCPKMS    Type = "gcp_kms"
	HuaweiKMS Type = "hckms"
	AzureKV   Type = "azure_kv"
	Vault     Type = "hc_vault"
	PGP       Type = "pgp"
)

// Types lists every key type in the order in which SOPS writes and reads them
// within a key group: alphabetical.
var Types = []Type{Age, AzureKV, GCPKMS, Vault, HuaweiKMS, AWSKMS, PGP}

// Entry names one key of a key service and holds what it wrapped: the data
// key, or one share of it where key groups are used. With an empty Wrapped it
// is a recipient: a key to wrap for, as rules and flags give it. Entries are
// values; nobody changes one after it was made.
type Entry interface {
	// Type tells which key service the entry belongs to.
	Type() Type
	// ID is the public name of the key: a recipient, an ARN, a URL. It
	// identifies the key within its Type and may be printed.
	ID() string
	// Wrapped is the wrapped secret as text, in the encoding that SOPS uses
	// for the type, or "".
	Wrapped() string
}

// AgeEntry is one `age` entry: an armored age file for one recipient.
type AgeEntry struct {
	Recipient string // age1..., age1pq1..., age1<plugin>1..., ssh-ed25519 ..., ssh-rsa ...
	CreatedAt string // RFC 3339, or "": only envelopes should have it
	Enc       string // armored age file
}

// KMSEntry is one `kms` entry: AWS KMS.
type KMSEntry struct {
	ARN        string
	Role       string            // role to assume, or ""
	Context    map[string]string // encryption context, or nil
	CreatedAt  string            // RFC 3339
	Enc        string            // standard base64 of the CiphertextBlob
	AWSProfile string            // profile of the AWS configuration, or ""
}

// GCPKMSEntry is one `gcp_kms` entry.
type GCPKMSEntry struct {
	ResourceID string // projects/.../cryptoKeys/...
	CreatedAt  string // RFC 3339
	Enc        string // standard base64
}

// HuaweiKMSEntry is one `hckms` entry.
type HuaweiKMSEntry struct {
	KeyID     string // <region>:<key uuid>
	CreatedAt string // RFC 3339
	Enc       string
}

// AzureKVEntry is one `azure_kv` entry.
type AzureKVEntry struct {
	VaultURL  string
	Name      string
	Version   string
	CreatedAt string // RFC 3339
	Enc       string // raw URL base64
}

// VaultEntry is one `hc_vault` entry: the transit engine of HashiCorp Vault or OpenBao.
type VaultEntry struct {
	Address    string
	EnginePath string
	KeyName    string
	CreatedAt  string // RFC 3339
	Enc        string // vault:v1:...
}

// PGPEntry is one `pgp` entry.
type PGPEntry struct {
	Fingerprint string
	CreatedAt   string // RFC 3339
	Enc         string // armored OpenPGP message
}

func (AgeEntry) Type() Type       { return Age }
func (KMSEntry) Type() Type       { return AWSKMS }
func (GCPKMSEntry) Type() Type    { return GCPKMS }
func (HuaweiKMSEntry) Type() Type { return HuaweiKMS }
func (AzureKVEntry) Type() Type   { return AzureKV }
func (VaultEntry) Type() Type     { return Vault }
func (PGPEntry) Type() Type       { return PGP }

func (e AgeEntry) ID() string       { return e.Recipient }
func (e KMSEntry) ID() string       { return e.ARN }
func (e GCPKMSEntry) ID() string    { return e.ResourceID }
func (e HuaweiKMSEntry) ID() string { return e.KeyID }
func (e AzureKVEntry) ID() string   { return e.VaultURL + "/keys/" + e.Name + "/" + e.Version }
func (e VaultEntry) ID() string     { return e.Address + "/v1/" + e.EnginePath + "/keys/" + e.KeyName }
func (e PGPEntry) ID() string       { return e.Fingerprint }

func (e AgeEntry) Wrapped() string       { return e.Enc }
func (e KMSEntry) Wrapped() string       { return e.Enc }
func (e GCPKMSEntry) Wrapped() string    { return e.Enc }
func (e HuaweiKMSEntry) Wrapped() string { return e.Enc }
func (e AzureKVEntry) Wrapped() string   { return e.Enc }
func (e VaultEntry) Wrapped() string     { return e.Enc }
func (e PGPEntry) Wrapped() string       { return e.Enc }

var (
	_ Entry = AgeEntry{}
	_ Entry = KMSEntry{}
	_ Entry = GCPKMSEntry{}
	_ Entry = HuaweiKMSEntry{}
	_ Entry = AzureKVEntry{}
	_ Entry = VaultEntry{}
	_ Entry = PGPEntry{}
)
