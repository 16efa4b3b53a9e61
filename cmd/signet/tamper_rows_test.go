// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signet-secrets/signet/seal/manifest"
)

const (
	clearBinding = "spec.sealed.signet.binding: does not match the envelope"
	sopsBinding  = "spec.sealed.signet.binding: does not match the sops block"
	notAuthentic = ": does not authenticate"
)

// clearTampers edit what stands in clear in the envelope.
func clearTampers() []tamper {
	const e = "spec/sealed/"
	return []tamper{
		{"label changed", putText(e+"labels/app", "dc"), clearBinding},
		{"label added", putText(e+"labels/extra", "x"), clearBinding},
		{"empty label added", putText(e+"labels/extra", ""), clearBinding},
		{"label removed", remove(e + "labels/tier"), clearBinding},
		{"labels removed", remove(e + "labels"), clearBinding},
		{"labels emptied", putYAML(e+"labels", "{}"), clearBinding},
		{"labels null", putYAML(e+"labels", "null"), "spec.sealed.labels: must be a mapping"},
		{"labels a list", putYAML(e+"labels", "[app, db]"), "spec.sealed.labels: must be a mapping"},
		{"label null", putYAML(e+"labels/app", "null"), "spec.sealed.labels.app: must be a string"},
		{"label a number", putYAML(e+"labels/app", "5"), "spec.sealed.labels.app: must be a string"},
		{"label key renamed", rename(e+"labels/tier", "layer"), clearBinding},
		{"label values swapped", swap(e+"labels/app", e+"labels/tier"), clearBinding},
		{"label keys swapped", all(rename(e+"labels/app", "x"), rename(e+"labels/tier", "app"), rename(e+"labels/x", "tier")), clearBinding},
		{"character moved between labels", all(putText(e+"labels/app", "d"), putText(e+"labels/tier", "bback")), clearBinding},
		{"character moved from a label to its key", all(rename(e+"labels/app", "appd"), putText(e+"labels/appd", "b")), clearBinding},
		{"label folded into its neighbour", all(putText(e+"labels/app", "dbback"), remove(e+"labels/tier")), clearBinding},
		{"character moved from annotations to labels", all(putText(e+"annotations/team", "sout"), putText(e+"labels/app", "hdb")), clearBinding},
		{"label moved to annotations", move(e+"labels/tier", e+"annotations/tier"), clearBinding},
		{"labels and annotations swapped", swap(e+"labels", e+"annotations"), clearBinding},
		{"annotation changed", putText(e+"annotations/note", "nort"), clearBinding},
		{"annotation added", putText(e+"annotations/extra", "x"), clearBinding},
		{"annotation removed", remove(e + "annotations/note"), clearBinding},
		{"annotations null", putYAML(e+"annotations", "null"), "spec.sealed.annotations: must be a mapping"},
		{"label signet added", putText(e+"labels/signet", "x"), "labels.signet: the key \"signet\" is reserved"},
		{"tracking label added", func(root *yaml.Node) {
			manifest.Set(step(root, "spec/sealed/labels"), "kustomize.toolkit.fluxcd.io/name", manifest.String("x"))
		}, `labels["kustomize.toolkit.fluxcd.io/name"]: is a mark of another tool`},
		{"tracking annotation added", func(root *yaml.Node) {
			manifest.Set(step(root, "spec/sealed/annotations"), "argocd.argoproj.io/tracking-id", manifest.String("x"))
		}, `annotations["argocd.argoproj.io/tracking-id"]: is a mark of another tool`},
	}
}

