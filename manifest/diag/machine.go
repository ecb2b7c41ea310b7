package diag

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// sorted returns a copy in printing order.
func (l List) sorted() List {
	l = slices.Clone(l)
	l.Sort()
	return l
}

// WriteJSON writes one JSON object a line, in the order in which WriteText prints. Field names are stable.
func WriteJSON(w io.Writer, l List) error {
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for _, d := range l.sorted() {
		if err := enc.Encode(d); err != nil {
			return fmt.Errorf("write diagnostics: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write diagnostics: %w", err)
	}
	return nil
}

// The escapes of GitHub workflow commands: message text, and property values in which : and , separate.
var (
	githubData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// WriteGitHub writes one workflow command a diagnostic, which GitHub shows as an annotation of that line.
func WriteGitHub(w io.Writer, l List) error {
	out := bufio.NewWriter(w)
	for _, d := range l.sorted() {
		props := make([]string, 0, 4)
		if d.Subject.File != "" {
			props = append(props, "file="+githubProperty.Replace(d.Subject.File))
		}
		if p := d.Subject.Start; p.Line > 0 {
			props = append(props, fmt.Sprintf("line=%d", p.Line), fmt.Sprintf("col=%d", p.Column))
		}
		props = append(props, "title="+githubProperty.Replace(string(d.Code)))
		lines := []string{d.Summary}
		if d.Label != "" {
			lines = append(lines, d.Label)
		}
		for _, r := range d.Related {
			lines = append(lines, strings.TrimSpace(r.Range.String()+" "+r.Text))
		}
		for _, h := range d.Help {
			lines = append(lines, "help: "+h)
		}
		for i, line := range lines {
			lines[i] = visible(line, true)
		}
		fmt.Fprintf(out, "::%s %s::%s\n", d.Severity, strings.Join(props, ","), githubData.Replace(strings.Join(lines, "\n")))
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write annotations: %w", err)
	}
	return nil
}
