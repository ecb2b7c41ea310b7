package planner

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// WriteText prints one line a step: its number, what is done to what, why, and behind which steps.
func (p *Plan) WriteText(w io.Writer) error {
	number := make(map[string]int, len(p.Steps))
	for i, s := range p.Steps {
		number[s.ID] = i + 1
	}
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for i, s := range p.Steps {
		object := s.Object
		if s.Condition != "" {
			object += " " + s.Condition
		}
		fmt.Fprintf(tw, "%d\t%s\t%s\t%s%s\n", i+1, s.Kind, object, s.Reason, afterText(s.After, number))
	}
	if len(p.Steps) == 0 {
		fmt.Fprintln(tw, "nothing to do")
	}
	return tw.Flush()
}

func afterText(after []string, number map[string]int) string {
	if len(after) == 0 {
		return ""
	}
	numbers := make([]int, len(after))
	for i, id := range after {
		numbers[i] = number[id]
	}
	slices.Sort(numbers)
	words := make([]string, len(after))
	for i, n := range numbers {
		words[i] = strconv.Itoa(n)
	}
	return "\tafter " + strings.Join(words, ", ")
}

// WriteJSON prints steps and edges as one JSON object; the project itself is left out (`runfile config` shows it).
func (p *Plan) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(struct {
		Project  string   `json:"project"`
		Selected []string `json:"selected"`
		Steps    []Step   `json:"steps"`
		Edges    []Edge   `json:"edges"`
	}{p.Project.Name, p.Selected, p.Steps, p.Edges})
}

// WriteDOT prints the containers and their edges for graphviz; arrows point from what starts first to what needs it.
func (p *Plan) WriteDOT(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %s {\n  rankdir=LR;\n", strconv.Quote(p.Project.Name))
	for _, key := range p.Selected {
		shape := "ellipse"
		if p.Project.Container(key).IsService() {
			shape = "box"
		}
		fmt.Fprintf(&b, "  %s [shape=%s];\n", strconv.Quote(key), shape)
	}
	for _, e := range p.Edges {
		fmt.Fprintf(&b, "  %s -> %s [label=%s];\n", strconv.Quote(e.To), strconv.Quote(e.From), strconv.Quote(e.Cause+": "+e.Condition))
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteMermaid prints the same picture for Markdown renderers. Nodes are numbered, since container keys may hold
// characters that Mermaid reads as syntax.
func (p *Plan) WriteMermaid(w io.Writer) error {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	id := make(map[string]string, len(p.Selected))
	for i, key := range p.Selected {
		id[key] = "c" + strconv.Itoa(i)
		open, end := "([", "])"
		if p.Project.Container(key).IsService() {
			open, end = "[", "]"
		}
		fmt.Fprintf(&b, "  %s%s%q%s\n", id[key], open, key, end)
	}
	for _, e := range p.Edges {
		fmt.Fprintf(&b, "  %s -->|%s: %s| %s\n", id[e.To], e.Cause, e.Condition, id[e.From])
	}
	_, err := io.WriteString(w, b.String())
	return err
}
