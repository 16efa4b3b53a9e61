// SPDX-License-Identifier: Apache-2.0

package awskms_test

const (
	eks  = "pods.eks.amazonaws.com"
	oidc = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
)

// assume is a request to STS by an AWS service, an identity provider or a user.
func assume(principal, action string, keys pairs) request {
	return request{principal: principal, action: action, keys: map[string][]string{}}.with(keys)
}

// tags are those that EKS Pod Identity asks for.
func tags(cluster, namespace, account string) pairs {
	return pairs{
		"aws:RequestTag/eks-cluster-arn":            "arn:aws:eks:eu-west-1:111122223333:cluster/" + cluster,
		"aws:RequestTag/kubernetes-namespace":       namespace,
		"aws:RequestTag/kubernetes-service-account": account,
	}
}

// token is what a pod asks with the token of its service account.
func token(provider, subject, audience string) request {
	return assume("arn:aws:iam::111122223333:oidc-provider/"+provider, "sts:AssumeRoleWithWebIdentity",
		pairs{oidc + ":sub": "system:serviceaccount:" + subject, oidc + ":aud": audience})
}

func trustRows() []row {
	const ask, set = "sts:AssumeRole", "sts:TagSession"
	operator := []string{"trust-pod-identity.json"}
	tenants := []string{"trust-pod-identity-tenant.json"}
	irsa := []string{"trust-irsa.json"}
	people := []string{"trust-break-glass.json", administrator}
	const alice, mallory = "arn:aws:iam::111122223333:user/alice", "arn:aws:iam::444455556666:user/mallory"
	const present = "aws:MultiFactorAuthPresent"
	return []row{
		{"pod of the controller", operator, assume(eks, ask, tags("prod", "signet-system", "signet-controller")), true},
		{"tags of the controller", operator, assume(eks, set, tags("prod", "signet-system", "signet-controller")), true},
		{"pod of another account", operator, assume(eks, ask, tags("prod", "signet-system", "default")), false},
		{"pod of another namespace", operator, assume(eks, ask, tags("prod", "shop", "signet-controller")), false},
		{"pod of another cluster", operator, assume(eks, ask, tags("staging", "signet-system", "signet-controller")), false},
		{"pod without tags", operator, assume(eks, ask, nil), false},
		{"controller of somebody", append(operator, administrator), assume(somebody, ask, tags("prod", "signet-system", "signet-controller")), false},

		{"pod of a tenant", tenants, assume(eks, ask, tags("prod", "team-a", "signet-controller")), true},
		{"tags of a tenant", tenants, assume(eks, set, tags("prod", "team-a", "signet-controller")), true},
		{"pod of a tenant's other account", tenants, assume(eks, ask, tags("prod", "team-a", "default")), false},
		{"pod of a tenant in another cluster", tenants, assume(eks, ask, tags("staging", "team-a", "signet-controller")), false},
		{"pod without a namespace", tenants, assume(eks, ask, pairs{
			"aws:RequestTag/eks-cluster-arn":            "arn:aws:eks:eu-west-1:111122223333:cluster/prod",
			"aws:RequestTag/kubernetes-service-account": "signet-controller",
		}), false},
		{"tags set by somebody", append(tenants, administrator), assume(somebody, set, tags("prod", "team-b", "signet-controller")), false},

		{"token of the controller", irsa, token(oidc, "signet-system:signet-controller", "sts.amazonaws.com"), true},
		{"token of another account", irsa, token(oidc, "signet-system:default", "sts.amazonaws.com"), false},
		{"token of another namespace", irsa, token(oidc, "shop:signet-controller", "sts.amazonaws.com"), false},
		{"token for another audience", irsa, token(oidc, "signet-system:signet-controller", "vault"), false},
		{"token of another cluster", irsa, token("oidc.eks.eu-west-1.amazonaws.com/id/OTHER", "signet-system:signet-controller", "sts.amazonaws.com"), false},

		{"user with MFA", people, assume(alice, ask, pairs{present: "true"}), true},
		{"user without MFA", people, assume(alice, ask, pairs{present: "false"}), false},
		{"user of whom it is not said", people, assume(alice, ask, nil), false},
		{"user with MFA sets tags", people, assume(alice, set, pairs{present: "true"}), false},
		{"user of another account with MFA", people, assume(mallory, ask, pairs{present: "true"}), false},
	}
}
