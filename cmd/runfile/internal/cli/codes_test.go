package cli

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/runfile/runfile/manifest/diag"
)

var printedCode = regexp.MustCompile(`(?m)^(?:error|warning)\[([a-z-]+)\]`)

// TestCodeExamples demands that the example of every code gives exactly that code when somebody tries it.
func TestCodeExamples(t *testing.T) {
	t.Setenv("HOME", "/home/me") // one example is about a variable of the environment
	for _, info := range diag.Codes() {
		if info.NoExample != "" {
			continue
		}
		t.Run(string(info.Code), func(t *testing.T) {
			files := maps.Clone(info.Files)
			if files == nil {
				files = map[string]string{}
			}
			if info.Example != "" {
				files["runfile.yaml"] = info.Example
			}
			args := []string{"validate"}
			if info.Command != "" {
				args = strings.Fields(info.Command)
			}
			r := runIn(t, files, nil, args...)
			var got []string
			for _, m := range printedCode.FindAllStringSubmatch(r.stderr, -1) {
				got = append(got, m[1])
			}
			if got = slices.Compact(got); !slices.Equal(got, []string{string(info.Code)}) {
				t.Errorf("gives %q\n%s%s", got, r.stdout, r.stderr)
			}
		})
	}
}
