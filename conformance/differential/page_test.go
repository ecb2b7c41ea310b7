package differential

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/differences-from-docker.md anew")

const page = "../../docs/differences-from-docker.md"

// TestPage holds docs/differences-from-docker.md to the tables.
func TestPage(t *testing.T) {
	want := writePage()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got, err := os.ReadFile(page); err != nil || string(got) != want {
		t.Errorf("%s is stale; refresh it in conformance/differential with\n\tgo test -run TestPage -update\n%v", page, err)
	}
}

// chapters are the kinds in the order of the page.
var chapters = []struct {
	kind          kind
	title, lesson string
}{
	{
		stricter, "What docker takes and runfile refuses",
		"Docker drops some of these in silence, and leaves others to its daemon, the runtime or the kernel.",
	},
	{otherwise, "What both take and read differently", ""},
	{wider, "What docker refuses and runfile takes", ""},
}

func writePage() string {
	var b strings.Builder
	fmt.Fprintf(&b, `# How values differ from docker's

runfile reads the values of options as docker run does, but for what is below. The list is complete for the %d texts that
`+"`conformance/differential`"+` gives to docker %s and to runfile: a disagreement that is not here fails the test, as does an
entry that no text needs. Written by `+"`go test -run TestPage -update`"+` there; do not edit.
`, total(), dockerVersion())
	for _, c := range chapters {
		fmt.Fprintf(&b, "\n## %s\n\n", c.title)
		if c.lesson != "" {
			b.WriteString(c.lesson + "\n\n")
		}
		writeTable(&b, "option", "docker", differences, c.kind, compareAll().texts)
	}
	writeComposePart(&b)
	return b.String()
}

// writeTable writes the differences of one kind.
func writeTable(b *strings.Builder, of, other string, list []difference, k kind, texts map[*difference][]verdict) {
	fmt.Fprintf(b, "| %s | for example | %s | runfile | because |\n|---|---|---|---|---|\n", of, other)
	for i := range list {
		if d := &list[i]; d.kind == k {
			row := []string{strings.Join(d.syntaxes, ", "), examples(texts[d]), d.docker, d.runfile, d.why.because}
			b.WriteString("| " + strings.Join(row, " | ") + " |\n")
		}
	}
}

// composeChapters are the kinds in the order of the page.
var composeChapters = []struct {
	kind  kind
	title string
}{
	{otherwise, "What both take and read differently"},
	{stricter, "What Compose takes and the converted file refuses"},
	{wider, "What Compose refuses and convert takes"},
}

func writeComposePart(b *strings.Builder) {
	fmt.Fprintf(b, `
## What Compose reads otherwise

`+"`runfile convert`"+` makes of a compose file what Compose makes of it, says at its place what it does not carry or carries in
another way, and parts from Compose without a word only in what is below. The list is complete for the %d compose files
that are given to compose-go %s, which docker compose reads its files with, and to the converter.
`, len(compareAllCompose().files), moduleVersion("github.com/compose-spec/compose-go/v2"))
	for _, c := range composeChapters {
		b.WriteString("\n### " + c.title + "\n\n")
		writeTable(b, "key", "Compose", composeDifferences, c.kind, compareAllCompose().texts)
	}
}

// examples are the first texts of a difference that look different.
func examples(list []verdict) string {
	var out []string
	for _, v := range list {
		text := v.text
		if text == "" || strings.ContainsFunc(text, func(r rune) bool { return !strconv.IsPrint(r) }) || strings.TrimSpace(text) != text {
			text = strconv.Quote(text)
		}
		text = "`" + strings.ReplaceAll(text, "|", `\|`) + "`"
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return strings.Join(out[:min(len(out), 3)], " ")
}
