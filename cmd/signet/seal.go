// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signet-secrets/signet/internal/report"
	"github.com/signet-secrets/signet/seal"
	"github.com/signet-secrets/signet/seal/keys"
	"github.com/signet-secrets/signet/seal/manifest"
	"github.com/signet-secrets/signet/seal/sopsdoc"
)

const sealLong = `Seal the Secrets in manifests. Each Secret becomes a SealedSecret whose values
are encrypted; everything else in the stream stays as it is, byte for byte.

Arguments are files, directories or - for stdin. The result goes to stdout, to
a file with -o, or back to the same files with -i. With --from-literal,
--from-file or --from-env-file the Secret is built on the spot and never is in a
file in clear. With -o a file is replaced as a whole.

Who can open the result is said by --age, --kms and the other flags for keys, or
else by the rules file .sops.yaml, which is looked up from the directory of the
file that is written, up to the root of its Git repository. Sealing needs no
right to decrypt. If -o names a document that you can open, values that have not
changed keep their bytes, and scope, form and use for merging stay as they were,
unless --scope, --as or --merge is given. The SealedSecret keeps its name and
what else stands around the seal, whoever seals. One Secret under a new name or
namespace takes the place of the one document that was there for another.

A SealedSecret opens only in its own namespace and under its own name, unless
--scope says otherwise. With --as sops the result is a SOPS-encrypted Secret for
Flux, KSOPS and the sops CLI, which has no scope.

With --kustomize the file can be listed under generators: of a kustomization; to
build it, kustomize needs signet-kustomize, --enable-alpha-plugins --enable-exec.

With --merge the values are added to a Secret that somebody else makes, in the
cluster, by the controller. What else is in that Secret, its labels and its
annotations are not under your seal: seal so only what its owner may have.`

const sealExample = `  signet seal -i secret.yaml
  signet seal secret.yaml -o sealed.yaml
  signet seal secret.yaml --kms arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
  signet seal --name db -n prod --from-file=password=- -o db.yaml < password`

// sealCommand holds the flags of `signet seal`.
type sealCommand struct {
	console
	outputFlags
	keyFlags
	literalFlags
	recipientFlags
	namespace    string
	scope        string
	as           string
	merge        bool
	mergeGiven   bool
	scopeGiven   bool
	objectName   string
	freshKey     bool
	kustomize    bool
	keepMetadata []string
	allowClear   []string
}

func newSeal(c console) *cobra.Command {
	s := &sealCommand{console: c}
	cmd := &cobra.Command{
		Use:     "seal [flags] FILE|DIR|-...",
		Short:   "Seal Secrets",
		Long:    sealLong,
		Example: sealExample,
		RunE:    s.run,
	}
	s.outputFlags.add(cmd)
	s.recipientFlags.add(cmd)
	s.literalFlags.add(cmd)
	s.keyFlags.add(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&s.namespace, "namespace", "n", "", "`NAMESPACE` of Secrets that name none; one that names another is an error")
	flags.StringVar(&s.scope, "scope", "strict", "`SCOPE` in which the result opens: strict (namespace and name), namespace, or cluster (anywhere). "+
		"A document that -o replaces and that you can open keeps its own, unless this is given")
	flags.StringVar(&s.as, "as", "sealedsecret", "`FORM` of the result: sealedsecret or sops. A file that -o replaces keeps its own, unless this is given")
	flags.StringVar(&s.objectName, "object-name", "", "`NAME` of the SealedSecret, where it is not that of the Secret. A document that -o replaces keeps its own, unless this is given")
	flags.BoolVar(&s.merge, "merge", false, "seal for adding to a Secret that somebody else makes and that consents by the annotation signet.dev/merge. "+
		"A document that is sealed so and that you can open stays so, unless --merge=false is given")
	flags.BoolVar(&s.freshKey, "fresh-key", false, "encrypt everything anew, also what has not changed")
	flags.BoolVar(&s.kustomize, "kustomize", false, "make each SealedSecret its own generator in kustomize builds")
	flags.StringArrayVar(&s.keepMetadata, "keep-metadata", nil, "seal this label or annotation `KEY` although it would be left out")
	flags.StringArrayVar(&s.allowClear, "allow-clear", nil, "the value of this `KEY` may also stand in a label, annotation or comment")
	fixedCompletion(cmd, "scope", "strict", "namespace", "cluster")
	fixedCompletion(cmd, "as", "sealedsecret", "sops")
	return cmd
}

func fixedCompletion(cmd *cobra.Command, flag string, words ...string) {
	complete := cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
	if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err) // the flag does not exist: seen by every test
	}
}

var reaches = map[string]seal.Reach{"strict": seal.Strict, "namespace": seal.Namespace, "cluster": seal.Cluster}

