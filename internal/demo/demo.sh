#!/usr/bin/env bash
# Usage: internal/demo/demo.sh
#
# Shows on the terminal how Secrets get from a Git repository into a cluster with
# Signet, and checks each claim that it makes: it ends non-zero if one does not
# hold. The cluster is a control plane on this machine, for the time of the demo.
# `make demo` builds bin/signet and bin/signet-controller and runs it.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

account=signet-controller

# announce shows what a build says on stdin, and how long it all takes if it says
# anything.
announce() {
	local line
	IFS= read -r line || return 0
	echo "The first run builds a Kubernetes control plane: some 10 minutes on two cores."
	printf '%s\n' "$line"
	cat
}

# start_cluster runs the control plane, which has the API of Signet and nothing
# else of it.
start_cluster() {
	local pid
	tools kubectl etcd kube-apiserver kube-controller-manager 2> >(announce >&2)
	GOTMPDIR=$scratch go build -o "$scratch/bin/cluster" ./internal/demo/cluster
	echo "Starting a Kubernetes control plane on this machine ..."
	TMPDIR=$scratch "$scratch/bin/cluster" "$scratch/admin.kubeconfig" \
		controller/config/crd/signet.dev_*.yaml >"$scratch/cluster.log" 2>&1 &
	pid=$! background=" $! $background"
	until [ -s "$scratch/admin.kubeconfig" ]; do
		kill -0 "$pid" 2>/dev/null || die "the control plane ended"
		sleep 0.1
	done
}

install() {
	step "Install Signet in a cluster"
	ln -s "$root/controller/config" ../config
	run 'kubectl version'
	run 'kubectl apply --server-side -k ../config/default'
	say <<-END
		There are no nodes here to run its Deployment on. So the controller is a
		process beside the cluster, with the token of its service account and the
		rights that were just installed. A test server stands in for AWS KMS.
	END
	start_kms
	cp "$KUBECONFIG" ../controller.kubeconfig
	chmod 600 ../controller.kubeconfig
	kubectl config --kubeconfig ../controller.kubeconfig set-credentials testcluster \
		--token "$(kubectl create token "$account" -n signet-system)" >/dev/null
	run "kubectl --kubeconfig ../controller.kubeconfig auth whoami -o jsonpath='{.status.userInfo.username}'"
	start_controller
}

# start_controller starts it, and returns when it has read what there is.
start_controller() {
	local command='signet-controller --kubeconfig ../controller.kubeconfig \
       --leader-elect-namespace signet-system --metrics-bind-address "127.0.0.1:$metrics" \
       --health-probe-bind-address "127.0.0.1:$health" >>../controller.log 2>&1 &'
	metrics=$(demo port) health=$(demo port)
	prompt "$command"
	eval "$command"
	controller=$! background=" $! $background"
	eventually 'demo get "http://127.0.0.1:$health/readyz"'
}

make_keys() {
	step "Say who may open what"
	say <<-END
		A SealingKey is an age key pair whose private half is wrapped by KMS and lies
		in Git. Whoever has the public half can seal. The rules say which documents
		are for it, and which for KMS directly, with a call for each:
	END
	run 'git init -q'
	run 'signet key create shop --kms "$KMS_KEY_ARN" >../shop.pub'
	cat >.sops.yaml <<-END
		creation_rules:
		- path_regex: ^secrets/(registry|web-tls)\.yaml$
		  kms: $KMS_KEY_ARN
		- path_regex: ^secrets/
		  age: $(cat ../shop.pub)
	END
	run 'cat .sops.yaml'
	calls 'Encrypt 1'
}

seal() {
	step "Seal Secrets"
	demo make ../values secrets
	demo patterns ../values >../patterns.txt
	say <<-END
		Five ordinary Secrets, with values that are new in this run, are replaced by
		sealed ones. Copies of the values, outside of the repository, are for
		comparing.
	END
	run "grep '^type:' secrets/*"
	[ "$(grep -l -F -f ../patterns.txt secrets/* | wc -l)" -eq 5 ] || die "the search for values does not find what is there"
	run 'signet seal -i secrets'
	sealed_at=$(date +%s)
	calls 'Encrypt 3'
	run "signet inspect secrets/database.yaml secrets/web-tls.yaml"
}