// settingTampers edit the other clear fields of the envelope, and the whole.
func settingTampers() []tamper {
	const e = "spec/sealed/"
	return []tamper{
		{"merge added", putYAML(e+"merge", "true"), clearBinding},
		{"merge added, with the policy", all(putYAML(e+"merge", "true"), putText("spec/creationPolicy", "Merge")), clearBinding},
		{"merge false", putYAML(e+"merge", "false"), "spec.sealed.merge: must be true"},
		{"merge a string", putText(e+"merge", "true"), "spec.sealed.merge: must be true"},
		{"immutable set", putYAML(e+"immutable", "true"), clearBinding},
		{"immutable removed", remove(e + "immutable"), "spec.sealed.immutable: is missing"},
		{"immutable null", putYAML(e+"immutable", "null"), "spec.sealed.immutable: must be true or false"},
		{"immutable a string", putText(e+"immutable", "false"), "spec.sealed.immutable: must be true or false"},
		{"immutable a number", putYAML(e+"immutable", "0"), "spec.sealed.immutable: must be true or false"},
		{"type changed", putText(e+"type", "opaque"), clearBinding},
		{"type with a blank", putText(e+"type", "Opaque "), clearBinding},
		{"type of a service account token", putText(e+"type", "kubernetes.io/service-account-token"), "spec.sealed.type: a Secret of type"},
		{"type empty", putText(e+"type", ""), "spec.sealed.type: is empty"},
		{"type null", putYAML(e+"type", "null"), "spec.sealed.type: must be a string"},
		{"type removed", remove(e + "type"), "spec.sealed.type: is missing"},
		{"scope of another namespace", putText(e+"scope", "test/db"), "spec.sealed.scope: the document was sealed for test/db, not for prod/db"},
		{"scope and namespace changed alike", all(putText(e+"scope", "test/db"), putText("metadata/namespace", "test")), clearBinding},
		{"scope and name changed alike", all(putText(e+"scope", "prod/cache"), putText("spec/secretName", "cache")), clearBinding},
		{"scope widened to the namespace", putText(e+"scope", "prod/*"), clearBinding},
		{"scope widened to any namespace", putText(e+"scope", "*/db"), clearBinding},
		{"scope widened to everything", putText(e+"scope", "*/*"), clearBinding},
		{"scope without a name", putText(e+"scope", "prod"), "spec.sealed.scope: scope must be <namespace>/<secret name>"},
		{"scope with three parts", putText(e+"scope", "prod/db/x"), "spec.sealed.scope: scope must be <namespace>/<secret name>"},
		{"scope with a line break", putText(e+"scope", "prod/db\n"), "spec.sealed.scope: scope has no valid Secret name"},
		{"scope a list", putYAML(e+"scope", "[prod/db]"), "spec.sealed.scope: must be a string"},
		{"scope removed", remove(e + "scope"), "spec.sealed.scope: is missing"},
		{"unknown field in the envelope", putText(e+"kind", "Secret"), "spec.sealed.kind: unknown field"},
		{"envelope null", putYAML("spec/sealed", "null"), "spec.sealed: the envelope must be a mapping"},
		{"envelope a list", func(root *yaml.Node) {
			manifest.Set(step(root, "spec"), "sealed", &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{step(root, "spec/sealed")}})
		}, "spec.sealed: the envelope must be a mapping"},
		{"envelope removed", remove("spec/sealed"), "spec.sealed: is missing"},
		{"envelope too large", putText(e+"labels/app", strings.Repeat("x", 3<<20)), "spec.sealed: the envelope has"},
		{"envelope nested too deep", putYAML(e+"labels/app", strings.Repeat("[", 120)+strings.Repeat("]", 120)), "nested deeper"},
	}
}