func (s *sealCommand) check(cmd *cobra.Command, args []string) error {
	if err := s.literalFlags.check(cmd, args); err != nil {
		return err
	}
	if _, ok := reaches[s.scope]; !ok {
		return usagef(cmd, "--scope is strict, namespace or cluster, not %q", s.scope)
	}
	s.mergeGiven, s.scopeGiven = cmd.Flags().Changed("merge"), cmd.Flags().Changed("scope")
	switch {
	case s.as != "sealedsecret" && s.as != "sops":
		return usagef(cmd, "--as is sealedsecret or sops, not %q", s.as)
	case s.as == "sops" && cmd.Flags().Changed("scope"):
		return usagef(cmd, "--scope has no meaning with --as sops: a SOPS document opens wherever it is")
	case s.as == "sops" && s.kustomize:
		return usage(cmd, errKustomizeSOPS)
	case s.as == "sops" && s.objectName != "":
		return usagef(cmd, "--object-name has no meaning with --as sops: there the Secret is the object")
	case cmd.Flags().Changed("object-name") && !sopsdoc.ValidSecretName(s.objectName):
		return usagef(cmd, "--object-name %q is not a valid name", s.objectName)
	case s.as == "sops" && s.merge:
		return usagef(cmd, "--merge has no meaning with --as sops: only the controller adds to Secrets, and it reads SealedSecrets")
	case len(args) == 0 && !s.used():
		return usagef(cmd, "name a file, a directory, - for stdin, or build a Secret with --from-...")
	case s.used() && s.inPlace:
		return usagef(cmd, "-i needs a file to write back to, use -o with --from-...")
	}
	if _, err := s.recipientFlags.rule(); err != nil {
		return usage(cmd, err)
	}
	return nil
}

func (s *sealCommand) run(cmd *cobra.Command, args []string) error {
	if err := s.check(cmd, args); err != nil {
		return err
	}
	inputs, err := s.inputs(cmd, args)
	if err != nil {
		return err
	}
	previous, err := s.previous(cmd.Context())
	if err != nil {
		return err
	}
	if err := s.keepForm(cmd.Context(), cmd, previous); err != nil {
		return err
	}
	wrapper, err := s.wrapper(s.err)
	if err != nil {
		return err
	}
	limits, err := s.keyLimits(inputs)
	if err != nil {
		return err
	}
	job := sealing{sealCommand: s, rules: &ruleFinder{flags: s.recipientFlags}, previous: previous, wrapper: wrapper, limits: limits}
	outputs, errs := job.all(cmd.Context(), inputs)
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if s.as == "sops" && !s.inPlace && len(outputs) > 1 {
		return errSeveralSOPS
	}
	return s.outputFlags.write(s.out, inputs, outputs, modeSealed)
}

// inputs reads all input, or builds the Secret.
func (s *sealCommand) inputs(cmd *cobra.Command, args []string) ([]input, error) {
	if s.used() {
		secret, err := s.build(s.namespace, s.in, s.allowEmpty)
		if err != nil {
			return nil, err
		}
		return built(secret)
	}
	inputs, err := collect(args)
	if err != nil {
		return nil, err
	}
	if err := s.outputFlags.check(cmd, inputs); err != nil {
		return nil, err
	}
	for i := range inputs {
		if err := inputs[i].read(s.in); err != nil {
			return nil, err
		}
	}
	return inputs, notEmpty(inputs, s.allowEmpty)
}

func built(secret *manifest.Secret) ([]input, error) {
	text, err := manifest.EncodeYAML(secret.Node())
	if err != nil {
		return nil, err
	}
	stream, err := manifest.Split(text)
	return []input{{name: commandLine, stream: stream}}, err
}

// commandLine is the name of input that --from-... makes.
const commandLine = "command line"

// stdinRulesError says that there are no rules where there is no file either.
type stdinRulesError struct {
	what string
	err  *keys.NoRulesError
}

func (e *stdinRulesError) Error() string {
	return strings.Replace(e.err.Error(), strconv.Quote(e.err.Document), e.what+" in "+filepath.Dir(e.err.Document), 1)
}

func (e *stdinRulesError) Unwrap() error { return e.err }

// withoutFile names what is sealed where document had to make a path up.
func (s *sealCommand) withoutFile(in input, err error) error {
	none, ok := report.As[*keys.NoRulesError](err)
	switch {
	case !ok || s.filename != "" || s.output != "":
	case s.used():
		return &stdinRulesError{"the " + commandLine, none}
	case in.name == "-":
		return &stdinRulesError{"standard input", none}
	}
	return err
}

// document returns the path under which the result will be known, which is
// the one that rules are about.
func (s *sealCommand) document(in input) string {
	switch {
	case s.filename != "":
		return s.filename
	case s.output != "":
		return s.output
	case in.name == "-" || s.used():
		wd, err := os.Getwd()
		if err != nil {
			return "-"
		}
		return wd + string(os.PathSeparator) + "-"
	}
	return in.name
}
