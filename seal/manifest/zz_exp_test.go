package manifest

import (
	"fmt"
	"testing"
	"go.yaml.in/yaml/v3"
	kyaml "sigs.k8s.io/yaml"
)

func dump(n *yaml.Node, d int) {
	if n == nil { fmt.Println("nil"); return }
	fmt.Printf("%*s k=%d tag=%s v=%q line=%d st=%d h=%q l=%q f=%q\n", d*2, "", n.Kind, n.Tag, n.Value, n.Line, n.Style, n.HeadComment, n.LineComment, n.FootComment)
	for _, c := range n.Content { dump(c, d+1) }
}

func TestExp(t *testing.T) {
	for _, in := range []string{"# top\n---\n# in\na: 1\n# end\n", "# top\n\n# two\na: 1 # x\n", "--- # marker\na: 1\n", "a: 1\n\n# foot\n", "%YAML 1.1\n# x\n---\na: 1\n"} {
		fmt.Printf("== %q\n", in)
		n, err := Parse([]byte(in))
		dump(n, 0)
		fmt.Println(err)
		s, _ := Split([]byte(in))
		for _, d := range s.Documents {
			n, _ := d.Node()
			if n != nil { fmt.Println(d.Replace(n)) }
		}
		fmt.Printf("%q\n", s.Bytes())
	}
	for _, in := range []string{"y: 1", "on: 1", "a: y", "a: yes", "a: ! 5", "a: !!bool yes", "a: 1:30", "a: 0o7", "a: 1_0", "a: !!int '5'", "a: .5", "a: 1e3","a: 1e400", "a: 0b1", "a: +1", "a: 2001-01-01", "a: !!timestamp 2001-01-01", "a: !!float 1", "a: !!null x", "a: ._", "a: ~", "a: <<", "a: =", "... {a: 1}\n", "a: 1\n... {b: 1}\n", "# c\rb: 1\n", "a: !!str 1\n", "a: !<tag:yaml.org,2002:str> 1\n", "%TAG ! tag:yaml.org,2002:\n---\na: !str 1\n", "a: 0x_1", "a: 1__0", "a: 0_7", "a: -0b1", "a: 0o8", "a: 09", "a: 1.", "a: +.inf", "a: -.5e3", "a: 1e5_", "a: _1", "a: 190:20:30.15"} {
		j, err := kyaml.YAMLToJSON([]byte(in))
		n, err2 := parseYAML([]byte(in))
		v := Get(Root(n), "a")
		fmt.Printf("%-40q kubectl %s %v | v3 ", in, j, err)
		if v != nil { fmt.Print(v.ShortTag(), v.Style, IsString(v)) }
		fmt.Println(err2)
	}
}