// valueTampers change, move and remove what is under seal.
func valueTampers() []tamper {
	const s, d = "spec/sealed/signet/stringData/", "spec/sealed/signet/data/"
	const password, username = s + "password", s + "username"
	const atPassword, atUsername = "spec.sealed.signet.stringData.password", "spec.sealed.signet.stringData.username"
	return []tamper{
		{"value: a bit of the ciphertext", flipBit(password, "data"), atPassword + notAuthentic},
		{"value: a bit of the nonce", flipBit(password, "iv"), atPassword + notAuthentic},
		{"value: a bit of the tag", flipBit(password, "tag"), atPassword + notAuthentic},
		{"binary value: a bit of the ciphertext", flipBit(d+"keystore.p12", "data"), `spec.sealed.signet.data["keystore.p12"]` + notAuthentic},
		{"two values swapped", swap(password, username), atPassword + notAuthentic},
		{"two keys swapped", all(rename(password, "x"), rename(username, "password"), rename(s+"x", "username")), atPassword + notAuthentic},
		{"two binary values swapped", swap(d+"keystore.p12", d+"trust.p12"), "spec.sealed.signet.data"},
		{"key renamed", rename(password, "passwort"), clearBinding},
		{"key in another case", rename(password, "Password"), clearBinding},
		{"value copied to a new key", func(root *yaml.Node) { put(s+"copy", step(root, password))(root) }, clearBinding},
		{"value copied over another", func(root *yaml.Node) { put(username, step(root, password))(root) }, atUsername + notAuthentic},
		{"value copied to an empty one", func(root *yaml.Node) { put(s+"empty", step(root, password))(root) }, "spec.sealed.signet.stringData.empty" + notAuthentic},
		{"value removed", remove(password), clearBinding},
		{"value emptied", putText(password, ""), "spec.sealed.sops.mac: does not match the values"},
		{"all values emptied", all(putText(password, ""), putText(username, ""), putText(d+"keystore.p12", ""), putText(d+"trust.p12", "")), "spec.sealed.sops.mac: does not match the values"},
		{"value null", putYAML(password, "null"), atPassword + ": must be a string"},
		{"value in clear", putText(password, "chosen"), atPassword + ": is not an encrypted value"},
		{"value a number", putYAML(password, "5"), atPassword + ": must be a string"},
		{"value a list", putYAML(password, "[a]"), atPassword + ": must be a string"},
		{"value a mapping", putYAML(password, "{a: b}"), atPassword + ": must be a string"},
		{"empty entry added", putText(s+"extra", ""), clearBinding},
		{"empty binary entry added", putText(d+"extra", ""), clearBinding},
		{"null entry added", putYAML(s+"extra", "null"), "spec.sealed.signet.stringData.extra: must be a string"},
		{"empty entry removed", remove(s + "empty"), clearBinding},
		{"empty entry moved to data", move(s+"empty", d+"empty"), clearBinding},
		{"value moved to data", move(password, d+"password"), clearBinding},
		{"binary value moved to stringData", move(d+"trust.p12", s+"trust.p12"), clearBinding},
		{"data and stringData swapped", swap("spec/sealed/signet/data", "spec/sealed/signet/stringData"), clearBinding},
		{"data renamed to stringData", all(remove("spec/sealed/signet/stringData"), rename("spec/sealed/signet/data", "stringData")), clearBinding},
		{"the same key in both maps", putText(d+"password", ""), "stringData.password: stands in data too"},
		{"data removed", remove("spec/sealed/signet/data"), clearBinding},
		{"data null", putYAML("spec/sealed/signet/data", "null"), "spec.sealed.signet.data: must be a mapping"},
		{"stringData a list", putYAML("spec/sealed/signet/stringData", "[]"), "spec.sealed.signet.stringData: must be a mapping"},
		{"everything under seal removed", remove("spec/sealed/signet"), "spec.sealed.signet: is missing"},
		{"everything under seal emptied", putYAML("spec/sealed/signet", "{}"), "spec.sealed.signet.binding: is missing"},
		{"unknown field under seal", putText("spec/sealed/signet/more", ""), "spec.sealed.signet.more: unknown field"},
		{"key with a colon", putText(s+"a:b", ""), `spec.sealed.signet.stringData["a:b"]: is not a valid key`},
		{"key of two dots", putText(s+"..", ""), `spec.sealed.signet.stringData[".."]: is not a valid key`},
		{"empty key", putText(s, ""), `spec.sealed.signet.stringData[""]: is not a valid key`},
	}
}

