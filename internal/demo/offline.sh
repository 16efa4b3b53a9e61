#!/usr/bin/env bash
# Usage: internal/demo/offline.sh
#
# Shows on the terminal what Signet does without a cluster, in a scratch Git
# repository, and checks each claim that it makes: it ends non-zero if one does
# not hold. `make demo-offline` builds bin/signet and runs it.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_key() {
	step "Make a key"
	say <<-END
		Whoever has the private key can open what is sealed for its public half.
		The public half goes into the repository, in the rules file that SOPS uses.
		The private one stays at home. It is post-quantum unless you say otherwise.
	END
	run 'git init -q'
	run 'signet key generate -o ~/.config/sops/age/keys.txt'
	printf 'creation_rules:\n- path_regex: ^secrets/\n  age: %s\n' \
		"$(sed -n 's/^# public key: //p' ~/.config/sops/age/keys.txt)" >.sops.yaml
	run 'cat .sops.yaml'
}

write_secrets() {
	step "Write Secrets, as usual"
	demo make ../values secrets
	demo patterns ../values >../patterns.txt
	say <<-END
		Five ordinary Secrets: a password, a TLS certificate, a registry login, a
		binary keystore, and settings with several lines, Korean text and an empty
		value. The values are new in this run. Copies of them, outside of the
		repository, are for comparing at the end.
	END
	run "grep '^type:' secrets/*"
	run 'cat secrets/settings.yaml'
	say <<-END
		patterns.txt, also outside, has each value in clear, in base64 and in hex. A
		search for them finds every file, of course:
	END
	run 'grep -c -F -f ../patterns.txt secrets/*'
	[ "$(grep -l -F -f ../patterns.txt secrets/* | wc -l)" -eq 5 ] || die "the search does not find what is there"
}

seal_secrets() {
	step "Seal them"
	say <<-END
		Each file is replaced by a sealed one. Sealing needs no private key. Names
		stay readable, so that people can review a change; values do not:
	END
	XDG_CONFIG_HOME=/nowhere signet seal --filename-override secrets/x.yaml - <secrets/database.yaml >/dev/null ||
		die "sealing needs the private key"
	run 'signet seal -i secrets'
	run 'cat secrets/database.yaml'
	sealed_at=$(date +%s)
	[ "$(grep -l '^kind: SealedSecret$' secrets/* | wc -l)" -eq 5 ] || die "not all of them are sealed"
	say <<-END
		Without any key, it can be seen who may open it, and where:
	END
	run 'signet inspect secrets/database.yaml'
}

commit() {
	step "Commit, and see what Git sees"
	cat >kustomization.yaml <<-END
		resources:
		- deployment.yaml
		- secrets/database.yaml
		- secrets/keystore.yaml
		- secrets/registry.yaml
		- secrets/settings.yaml
		- secrets/web-tls.yaml
	END
	cat >deployment.yaml <<-END
		apiVersion: apps/v1
		kind: Deployment
		metadata: {name: web, namespace: shop}
		spec:
		  selector: {matchLabels: {app: web}}
		  template:
		    metadata: {labels: {app: web}}
		    spec:
		      containers:
		      - {name: web, image: registry.example/web, envFrom: [{secretRef: {name: database}}]}
	END
	say <<-END
		The sealed files lie beside the other manifests of the app.
	END
	run "git add . && git commit -q -m 'Add the shop with its Secrets'"
	run 'git show --stat --format=%s'
	say <<-END
		Is a value in there? The search that found every file before now goes through
		all commits, and then through every object that Git holds:
	END
	search_repository
}

change_value() {
	local now
	step "Change a value"
	say <<-END
		The password is changed in a pipe, so it never is in a file in clear. What
		did not change keeps its bytes, so that the diff shows which value did:
	END
	until now=$(date +%s) && [ "$now" -gt "$sealed_at" ]; do sleep 0.1; done # lastmodified counts seconds
	run "signet unseal secrets/database.yaml |
       sed 's/^  password: .*/  password: spring-2027-Wisteria/' |
       signet seal - -o secrets/database.yaml"
	printf 'spring-2027-Wisteria' >../values/database/password
	demo patterns ../values >>../patterns.txt
	run 'git diff -U0'
	[ "$(git diff --numstat)" = $'3\t3\tsecrets/database.yaml' ] || die "the diff is not three lines"
	ok "three lines: the value, the time, and the checksum over the whole document"
	printf '\n'
	run "git commit -q -a -m 'Change the database password'"
	search_repository
}

build() {
	step "Build and open"
	say <<-END
		kustomize treats sealed documents as any other object:
	END
	run "kustomize build . | grep '^kind:' | sort | uniq -c"
	say <<-END
		signet runs the build and puts the Secrets where the sealed documents were.
		Here the output goes to a file for comparing; it could go to kubectl apply.
	END
	run 'signet unseal -o ../opened.yaml -- kustomize build .'
	run "grep '^kind:' ../opened.yaml | sort | uniq -c"
	[ "$(grep -c '^kind: Secret$' ../opened.yaml)" -eq 5 ] || die "not five Secrets"
	say <<-END
		If the build fails, nothing comes out, where a pipe would end well:
	END
	refused 'run kustomize: exit status 1' 'signet unseal -- kustomize build nowhere' 1
}

