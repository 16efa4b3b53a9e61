// SPDX-License-Identifier: Apache-2.0

package awskms_test

import "strings"

func sealerRows() []row {
	sealer := []string{defaultKey, "iam-sealer.json"}
	team := []string{defaultKey, "iam-sealer-team.json"}
	db := document("shop", "db")
	return []row{
		{"sealer seals a document", sealer, encrypt(somebody, db), true},
		{"sealer seals for any namespace", sealer, encrypt(somebody, document("*", "*")), true},
		{"sealer without context", sealer, encrypt(somebody, nil), false},
		{"sealer with the namespace alone", sealer, encrypt(somebody, pairs{"kubernetes-namespace": "shop"}), false},
		{"sealer with the name alone", sealer, encrypt(somebody, pairs{"kubernetes-name": "db"}), false},
		{"sealer with one pair more", sealer, encrypt(somebody, db.plus("app", "db")), false},
		{"sealer with keys in another case", sealer, encrypt(somebody, pairs{"Kubernetes-Namespace": "shop", "Kubernetes-Name": "db"}), false},
		{"sealer with another key", sealer, encrypt(somebody, db).at("arn:aws:kms:eu-west-1:111122223333:key/other"), false},
		{"sealer decrypts", sealer, decrypt(somebody, db), false},
		{"sealer generates a data key", sealer, call(somebody, "kms:GenerateDataKey", db), false},
		{"sealer wraps a SealingKey", sealer, encrypt(somebody, sealingKey("prod")), false},

		{"team seals for its namespace", team, encrypt(somebody, db), true},
		{"team seals for its other namespace", team, encrypt(somebody, document("shop-staging", "*")), true},
		{"team seals for another namespace", team, encrypt(somebody, document("bank", "db")), false},
		{"team seals for any namespace", team, encrypt(somebody, document("*", "*")), false},
		{"team without context", team, encrypt(somebody, nil), false},
		{"team without name", team, encrypt(somebody, pairs{"kubernetes-namespace": "shop"}), false},
		{"team with its namespace in another case beside", team, encrypt(somebody, document("bank", "db").plus("Kubernetes-Namespace", "shop")), false},
		{"team decrypts", team, decrypt(somebody, db), false},
	}
}

func controllerRows() []row {
	only := []string{defaultKey, "iam-controller.json"}
	both := []string{defaultKey, "iam-controller.json", "iam-sealing-key-open.json"}
	db := document("shop", "db")
	return []row{
		{"controller opens a document", only, decrypt(controller, db), true},
		{"controller opens one for any namespace", only, decrypt(controller, document("*", "*")), true},
		{"controller without context", only, decrypt(controller, nil), false},
		{"controller with the namespace alone", only, decrypt(controller, pairs{"kubernetes-namespace": "shop"}), false},
		{"controller with the name alone", only, decrypt(controller, pairs{"kubernetes-name": "db"}), false},
		{"controller with one pair more", only, decrypt(controller, db.plus("app", "db")), false},
		{"controller with a foreign context", only, decrypt(controller, pairs{"app": "db"}), false},
		{"controller unwraps a SealingKey without the policy for it", only, decrypt(controller, sealingKey("prod")), false},
		{"controller encrypts", only, encrypt(controller, db), false},
		{"controller re-encrypts", only, call(controller, "kms:ReEncryptFrom", db), false},
		{"controller with both policies opens a document", both, decrypt(controller, db), true},
		{"controller with both policies unwraps its SealingKey", both, decrypt(controller, sealingKey("prod")), true},
		{"controller with both policies mixes contexts", both, decrypt(controller, db.plus("signet-sealing-key", "prod")), false},
	}
}

func tenantRows() []row {
	own := []string{defaultKey, "iam-tenant.json"}
	return []row{
		{"tenant a opens its document", own, decrypt(tenant, document("a", "db")).with(tag("a")), true},
		{"tenant a opens any name of its namespace", own, decrypt(tenant, document("a", "*")).with(tag("a")), true},
		{"tenant a with the namespace of b", own, decrypt(tenant, document("b", "db")).with(tag("a")), false},
		{"tenant a with a document for any namespace", own, decrypt(tenant, document("*", "*")).with(tag("a")), false},
		{"tenant a with its namespace in another case beside", own, decrypt(tenant, document("b", "db").plus("Kubernetes-Namespace", "a")).with(tag("a")), false},
		{"tenant a without name", own, decrypt(tenant, pairs{"kubernetes-namespace": "a"}).with(tag("a")), false},
		{"tenant a without context", own, decrypt(tenant, nil).with(tag("a")), false},
		{"tenant a with a SealingKey", own, decrypt(tenant, sealingKey("prod")).with(tag("a")), false},
		{"tenant a encrypts", own, encrypt(tenant, document("a", "db")).with(tag("a")), false},
		{"tenant without tags", own, decrypt(tenant, document("a", "db")), false},
		{"tenant without tags and context", own, decrypt(tenant, nil), false},
	}
}