// cipherTampers edit what is written in a value, or take it from another document.
func cipherTampers(v *victim) []tamper {
	const password, atPassword = "spec/sealed/signet/stringData/password", "spec.sealed.signet.stringData.password"
	twin := func(path string) change { return put(path, step(v.twin, path)) }
	return []tamper{
		{"type:int", replaced(password, "type:str", "type:int"), atPassword + ": must have type:str"},
		{"type:bool", replaced(password, "type:str", "type:bool"), atPassword + ": must have type:str"},
		{"type:bytes", replaced(password, "type:str", "type:bytes"), atPassword + ": must have type:str"},
		{"type:comment", replaced(password, "type:str", "type:comment"), atPassword + ": must have type:str"},
		{"type unknown", replaced(password, "type:str", "type:STR"), atPassword + ": has an unknown type"},
		{"text after a value", text(password, func(x string) string { return x + "x" }), atPassword + ": is an encrypted value without its closing bracket"},
		{"blank before a value", text(password, func(x string) string { return " " + x }), atPassword + ": is not an encrypted value"},
		{"two values in one", text(password, func(x string) string { return x + x }), atPassword},
		{"base64 without padding", replaced(password, "=,iv:", ",iv:"), atPassword + ": has a data part"},
		{"no ciphertext", text(password, func(x string) string { return x[:len("ENC[AES256_GCM,data:")] + x[strings.Index(x, ",iv:"):] }), atPassword + ": has a data part"},
		{"nonce of another length", text(password, func(x string) string {
			i, j := strings.Index(x, ",iv:")+len(",iv:"), strings.Index(x, ",tag:")
			return x[:i] + "AAAA" + x[j:]
		}), atPassword + ": has an iv part"},
		{"tag cut off", text(password, func(x string) string {
			i, j := strings.Index(x, ",tag:")+len(",tag:"), strings.Index(x, ",type:")
			return x[:i] + "AAAA" + x[j:]
		}), atPassword + ": has a tag part"},
		{"binding: a bit", flipBit("spec/sealed/signet/binding", "data"), "spec.sealed.signet.binding" + notAuthentic},
		{"binding emptied", putText("spec/sealed/signet/binding", ""), "spec.sealed.signet.binding: is empty"},
		{"binding removed", remove("spec/sealed/signet/binding"), "spec.sealed.signet.binding: is missing"},
		{"binding replaced by a value", func(root *yaml.Node) { put("spec/sealed/signet/binding", step(root, password))(root) }, "spec.sealed.signet.binding" + notAuthentic},
		{"binding and mac swapped", swap("spec/sealed/signet/binding", "spec/sealed/sops/mac"), "spec.sealed.signet.binding" + notAuthentic},
		{"value of a document with the same data key", twin(password), "spec.sealed.sops.mac: does not match the values"},
		{"all values of a document with the same data key", all(twin("spec/sealed/signet/data"), twin("spec/sealed/signet/stringData")), "spec.sealed.sops.mac: does not match the values"},
		{"binding of a document with the same data key", twin("spec/sealed/signet/binding"), clearBinding},
		{"everything under seal of a document with the same data key", twin("spec/sealed/signet"), clearBinding},
		{"mac of a document with the same data key", twin("spec/sealed/sops/mac"), "spec.sealed.sops.mac: does not "}, // authenticate, or match if both are of one second
		{"mac and time of a document with the same data key", all(twin("spec/sealed/sops/mac"), twin("spec/sealed/sops/lastmodified")), "spec.sealed.sops.mac: does not match the values"},
		{"sops block of a document with the same data key", twin("spec/sealed/sops"), "spec.sealed.sops.mac: does not match the values"},
		{"values, mac and time of a document with the same data key", all(twin("spec/sealed/signet/stringData"), twin("spec/sealed/signet/data"), twin("spec/sealed/sops/mac"), twin("spec/sealed/sops/lastmodified")), "spec.sealed.sops.mac: does not match the values"},
		{"envelope of a document with the same data key", twin("spec/sealed"), "spec.sealed.scope: the document was sealed for prod/cache, not for prod/db"},
	}
}

