// SPDX-License-Identifier: Apache-2.0

package bitnami

import (
	"maps"
	"slices"
	"strings"
)

// advice says what an annotation of Sealed Secrets on the Secret corresponds to
// (types.go of v1alpha1). "" is for those that the scope stands for.
func advice() map[string]string {
	return map[string]string{
		namespaceWide:                "",
		clusterWide:                  "",
		annotationPrefix + "managed": "the Secret may exist before; let it consent by the annotation signet.dev/adopt",
		annotationPrefix + "patch":   "the keys are added to a Secret of somebody else; seal with --merge, and let that Secret consent by the annotation signet.dev/merge",
		annotationPrefix + "skip-set-owner-references": "the Secret outlives its SealedSecret; set deletionPolicy: Retain for that",
	}
}

// cleanAnnotations removes annotations that only Sealed Secrets understands,
// with a note unless they say what the scope says.
func (u *unsealer) cleanAnnotations() {
	known := advice()
	for _, name := range slices.Sorted(maps.Keys(u.result.Secret.Annotations)) {
		if !strings.HasPrefix(name, annotationPrefix) {
			continue
		}
		set := u.result.Secret.Annotations[name] == "true"
		delete(u.result.Secret.Annotations, name)
		text, ok := known[name]
		switch {
		case !ok:
			u.note("annotation %s of the Secret is dropped", shortQuote(name))
		case text != "" && set:
			u.note("annotation %s of the Secret is dropped: %s", name, text)
		}
	}
}

// lastApplied is what kubectl leaves on objects, of no use in a file.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// noteDocument notes what the document has beside the Secret.
func (u *unsealer) noteDocument() {
	for _, name := range []string{clusterWide, namespaceWide} {
		if v, ok := u.annotations[name]; ok && v != "true" {
			u.note("annotation %s has no effect: only \"true\" counts", name)
		}
	}
	var own []string
	for name := range u.annotations {
		if name != clusterWide && name != namespaceWide && name != lastApplied {
			own = append(own, "annotation "+shortQuote(name))
		}
	}
	for name := range u.labels {
		own = append(own, "label "+shortQuote(name))
	}
	slices.Sort(own)
	for _, name := range own {
		u.note("%s of the SealedSecret itself is not carried: Sealed Secrets does not put it on the Secret", name)
	}
	for _, path := range u.ignored {
		u.note("%s is not carried: Sealed Secrets ignores it", path)
	}
	if u.result.V1 {
		return
	}
	for _, path := range u.template.metadata {
		u.note("%s is not carried", path)
	}
}