func sealingKeyRows() []row {
	create := []string{defaultKey, "iam-sealing-key-create.json"}
	open := []string{defaultKey, "iam-sealing-key-open.json"}
	return []row{
		{"creator wraps the SealingKey", create, encrypt(somebody, sealingKey("prod")), true},
		{"creator wraps another", create, encrypt(somebody, sealingKey("staging")), false},
		{"creator without context", create, encrypt(somebody, nil), false},
		{"creator seals a document", create, encrypt(somebody, document("shop", "db")), false},
		{"creator seals a document under the name", create, encrypt(somebody, document("shop", "db").plus("signet-sealing-key", "prod")), false},
		{"creator unwraps", create, decrypt(somebody, sealingKey("prod")), false},

		{"controller unwraps the SealingKey", open, decrypt(controller, sealingKey("prod")), true},
		{"controller unwraps another", open, decrypt(controller, sealingKey("staging")), false},
		{"controller unwraps without context", open, decrypt(controller, nil), false},
		{"controller opens a document by the policy for SealingKeys", open, decrypt(controller, document("shop", "db")), false},
		{"controller adds the SealingKey to a document", open, decrypt(controller, document("shop", "db").plus("signet-sealing-key", "prod")), false},
		{"controller wraps the SealingKey", open, encrypt(controller, sealingKey("prod")), false},
	}
}

func breakGlassRows() []row {
	policies := []string{defaultKey, "iam-break-glass.json"}
	return []row{
		{"break-glass opens a document", policies, decrypt(breakGlass, document("shop", "db")), true},
		{"break-glass unwraps a SealingKey", policies, decrypt(breakGlass, sealingKey("prod")), true},
		{"break-glass without context", policies, decrypt(breakGlass, nil), false},
		{"break-glass with a foreign context", policies, decrypt(breakGlass, pairs{"app": "db"}), false},
		{"break-glass encrypts", policies, encrypt(breakGlass, document("shop", "db")), false},
	}
}

// Flux has all rights on a shared key, but for the Deny.
func otherReaderRows() []row {
	const flux = "arn:aws:iam::111122223333:role/flux"
	shared := []string{defaultKey, administrator, "iam-deny-other-readers.json"}
	return []row{
		{"flux opens its own document", shared, decrypt(flux, nil), true},
		{"flux opens its own document with a context", shared, decrypt(flux, pairs{"app": "db"}), true},
		{"flux with the context of a document", shared, decrypt(flux, document("shop", "db")), false},
		{"flux with the name alone", shared, decrypt(flux, pairs{"kubernetes-name": "db"}), false},
		{"flux with a SealingKey", shared, decrypt(flux, sealingKey("prod")), false},
		{"flux hides the context among others", shared, decrypt(flux, document("shop", "db").plus("app", "db")), false},
		{"flux makes a document", shared, encrypt(flux, document("shop", "db")), false},
		{"flux generates a data key for a document", shared, call(flux, "kms:GenerateDataKeyWithoutPlaintext", document("shop", "db")), false},
		{"flux re-encrypts a document", shared, call(flux, "kms:ReEncryptFrom", document("shop", "db")), false},
	}
}

// Everybody here may do everything, as far as IAM goes.
func keyRows() []row {
	key := []string{"key.json", administrator}
	db := document("shop", "db")
	replicate := call(somebody, "kms:ReplicateKey", nil)
	return []row{
		{"key: administrator changes the policy", key, call(somebody, "kms:PutKeyPolicy", nil), true},
		{"key: administrator makes a grant", key, call(somebody, "kms:CreateGrant", nil), false},
		{"key: administrator opens a document", key, decrypt(somebody, db), false},
		{"key: administrator of another account", key, call(neighbour, "kms:PutKeyPolicy", nil), false},
		{"key: controller of another account", key, decrypt(neighbour, db), false},
		{"key: seal a document", key, encrypt(somebody, db), true},
		{"key: wrap a SealingKey", key, encrypt(somebody, sealingKey("prod")), true},
		{"key: seal without context", key, encrypt(somebody, nil), false},
		{"key: seal with a foreign context", key, encrypt(somebody, pairs{"app": "db"}), false},
		{"key: controller opens a document", key, decrypt(controller, db), true},
		{"key: controller unwraps a SealingKey", key, decrypt(controller, sealingKey("prod")), true},
		{"key: controller without context", key, decrypt(controller, nil), false},
		{"key: controller with a foreign context", key, decrypt(controller, pairs{"app": "db"}), false},
		{"key: tenant opens a document", key, decrypt(tenant, db), true},
		{"key: break-glass opens a document", key, decrypt(breakGlass, db), true},
		{"key: role whose name goes on", key, decrypt(controller+"-2", db), false},
		{"key: replica where it belongs", key, replicate.with(pairs{"kms:ReplicaRegion": "eu-central-1"}), true},
		{"key: replica elsewhere", key, replicate.with(pairs{"kms:ReplicaRegion": "us-east-1"}), false},

		{"key and IAM: controller", []string{"key.json", "iam-controller.json"}, decrypt(controller, db), true},
		{"key and IAM: another role with the controller's policy", []string{"key.json", "iam-controller.json"}, decrypt(somebody, db), false},
		{"key and IAM: controller without its policy", []string{"key.json", "iam-sealer.json"}, decrypt(controller, db), false},
		{"key and IAM: tenant b", []string{"key.json", "iam-tenant.json"}, decrypt(tenant, db).with(tag("b")), false},
		{"key and IAM: sealer", []string{"key.json", "iam-sealer.json"}, encrypt(somebody, db), true},
	}
}