// recipientTampers edit the keys in the sops block.
func recipientTampers(v *victim) []tamper {
	const b = "spec/sealed/sops/"
	entry := "{recipient: " + v.stranger.recipient + ", enc: x}"
	return []tamper{
		{"recipient appended", func(root *yaml.Node) {
			other := cloneNode(step(root, b+"age/1"))
			manifest.Set(other, "recipient", manifest.String(v.stranger.recipient))
			list := step(root, b+"age")
			list.Content = append(list.Content, other)
		}, sopsBinding},
		{"recipient appended that cannot be wrapped for", func(root *yaml.Node) {
			var doc yaml.Node
			_ = yaml.Unmarshal([]byte(entry), &doc)
			list := step(root, b+"age")
			list.Content = append(list.Content, doc.Content[0])
		}, sopsBinding},
		{"recipient put first that cannot be wrapped for", func(root *yaml.Node) {
			var doc yaml.Node
			_ = yaml.Unmarshal([]byte(entry), &doc)
			list := step(root, b+"age")
			list.Content = append(doc.Content, list.Content...)
		}, sopsBinding},
		{"recipient repeated", func(root *yaml.Node) {
			list := step(root, b+"age")
			list.Content = append(list.Content, cloneNode(list.Content[0]))
		}, sopsBinding},
		{"recipient removed", remove(b + "age/1"), sopsBinding},
		{"recipients reordered", swap(b+"age/0", b+"age/1"), sopsBinding},
		{"recipient renamed", putText(b+"age/1/recipient", v.stranger.recipient), sopsBinding},
		{"own recipient renamed", putText(b+"age/0/recipient", v.stranger.recipient), sopsBinding},
		{"wrapped keys swapped", swap(b+"age/0/enc", b+"age/1/enc"), sopsBinding},
		{"wrapped key of another changed", armorLine(b+"age/1/enc", 3), sopsBinding},
		{"wrapped key of all changed", all(armorLine(b+"age/0/enc", 3), armorLine(b+"age/1/enc", 3)), "no key could unwrap the data key"},
		{"wrapped key with a line break more", text(b+"age/1/enc", func(s string) string { return s + "\n" }), sopsBinding},
		{"wrapped key emptied", putText(b+"age/1/enc", ""), "spec.sealed.sops.age[1].enc: is empty"},
		{"wrapped key null", putYAML(b+"age/1/enc", "null"), "spec.sealed.sops.age[1].enc: must be a string"},
		{"unknown field of a recipient", putText(b+"age/1/role", "x"), "spec.sealed.sops.age[1].role: unknown field"},
		{"recipient null", putYAML(b+"age", "[null]"), "spec.sealed.sops.age[0]: must be a mapping"},
		{"recipients null", putYAML(b+"age", "null"), "spec.sealed.sops.age: must be a list"},
		{"recipients a mapping", putYAML(b+"age", "{}"), "spec.sealed.sops.age: must be a list"},
		{"no recipients", remove(b + "age"), "spec.sealed.sops: names no key"},
		{"65 recipients", func(root *yaml.Node) {
			list := step(root, b+"age")
			for len(list.Content) < 65 {
				list.Content = append(list.Content, cloneNode(list.Content[0]))
			}
		}, "spec.sealed.sops: names 65 keys, the limit is 64"},
		{"KMS key appended", putYAML(b+"kms", `[{arn: "arn:aws:kms:eu-west-1:1:key/x", created_at: "2026-01-01T00:00:00Z", enc: eA==, aws_profile: "", context: {kubernetes-namespace: prod, kubernetes-name: db}}]`), sopsBinding},
		{"KMS key of another scope appended", putYAML(b+"kms", `[{arn: "arn:aws:kms:eu-west-1:1:key/x", created_at: "2026-01-01T00:00:00Z", enc: eA==, aws_profile: "", context: {kubernetes-namespace: prod, kubernetes-name: cache}}]`), "spec.sealed.sops.kms: the encryption context"},
		{"KMS context null", putYAML(b+"kms", `[{arn: a, created_at: "2026-01-01T00:00:00Z", enc: eA==, context: {a: null}}]`), "spec.sealed.sops.kms[0].context.a: must be a string"},
		{"Vault key appended", putYAML(b+"hc_vault", `[{vault_address: "https://evil.example", engine_path: a, key_name: b, created_at: "2026-01-01T00:00:00Z", enc: "vault:v1:x"}]`), sopsBinding},
		{"empty list of another key type", putYAML(b+"pgp", "[]"), "spec.sealed.sops.pgp: must be a list of keys"},
	}
}

