// Package diag holds diagnostics: what is wrong in a runfile, where, and how to put it right.
//
// A Diagnostic is plain data. Readers, the schema and the planner return a List next to their value and go on,
// so that one run reports every mistake of a file. Three writers render the same value: text for people, JSON
// lines for programs and workflow annotations for CI (style.md 4).
//
// The package imports nothing of ours and everybody may import it.
package diag

import (
	"cmp"
	"fmt"
	"slices"
)

// Pos is a place in a source file. Line and Column start at 1; Column counts Unicode code points, as editors do.
// The zero Pos means "nowhere in particular".
type Pos struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Range is a half-open stretch of one source file: Start is the first code point, End the one after the last.
type Range struct {
	// File is the path as the user may open it from the working directory; "-" is standard input and
	// "<command line>" the arguments of `runfile run`.
	File  string `json:"file"`
	Start Pos    `json:"start"`
	End   Pos    `json:"end"`
}

// IsZero reports whether the range points nowhere.
func (r Range) IsZero() bool { return r == Range{} }

// String is the clickable form file:line:column, or the file alone where no line is known.
func (r Range) String() string {
	switch {
	case r.File == "":
		return ""
	case r.Start.Line == 0:
		return r.File
	default:
		return fmt.Sprintf("%s:%d:%d", r.File, r.Start.Line, r.Start.Column)
	}
}

// Severity grades a diagnostic.
type Severity uint8

// The severities. An Error stops a command before anything is created; a Warning is printed and the command goes on.
const (
	Error Severity = iota
	Warning
)

// String is the word that heads a printed diagnostic.
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// MarshalText writes the severity as its word.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Code names one kind of mistake, in kebab-case ("unknown-option"). Every code is registered with its meaning, its
// cure and the smallest runfile that provokes it; see Register.
type Code string

// Label points at a second place that matters to a diagnostic: the first definition of a duplicate, the other end of
// an exclusion, an edge of a cycle.
type Label struct {
	Range Range  `json:"range"`
	Text  string `json:"text,omitempty"` // what stands there, in a few words; printed beside the carets
}

// Diagnostic is one finding. Summary is one line in the words of the manifest and never contains Go names; Help says
// what to do, one action an entry.
type Diagnostic struct {
	Severity Severity `json:"severity"`
	Code     Code     `json:"code"`
	Summary  string   `json:"summary"`
	Subject  Range    `json:"subject"`
	Label    string   `json:"label,omitempty"` // printed beside the carets under Subject
	Related  []Label  `json:"related,omitempty"`
	Help     []string `json:"help,omitempty"`
}

// List collects diagnostics.
type List []Diagnostic

// Errorf appends an error at a range and returns it for adding labels and help.
func (l *List) Errorf(code Code, at Range, format string, args ...any) *Diagnostic {
	return l.add(Error, code, at, format, args...)
}

// Warnf appends a warning at a range and returns it for adding labels and help.
func (l *List) Warnf(code Code, at Range, format string, args ...any) *Diagnostic {
	return l.add(Warning, code, at, format, args...)
}

func (l *List) add(s Severity, code Code, at Range, format string, args ...any) *Diagnostic {
	*l = append(*l, Diagnostic{Severity: s, Code: code, Summary: fmt.Sprintf(format, args...), Subject: at})
	return &(*l)[len(*l)-1]
}

// WithHelp appends a line of advice and returns d.
func (d *Diagnostic) WithHelp(format string, args ...any) *Diagnostic {
	d.Help = append(d.Help, fmt.Sprintf(format, args...))
	return d
}

// WithLabel sets the text beside the carets and returns d.
func (d *Diagnostic) WithLabel(format string, args ...any) *Diagnostic {
	d.Label = fmt.Sprintf(format, args...)
	return d
}

// Also appends a second place and returns d.
func (d *Diagnostic) Also(at Range, format string, args ...any) *Diagnostic {
	d.Related = append(d.Related, Label{Range: at, Text: fmt.Sprintf(format, args...)})
	return d
}

// HasErrors reports whether the list holds at least one Error.
func (l List) HasErrors() bool {
	return slices.ContainsFunc(l, func(d Diagnostic) bool { return d.Severity == Error })
}

// Sort orders the list by file, line, column and code, so that output is the same on every run.
func (l List) Sort() {
	slices.SortStableFunc(l, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.Subject.File, b.Subject.File),
			cmp.Compare(a.Subject.Start.Line, b.Subject.Start.Line),
			cmp.Compare(a.Subject.Start.Column, b.Subject.Start.Column),
			cmp.Compare(a.Code, b.Code),
		)
	})
}

// Sources maps a Range's File to the bytes that were read from it, for printing snippets.
type Sources map[string][]byte