func replicaRows() []row {
	replica := []string{"key-replica.json", administrator}
	there := func(r request) request { return r.at(strings.Replace(keyARN, "eu-west-1", "eu-central-1", 1)) }
	db := document("shop", "db")
	return []row{
		{"replica: controller opens a document", replica, there(decrypt(controller, db)), true},
		{"replica: break-glass opens a document", replica, there(decrypt(breakGlass, db)), true},
		{"replica: controller unwraps a SealingKey", replica, there(decrypt(controller, sealingKey("prod"))), true},
		{"replica: controller without context", replica, there(decrypt(controller, nil)), false},
		{"replica: controller with a foreign context", replica, there(decrypt(controller, pairs{"app": "db"})), false},
		{"replica: tenant opens a document", replica, there(decrypt(tenant, db)), false},
		{"replica: administrator opens a document", replica, there(decrypt(somebody, db)), false},
		{"replica: seal a document", replica, there(encrypt(somebody, db)), false},
		{"replica: replicate further", replica, there(call(somebody, "kms:ReplicateKey", nil)), false},
		{"replica: administrator changes the policy", replica, there(call(somebody, "kms:PutKeyPolicy", nil)), true},
		{"replica: IAM policy for the Region of the primary", []string{"key-replica.json", "iam-controller.json"}, there(decrypt(controller, db)), false},
	}
}

func crossAccountRows() []row {
	key := []string{"key-cross-account.json", administrator}
	db := document("shop", "db")
	other := strings.Replace(somebody, "111122223333", "444455556666", 1)
	return []row{
		{"cross-account: controller with IAM policy", []string{"key-cross-account.json", "iam-controller.json"}, decrypt(neighbour, db), true},
		{"cross-account: controller with another IAM policy", []string{"key-cross-account.json", "iam-sealer.json"}, decrypt(neighbour, db), false},
		{"cross-account: controller unwraps a SealingKey", key, decrypt(neighbour, sealingKey("prod")), true},
		{"cross-account: controller without context", key, decrypt(neighbour, nil), false},
		{"cross-account: controller with a foreign context", key, decrypt(neighbour, pairs{"app": "db"}), false},
		{"cross-account: controller encrypts", key, encrypt(neighbour, db), false},
		{"cross-account: administrator over there opens a document", key, decrypt(other, db), false},
		{"cross-account: administrator over there changes the policy", key, call(other, "kms:PutKeyPolicy", nil), false},
		{"cross-account: controller of this account", key, decrypt(controller, db), false},
		{"cross-account: break-glass opens a document", key, decrypt(breakGlass, db), true},
		{"cross-account: break-glass unwraps a SealingKey", key, decrypt(breakGlass, sealingKey("prod")), true},
		{"cross-account: break-glass without context", key, decrypt(breakGlass, nil), false},
		{"cross-account: break-glass with a foreign context", key, decrypt(breakGlass, pairs{"app": "db"}), false},
		{"cross-account: administrator opens a document", key, decrypt(somebody, db), false},
		{"cross-account: administrator changes the policy", key, call(somebody, "kms:PutKeyPolicy", nil), true},
		{"cross-account: seal a document", key, encrypt(somebody, db), true},
		{"cross-account: seal without context", key, encrypt(somebody, nil), false},
		{"cross-account: seal with a foreign context", key, encrypt(somebody, pairs{"app": "db"}), false},
		{"cross-account: replica elsewhere", key, call(somebody, "kms:ReplicateKey", nil).with(pairs{"kms:ReplicaRegion": "us-east-1"}), false},
	}
}