// blockTampers edit the other fields of the sops block.
func blockTampers() []tamper {
	const b = "spec/sealed/sops/"
	return []tamper{
		{"key groups beside keys", putYAML(b+"key_groups", "[]"), "spec.sealed.sops.key_groups: must not stand beside keys"},
		{"keys moved into one key group", func(root *yaml.Node) {
			sops := step(root, "spec/sealed/sops")
			manifest.Set(sops, "key_groups", &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{
				manifest.Mapping(manifest.String("age"), step(root, b+"age"))}})
			manifest.Delete(sops, "age")
		}, "spec.sealed.sops.key_groups: must have at least two groups"},
		{"Shamir threshold", putYAML(b+"shamir_threshold", "1"), "spec.sealed.sops.shamir_threshold: has no meaning"},
		{"selector changed", putText(b+"encrypted_regex", "^(signet)$"), "spec.sealed.sops.encrypted_regex: must be"},
		{"selector emptied", putText(b+"encrypted_regex", ""), "spec.sealed.sops.encrypted_regex: must be"},
		{"selector removed", remove(b + "encrypted_regex"), "spec.sealed.sops.encrypted_regex: is missing"},
		{"selector inverted", rename(b+"encrypted_regex", "unencrypted_regex"), "spec.sealed.sops.unencrypted_regex: must be"},
		{"second selector", putText(b+"unencrypted_suffix", "_x"), "spec.sealed.sops.unencrypted_suffix: must be"},
		{"selector by comment", putText(b+"encrypted_comment_regex", "x"), "spec.sealed.sops.encrypted_comment_regex: must be"},
		{"mac_only_encrypted", putYAML(b+"mac_only_encrypted", "true"), "spec.sealed.sops.mac_only_encrypted: is not allowed"},
		{"mac_only_encrypted false", putYAML(b+"mac_only_encrypted", "false"), "spec.sealed.sops.mac_only_encrypted: is not allowed"},
		{"version changed", putText(b+"version", "3.13.2"), sopsBinding},
		{"version a number", putYAML(b+"version", "3.13"), "spec.sealed.sops.version: must be a string"},
		{"version removed", remove(b + "version"), "spec.sealed.sops.version: is missing"},
		{"lastmodified changed", putText(b+"lastmodified", "2020-01-01T00:00:00Z"), "spec.sealed.sops.mac" + notAuthentic},
		{"lastmodified in another zone", text(b+"lastmodified", func(s string) string { return strings.TrimSuffix(s, "Z") + "+00:00" }), "spec.sealed.sops.lastmodified: must be a time"},
		{"lastmodified with a fraction", text(b+"lastmodified", func(s string) string { return strings.TrimSuffix(s, "Z") + ".000Z" }), "spec.sealed.sops.lastmodified: must be a time"},
		{"lastmodified removed", remove(b + "lastmodified"), "spec.sealed.sops.lastmodified: is missing"},
		{"mac: a bit", flipBit(b+"mac", "data"), "spec.sealed.sops.mac" + notAuthentic},
		{"mac emptied", putText(b+"mac", ""), "spec.sealed.sops.mac: is not an encrypted value"},
		{"mac removed", remove(b + "mac"), "spec.sealed.sops.mac: is missing"},
		{"mac null", putYAML(b+"mac", "null"), "spec.sealed.sops.mac: must be a string"},
		{"mac of another type", replaced(b+"mac", "type:str", "type:bytes"), "spec.sealed.sops.mac: must have type:str"},
		{"mac replaced by a value", func(root *yaml.Node) { put(b+"mac", step(root, "spec/sealed/signet/stringData/password"))(root) }, "spec.sealed.sops.mac" + notAuthentic},
		{"unknown field of the block", putText(b+"extra", ""), "spec.sealed.sops.extra: unknown field"},
		{"block null", putYAML("spec/sealed/sops", "null"), "spec.sealed.sops: must be a mapping"},
		{"block removed", remove("spec/sealed/sops"), "spec.sealed.sops: is missing"},
		{"block moved to the top of the object", move("spec/sealed/sops", "sops"), "sops: unknown field"},
		{"block copied to the top of the object", func(root *yaml.Node) { put("sops", step(root, "spec/sealed/sops"))(root) }, "sops: unknown field"},
	}
}