commit() {
	step "Commit"
	cat >kustomization.yaml <<-END
		resources:
		- .signet/keys/shop.yaml
		- secrets/database.yaml
		- secrets/keystore.yaml
		- secrets/registry.yaml
		- secrets/settings.yaml
		- secrets/web-tls.yaml
	END
	run "git add . && git commit -q -m 'Add the Secrets of the shop'"
	run 'git show --stat --format=%s'
	say <<-END
		Is a value in any commit, or in any object that Git holds?
	END
	search_repository
}

apply() {
	step "Apply"
	say <<-END
		By hand here; Flux, Argo CD and Helm do the same.
	END
	run 'kubectl create namespace shop'
	run 'kubectl apply --server-side -k .'
	run 'kubectl wait -n shop ssec --all --for=condition=Ready --timeout=60s'
	run 'kubectl get ssec -n shop -o wide'
	run 'kubectl get secret -n shop'
	run 'kubectl get sealingkey'
	compare
	say <<-END
		Three documents were sealed for the SealingKey, which took one call, and two
		for KMS directly. Before the first, the controller asked once which account
		it belongs to, as it opens only with that account's keys.
	END
	calls 'Decrypt 3, Encrypt 3, GetCallerIdentity 1'
}

# compare takes all values out of the cluster and compares them.
compare() {
	local name
	rm -rf ../cluster-values
	prompt 'kubectl get secret -n shop NAME -o yaml   # for each, to compare the values byte for byte'
	for name in database keystore registry settings web-tls; do
		kubectl get secret -n shop "$name" -o yaml && echo ---
	done >../cluster.yaml
	demo extract ../cluster-values <../cluster.yaml
	same ../cluster-values
}

change_value() {
	local now
	step "Change a value"
	say <<-END
		The password is changed in a pipe, so it never is in a file in clear. Only
		that value changes in the diff, with time and checksum of the document:
	END
	until now=$(date +%s) && [ "$now" -gt "$sealed_at" ]; do sleep 0.1; done # lastmodified counts seconds
	run "signet unseal secrets/database.yaml |
       sed 's/^  password: .*/  password: spring-2027-Wisteria/' |
       signet seal - -o secrets/database.yaml"
	printf 'spring-2027-Wisteria' >../values/database/password
	demo patterns ../values >>../patterns.txt
	run 'git diff -U0'
	[ "$(git diff --numstat)" = $'3\t3\tsecrets/database.yaml' ] || die "the diff is not three lines"
	run "git commit -q -a -m 'Change the database password'"
	search_repository
	calls 'Decrypt 5, Encrypt 3, GetCallerIdentity 1'
	say <<-END
		Those two calls were for opening the old document, once in each signet. Now
		it is applied, and follows in the cluster. The SealingKey is open there
		already, so that the controller needs no call:
	END
	run 'kubectl apply --server-side -k .'
	run 'kubectl wait -n shop ssec database --for=condition=Ready --timeout=60s'
	run "kubectl get secret -n shop database -o jsonpath='{.data.password}' | base64 -d && echo"
	compare
	calls 'Decrypt 5, Encrypt 3, GetCallerIdentity 1'
}