compare() {
	local file files=0
	step "Compare with the originals"
	demo extract ../opened <../opened.yaml
	say <<-END
		A program that knows nothing of Signet has decoded the values of the built
		Secrets into files. Are they what was sealed, byte for byte?
	END
	prompt 'cmp ../values/SECRET/KEY ../opened/SECRET/KEY   # for each'
	for file in $(cd ../values && find . -type f ! -name .type | sort); do
		file=${file#./}
		cmp "../values/$file" "../opened/$file" || die "$file is not what was sealed"
		printf '   same  %5d bytes  %s\n' "$(wc -c <"../opened/$file")" "$file"
		files=$((files + 1))
	done
	[ "$files" -eq 10 ] || die "$files values, want 10"
	run 'diff -r ../values ../opened'
	ok "all $files values are the same, the types too, and nothing was added"
}

misuse() {
	step "What others may try"
	say <<-END
		Someone who may write to another namespace copies a document there, to read
		it. It opens only where it was sealed for:
	END
	refused 'was sealed for shop/database' "sed 's/namespace: shop/namespace: theirs/' secrets/database.yaml | signet unseal -"
	say <<-END
		They also change what the document says about itself:
	END
	refused 'was changed after sealing' "sed 's/namespace: shop/namespace: theirs/; s,scope: shop/,scope: theirs/,' \\
       secrets/database.yaml | signet unseal -"
	say <<-END
		Someone makes it a Secret of another type, or changes an encrypted value. One
		bad document among five is enough for nothing to come out:
	END
	refused 'was changed after sealing' \
		"sed 's,type: kubernetes.io/basic-auth,type: Opaque,' secrets/database.yaml | signet unseal -"
	echo
	refused 'spec.sealed.signet.stringData.password' "kustomize build . | sed '/password: ENC/s/,iv:..../,iv:AAAA/' | signet unseal -"
	say <<-END
		Someone has the repository, but not the key:
	END
	refused 'no key could unwrap' 'XDG_CONFIG_HOME=/nowhere signet unseal secrets/database.yaml'
}

without_signet() {
	step "You are not locked in"
	say <<-END
		Inside a sealed document, under spec.sealed, is a SOPS document. The stock
		sops program reads it with the same key, and Signet is not involved:
	END
	run "sed '1,/^  sealed:/d; s/^    //' secrets/database.yaml |
       sops decrypt --input-type yaml --output-type yaml /dev/stdin"
	sed '1,/^  sealed:/d; s/^    //' secrets/database.yaml |
		sops decrypt --input-type yaml --extract '["signet"]["stringData"]["password"]' /dev/stdin >../password
	cmp ../values/database/password ../password || die "sops reads another password"
	ok "sops reads the same password"
}

# calls_since WANT prints what KMS was asked for since the last time.
calls_since() {
	calls "$1"
	demo forget "$KMSTEST_URL"
}

with_kms() {
	step "With a cloud key: AWS KMS"
	start_kms
	say <<-END
		A test server stands in for AWS. Now the data keys are wrapped by a key that
		never leaves KMS; sealing takes the right to encrypt only. Each document is
		a call, and KMS is told, and writes down, which one it is for:
	END
	run 'signet seal --kms "$KMS_KEY_ARN" ../opened.yaml -o kms.yaml'
	calls_since 'Encrypt 5'
	run "grep -A4 'context:' kms.yaml | head -n 5"
	run 'signet unseal kms.yaml -o ../kms-opened.yaml'
	calls_since 'Decrypt 5'
	demo extract ../kms-opened <../kms-opened.yaml
	same ../kms-opened
	say <<-END
		Whoever copies a document to another namespace does not even reach KMS:
	END
	refused 'was sealed for shop/' "sed 's/namespace: shop/namespace: theirs/' kms.yaml | signet unseal -"
	calls_since none
}

with_sealing_key() {
	step "One call for all: a SealingKey"
	say <<-END
		A SealingKey is an age key pair whose private half is wrapped by KMS and lies
		in Git beside the documents. Sealing for it needs no call, opening one in all:
	END
	run 'signet key create shop --kms "$KMS_KEY_ARN" >../shop.pub'
	calls_since 'Encrypt 1'
	run 'signet seal --age "$(cat ../shop.pub)" ../opened.yaml -o shop.yaml'
	calls_since none
	run 'signet unseal shop.yaml -o ../shop-opened.yaml'
	calls_since 'Decrypt 1'
	demo extract ../shop-opened <../shop-opened.yaml
	same ../shop-opened
	run 'signet key list'
}

prepare signet
tools sops kustomize
SECONDS=0
isolate
printf '%sSignet seals Kubernetes Secrets so that they can live in Git.%s\n' "$bold" "$plain"
echo "This shows how, in a repository made for the purpose and removed at the end."
make_key
write_secrets
seal_secrets
commit
change_value
build
compare
misuse
without_signet
with_kms
with_sealing_key
printf '\n%sEverything was as it should be: %d steps in %d s.%s\n' "$green" "$steps" "$SECONDS" "$plain"
