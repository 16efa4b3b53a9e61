// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

const keysTopic = `The values of a document are encrypted with a data key of its own. That key is
wrapped for each recipient, and whoever has the key of one of them can open the
document. Recipients are named by the rules file .sops.yaml (signet help rules) or
by flags. Sealing needs no right to decrypt.

  --age               age key pairs: "signet key generate" makes one; SSH keys and
                      age plugins as well; also the public keys of SealingKeys
  --kms               AWS KMS
  --gcp-kms           Google Cloud KMS
  --azure-kv          Azure Key Vault
  --hc-vault-transit  Vault or OpenBao, transit
  --pgp               PGP, by gpg

A SealingKey is an age key pair whose private half is wrapped by a key service and
lies in .signet/keys of the repository. It opens any number of documents with one
call: "signet key create".

To open, keys are looked for in these places:

  age identities  --age-key-file, $SOPS_AGE_KEY, $SOPS_AGE_KEY_FILE,
                  $SOPS_AGE_KEY_CMD, ~/.config/sops/age/keys.txt, SSH keys in ~/.ssh
  SealingKeys     --sealing-key, and .signet/keys from the directory of the document
                  up to the root of its Git repository
  key services    with the credentials of the environment

Which keys of services a document may have called is said by an allow-list, never
by the document: --allow-keys, else $SIGNET_ALLOW_KEYS, else the file
signet/allow-keys in your configuration directory. Without a list, any key may be
used with your default credentials, Vault at $VAULT_ADDR only, and no other role
or profile. An item is "default" or KIND=PATTERN, where * stands for anything but
/ and :, and ** for anything:

  kms=arn:aws:kms:*:111122223333:key/*`

const rulesTopic = `The rules file .sops.yaml says for whom documents are sealed. It is looked up from
the directory of the document up to the root of its Git repository; --config names
another. The fields are those of SOPS. An unknown one is an error.

  creation_rules:
    - path_regex: ^prod/
      age:
        - age1pq1...  # Mina
        - age1pq1...  # the cluster
      kms: arn:aws:kms:eu-west-1:111122223333:alias/prod
      fresh_key: true
    - age: [age1pq1...]

The first rule counts whose path_regex is found in the path of the document,
relative to the rules file; one without path_regex matches everything. So those
for a directory stand above those for all.

  age, kms, gcp_kms, azure_keyvault, hc_vault_transit_uri, pgp
                      recipients, each of which can open the document alone
  key_groups, shamir_threshold
                      groups, of which several are needed together
  fresh_key           Signet's own: every change makes a new data key. For places
                      where others may have sealed documents first
  require_post_quantum
                      Signet's own: no recipient may be one that a quantum computer
                      could stand in for
  encrypted_regex and the like
                      for SOPS files only (--as sops)

After a change of the rules, documents still have their old recipients. Somebody
was added: "signet rewrap". Somebody was removed: "signet rotate --stale". "signet
check" finds what differs from the rules.`

const gitTopic = `Sealed documents are made for Git: what has not changed keeps its bytes, and a
changed value changes one value, the mac and the time. Three things are set up once,
best by "signet init".

In the repository, .gitattributes:

  *.yaml diff=signet merge=signet
  *.yml diff=signet merge=signet

In each clone, because Git takes no programs from a repository:

  git config diff.signet.textconv 'signet textconv'
  git config diff.signet.cachetextconv false
  git config merge.signet.name 'signet'
  git config merge.signet.driver 'signet merge-driver --marker-size %L --path=%P -- %O %A %B'
  git config merge.signet.recursive binary

And the hooks pre-commit and pre-merge-commit, which run:

  signet check --staged

git diff and git log -p then show which values have changed, by marks. git merge,
rebase and cherry-pick merge value by value, which takes a key that opens. What
both sides have changed is a conflict: the file holds both versions, sealed, and
"signet edit FILE" finishes it; then git add.

In a clone without this, or without signet in PATH, Git merges sealed files as text
or leaves the version of your side. Such a file does not open, or lacks what the
others have changed: install signet first, and let "signet check" and "signet
verify" look at the result.`

const exitCodesTopic = `  0  done
  1  failed. For check: something was found. For merge-driver: a conflict
  2  wrong usage: of a flag, an argument or a variable
  3  a document could not be opened or verified: no key, no access, or not what was
     sealed

With 3, unseal has printed nothing. Commands that go on after a failure, such as
rotate and verify, end with 3 if any document did not open, else with 1 if anything
failed.

signet exec ends with the code of the program that it runs, and by the signal that
ends that; with 127 if there is no such program and with 126 if it cannot be run.

diff ends with 0 also if there are differences, unless --exit-code is given.
textconv ends with 0 for every file that can be read. signet-kustomize uses the
same codes.`

// newTopics are texts about more than one command. They are no commands: cobra
// shows them as topics.
func newTopics(console) []*cobra.Command {
	topics := []*cobra.Command{
		{Use: "keys", Short: "Which keys there are, and where they are looked for", Long: keysTopic},
		{Use: "rules", Short: "The rules file .sops.yaml", Long: rulesTopic},
		{Use: "git", Short: "Diff, merge and hooks", Long: gitTopic},
		{Use: "exit-codes", Short: "With which code signet ends", Long: exitCodesTopic},
	}
	for _, t := range topics {
		t.SetHelpFunc(func(cmd *cobra.Command, _ []string) { fmt.Fprintln(cmd.OutOrStdout(), cmd.Long) })
	}
	return topics
}