copy() {
	step "What others may try"
	say <<-END
		Someone copies a document to another namespace, to read it there. The API
		server refuses that by a policy; it takes no key, and not even the controller:
	END
	run 'kubectl create namespace theirs'
	refused 'was not sealed for theirs/database' \
		"sed 's/namespace: shop/namespace: theirs/' secrets/database.yaml | kubectl apply --server-side -f -" 1
	say <<-END
		They change what the document says about itself, which gets past the policy.
		But it is authenticated, and the controller refuses what was changed:
	END
	run "sed 's/namespace: shop/namespace: theirs/; s,scope: shop/,scope: theirs/,' secrets/database.yaml |
       kubectl apply --server-side -f -"
	run 'kubectl wait -n theirs ssec database --for=condition=Stalled --timeout=60s'
	run 'kubectl get ssec -n theirs'
	[ "$(kubectl get ssec -n theirs -o jsonpath='{.items[*].status.conditions[?(@.type=="Ready")].reason}')" = TamperedDocument ] ||
		die "the controller did not notice"
	[ -z "$(kubectl get secret -n theirs -o name)" ] || die "there is a Secret in the other namespace"
	ok "no Secret in that namespace"
}

drift() {
	step "Change and delete by hand"
	say <<-END
		Git is right, and what was done by hand is undone:
	END
	run "kubectl patch secret -n shop settings -p '{\"stringData\":{\"greeting\":\"hello\"}}'"
	run 'kubectl delete secret -n shop web-tls'
	run 'kubectl wait -n shop secret web-tls --for=create --timeout=60s'
	eventually '[ "$(kubectl get events -n shop --field-selector reason=Healed -o name | wc -l)" -ge 2 ]'
	run 'kubectl get events -n shop --field-selector reason=Healed -o custom-columns=REASON:.reason,OBJECT:.involvedObject.name,MESSAGE:.message'
	compare
}

restart() {
	local versions='kubectl get ssec,secret -n shop -o custom-columns=KIND:.kind,NAME:.metadata.name,VERSION:.metadata.resourceVersion'
	local before
	step "Restart the controller"
	say <<-END
		What has not changed is neither opened nor written again. Before:
	END
	run "$versions | tee ../before"
	before=$(demo calls "$KMSTEST_URL")
	calls "$before"
	prompt 'kill "$controller" && wait "$controller"'
	stop "$controller" || die "the controller ended with exit code $?"
	start_controller
	eventually "demo get http://127.0.0.1:$metrics/metrics | grep -qx 'signet_controller_objects{ready=\"True\",reason=\"Unsealed\"} 5'"
	say <<-END
		It is back and has looked at each of them. After:
	END
	run "$versions | diff ../before - && echo all versions are the same"
	calls "$before"
	ok "no call and no write"
}

delete() {
	step "Delete"
	say <<-END
		The Secret belongs to the SealedSecret, and Kubernetes removes it with that:
	END
	run 'kubectl delete ssec -n shop database'
	run 'kubectl wait -n shop secret database --for=delete --timeout=60s'
	run 'kubectl get secret -n shop'
	[ "$(kubectl get secret -n shop -o name | wc -l)" -eq 4 ] || die "not the four others are left"
}

# leftovers searches for values where none may be.
leftovers() {
	step "What is left in clear"
	say <<-END
		The search finds values in the Secrets, where they are meant to be. Are they
		anywhere else?
	END
	run 'kubectl get secret -n shop -o yaml | grep -c -F -f ../patterns.txt'
	[ -s ../controller.log ] || die "the controller has logged nothing"
	nothing_found 'grep -F -f ../patterns.txt ../controller.log'
	nothing_found 'kubectl get ssec,sealingkeys,events -A -o yaml --show-managed-fields | grep -F -f ../patterns.txt'
	nothing_found 'demo get "http://127.0.0.1:$metrics/metrics" | grep -F -f ../patterns.txt'
	ok "neither in the log, nor in statuses, events and metrics"
}

prepare signet signet-controller
start_cluster
SECONDS=0
isolate
export KUBECONFIG=$scratch/admin.kubeconfig
printf '%sSignet seals Kubernetes Secrets so that they can live in Git.%s\n' "$bold" "$plain"
echo "This shows how they get into a cluster, one made for the purpose and removed at the end."
install
make_keys
seal
commit
apply
change_value
copy
drift
restart
delete
leftovers
printf '\n%sEverything was as it should be: %d steps in %d s.%s\n' "$green" "$steps" "$SECONDS" "$plain"
