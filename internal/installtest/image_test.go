// SPDX-License-Identifier: Apache-2.0

package installtest

import (
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/signet-secrets/signet/internal/testtool"
)

// instruction is one of a Dockerfile.
type instruction struct{ name, args string }

// dockerfile returns the instructions of each stage of a Dockerfile. It knows
// comments and lines that go on, and no more.
func dockerfile(tb testing.TB, name string) [][]instruction {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(testtool.Root(tb), name))
	if err != nil {
		tb.Fatal(err)
	}
	stages := [][]instruction{nil} // the first is what stands before FROM
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", " ")) {
		name, args, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == "" || name[0] == '#' {
			continue
		}
		if name == "FROM" {
			stages = append(stages, nil)
		}
		last := len(stages) - 1
		stages[last] = append(stages[last], instruction{name, strings.TrimSpace(args)})
	}
	if len(stages) != 3 {
		tb.Fatalf("%s has %d stages, want 2", name, len(stages)-1)
	}
	return stages
}

func TestImageHoldsTheProgramAndNothingElse(t *testing.T) {
	stages := dockerfile(t, "Dockerfile")
	var user, entry string
	var files []string
	for _, i := range stages[2] {
		switch i.name {
		case "FROM":
			if i.args != "scratch" {
				t.Errorf("FROM %s, want scratch", i.args)
			}
		case "COPY":
			words := strings.Fields(i.args)
			files = append(files, words[len(words)-1])
		case "USER":
			user = i.args
		case "ENTRYPOINT":
			entry = i.args
		case "ADD", "RUN":
			t.Errorf("%s %s: not in an image without a shell", i.name, i.args)
		}
	}
	if want := []string{"/etc/ssl/certs/ca-certificates.crt", "/signet-controller"}; !slices.Equal(files, want) {
		t.Errorf("files %q, want %q", files, want)
	}
	var command []string
	if err := json.Unmarshal([]byte(entry), &command); err != nil || !slices.Equal(command, []string{"/signet-controller"}) {
		t.Errorf("ENTRYPOINT %s: not the program, in the form without a shell", entry)
	}
	pod := podOf(t, "default").Spec.SecurityContext
	if want := strconv.FormatInt(*pod.RunAsUser, 10) + ":" + strconv.FormatInt(*pod.RunAsGroup, 10); user != want {
		t.Errorf("USER %s, the Pod has %s", user, want)
	}
}

// The program must be static: where it runs there are no libraries.
func TestImageIsBuiltStatic(t *testing.T) {
	var all strings.Builder
	for _, i := range dockerfile(t, "Dockerfile")[1] {
		all.WriteString(i.name + " " + i.args + "\n")
	}
	for _, want := range []string{"CGO_ENABLED=0", "GOTOOLCHAIN=local", "-trimpath", "-X github.com/signet-secrets/signet/internal/buildinfo.version=$VERSION", "./cmd/signet-controller"} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("the build has no %s", want)
		}
	}
}

// The builds get the directories that the programs are made of, and each of them
// is one.
func TestImageIsBuiltFromAllItNeeds(t *testing.T) {
	for name, program := range map[string]string{"Dockerfile": "./cmd/signet-controller", "kustomize-plugin/argocd/Dockerfile": "./cmd/signet"} {
		t.Run(name, func(t *testing.T) {
			var copied, used []string
			for _, i := range dockerfile(t, name)[1] {
				if words := strings.Fields(i.args); i.name == "COPY" && words[0] != "go.mod" {
					copied = append(copied, words[0])
				}
			}
			for _, directory := range ownPackages(t, program) {
				within := func(root string) bool { return directory == root || strings.HasPrefix(directory, root+"/") }
				i := slices.IndexFunc(copied, within)
				if i < 0 {
					t.Errorf("package %s is not copied", directory)
					continue
				}
				used = append(used, copied[i])
			}
			for _, directory := range copied {
				if !slices.Contains(used, directory) {
					t.Errorf("COPY %s: nothing of it is needed", directory)
				}
			}
		})
	}
}

// ownPackages returns the directories of the packages of this module that a
// program is made of.
func ownPackages(tb testing.TB, program string) (directories []string) {
	tb.Helper()
	list := testtool.Run(tb, testtool.Cmd{Path: "go", Args: []string{"list", "-deps", program}, Dir: testtool.Root(tb)})
	if list.ExitCode != 0 {
		tb.Fatalf("go list: %s", list.Stderr)
	}
	for imported := range strings.Lines(string(list.Stdout)) {
		if directory, own := strings.CutPrefix(strings.TrimSpace(imported), "github.com/signet-secrets/signet/"); own {
			directories = append(directories, directory)
		}
	}
	return directories
}

// Without a tag Kubernetes takes "latest", which is a different program each day.
func TestImageOfTheDeploymentHasAVersion(t *testing.T) {
	for _, folder := range []string{"default", "namespaced", "manager"} {
		d := as[appsv1.Deployment](t, only(t, objects(t, buildConfig(t, folder)), "Deployment", "signet-controller"))
		image := d.Spec.Template.Spec.Containers[0].Image
		name, tag, found := strings.Cut(path.Base(image), ":")
		if !found || name != "signet-controller" || !strings.HasPrefix(tag, "v") {
			t.Errorf("%s: image %s", folder, image)
		}
	}
}