// objectTampers edit the object around the envelope.
func objectTampers() []tamper {
	const scope = "spec.sealed.scope: the document was sealed for prod/db, not for "
	return []tamper{
		{"another namespace", putText("metadata/namespace", "test"), scope + "test/db"},
		{"namespace any", putText("metadata/namespace", "*"), "metadata.namespace: is not a valid name"},
		{"namespace null", putYAML("metadata/namespace", "null"), "metadata.namespace: is not a valid name"},
		{"namespace with a slash", putText("metadata/namespace", "prod/db"), "metadata.namespace: is not a valid name"},
		{"another secretName", putText("spec/secretName", "cache"), scope + "prod/cache"},
		{"secretName any", putText("spec/secretName", "*"), "spec.secretName: is not a valid name"},
		{"secretName null", putYAML("spec/secretName", "null"), "spec.secretName: is not a valid name"},
		{"another name without secretName", all(remove("spec/secretName"), putText("metadata/name", "cache")), scope + "prod/cache"},
		{"name removed", remove("metadata/name"), "metadata.name: is missing"},
		{"name a number", putYAML("metadata/name", "5"), "metadata.name: is missing"},
		{"metadata removed", remove("metadata"), "metadata.name: is missing"},
		{"metadata a list", putYAML("metadata", "[db]"), "metadata.name: is missing"},
		{"spec removed", remove("spec"), "spec: is missing"},
		{"spec a list", putYAML("spec", "[]"), "spec: is missing or not a mapping"},
		{"unknown top-level field", putText("data", "x"), "data: unknown field"},
		{"unknown field of spec", putText("spec/template", "x"), "spec.template: unknown field"},
		{"creationPolicy of another value", putText("spec/creationPolicy", "Orphan"), "spec.creationPolicy: must be Owner or Merge"},
		{"creationPolicy a list", putYAML("spec/creationPolicy", "[Owner]"), "spec.creationPolicy: must be Owner or Merge"},
		{"deletionPolicy null", putYAML("spec/deletionPolicy", "null"), "spec.deletionPolicy: must be Delete or Retain"},
		{"suspend a string", putText("spec/suspend", "true"), "spec.suspend: must be true or false"},
		{"suspend null", putYAML("spec/suspend", "null"), "spec.suspend: must be true or false"},
		{"serviceAccountName", putText("spec/serviceAccountName", "x"), "spec.serviceAccountName: is reserved"},
		{"another version of the API", putText("apiVersion", "signet.dev/v1"), "unknown object signet.dev/v1 SealedSecret"},
		{"another kind of the API", putText("kind", "sealedsecret"), "unknown object signet.dev/v1alpha1 sealedsecret"},
		{"no kind", remove("kind"), "unknown object signet.dev/v1alpha1"},
		{"kind a list", putYAML("kind", "[SealedSecret]"), "unknown object signet.dev/v1alpha1"},
	}
}
