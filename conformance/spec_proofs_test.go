package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// windowsSpecs holds specifications of Windows containers, each beside the runfile of the same name that it is made from.
// The tests of executor/ocispec/windows compare them as a whole.
const windowsSpecs = "../executor/ocispec/windows/testdata"

// specProofs are the options whose effect on Windows containers, which nothing here can run, is seen in what the runtime
// would be told. Each has files of its name in windowsSpecs.
var specProofs = []struct {
	option, field string
	value         string // as compact JSON
}{
	{"cpu-count", "windows.resources.cpu.count", `2`},
	{"cpu-percent", "windows.resources.cpu.maximum", `5000`},
	{"io-maxbandwidth", "windows.resources.storage.bps", `10485760`},
	{"io-maxiops", "windows.resources.storage.iops", `1000`},
	{"isolation", "windows.hyperv", `{}`},
	{"memory", "windows.resources.memory.limit", `536870912`},
	{"volume", "mounts.0", `{"destination":"D:\\src","options":["ro"],"source":"C:\\src"}`},
}

func hasSpecProof(option string) bool {
	for _, p := range specProofs {
		if p.option == option {
			return true
		}
	}
	return false
}

// TestSpecProofs: the runfile sets the option and nothing else, and the field is in its specification and not, or not with
// this value, in that of a container without options.
func TestSpecProofs(t *testing.T) {
	goTool(t)
	without := readSpec(t, "default")
	for _, p := range specProofs {
		runfile, err := os.ReadFile(filepath.Join(windowsSpecs, p.option+".yaml"))
		if err != nil {
			t.Error(err)
			continue
		}
		var keys []string
		for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllSubmatch(runfile, -1) {
			keys = append(keys, string(m[1]))
		}
		if want := []string{"image", "platform", p.option}; !slices.Equal(keys, want) {
			t.Errorf("%s.yaml sets %v, want %v", p.option, keys, want)
		}
		if got := fieldOf(readSpec(t, p.option), p.field); got != p.value {
			t.Errorf("%s.json has %s %s, want %s", p.option, p.field, got, p.value)
		}
		if got := fieldOf(without, p.field); got == p.value {
			t.Errorf("%s is %s without %s, too", p.field, got, p.option)
		}
	}
}

func readSpec(t *testing.T, name string) any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(windowsSpecs, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var spec any
	if err := json.Unmarshal(text, &spec); err != nil {
		t.Fatal(err)
	}
	return spec
}

// fieldOf is the compact JSON text at a path of keys and indices; "" = there is nothing.
func fieldOf(v any, path string) string {
	for key := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[key]
		case []any:
			var i int
			if _, err := fmt.Sscan(key, &i); err != nil || i >= len(at) {
				return ""
			}
			v = at[i]
		default:
			return ""
		}
	}
	if v == nil {
		return ""
	}
	text, _ := json.Marshal(v) // it came from JSON
	return string(text)
}

// writeWindows is the section of the page about options in Windows containers.
func writeWindows(b *bytes.Buffer) {
	b.WriteString(`
## Windows containers

They run on Windows alone, and no engine runs them yet: on Linux a plan with one is refused. What options mean there is seen in
the OCI specification that containerd's shim for Windows would get. It is compared as a whole in ` + "`executor/ocispec/windows`" + `, on
Linux and under Wine (` + "`make test-windows`" + `); nothing has run from it.

| option | runfile | sets in the specification | to |
|---|---|---|---|
`)
	for _, p := range specProofs {
		file := windowsSpecs + "/" + p.option
		fmt.Fprintf(b, "| `%s` | [%[1]s.yaml](%[2]s.yaml) | [%[3]s](%[2]s.json) | `%[4]s` |\n", p.option, file, p.field, p.value)
	}
}
