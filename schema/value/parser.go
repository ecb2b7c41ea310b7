package value

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// Parser is one value syntax: how text becomes a value and back, and how the syntax is told to people, editors and
// shells. The zero Format means that values print with %v.
type Parser[T any] struct {
	// Parse turns the text of one value into its meaning. Errors are *Error where advice can be given.
	Parse func(text string) (T, error)
	// Fields turns the map form of a value into its meaning; nil where there is none.
	Fields func(fields []Field) (T, error)
	// Format is the canonical text: Parse(Format(v)) gives v again, unless FormatFields says otherwise.
	Format func(v T) string
	// FormatFields is the canonical map form of a value that the text form cannot express, else nil.
	FormatFields func(v T) []Field
	// False is the word that an unquoted false stands for, "" where a boolean is an error: YAML 1.1 reads no as false.
	False string
	// Schema makes the draft-07 JSON schema of the text form; nil where there is none.
	Schema func() map[string]any
	// FieldsSchema makes the draft-07 JSON schema of the map form; nil where there is none.
	FieldsSchema func() map[string]any
	// Entry makes the schemas of an entry NAME: REST of a map: of the name, and of what the text form has behind its
	// separator; nil where no map stands for several values.
	Entry func() (name, rest map[string]any)
	// Syntax describes the text form in one line, as help pages print it.
	Syntax string
	// Words completes the text form in shells; for closed sets it lists every value.
	Words []string
}

// jsonSchema is a draft-07 JSON schema. It is made when an editor's schema or a page is, which no run needs.
type jsonSchema = map[string]any

// Text is the canonical text of v.
func (p Parser[T]) Text(v T) string {
	if p.Format == nil {
		return fmt.Sprint(v)
	}
	return p.Format(v)
}

// Field is one key of the map form of a value. A key whose value is a list comes once per entry.
type Field struct {
	Name, Text string
	Null       bool // the key has no value
	InList     bool // Text is an entry of a list
}

// Error is a value that breaks its syntax's rule. It never names the option.
type Error struct {
	// Problem is a clause about the value: `"12q" has no unit that is known`.
	Problem string
	// Fix says what to write instead, "" if the option's example says it best.
	Fix string
	// Got and Words allow a suggestion: what was written and all that may be.
	Got   string
	Words []string
	// Field is the key of the map form that is wrong, "" for the whole value. UnknownField: the key itself is, and
	// Meant is the name that it certainly stands for, "" if there is none.
	Field        string
	UnknownField bool
	Meant        string
	// Windows says that a Windows container would take the value.
	Windows bool
	// NotYet marks a value that docker knows and runfile does not honour yet.
	NotYet bool
}

// Error implements error.
func (e *Error) Error() string { return e.Problem }

// bad makes an Error from a format.
func bad(format string, args ...any) *Error {
	return &Error{Problem: fmt.Sprintf(format, asWritten(args)...)}
}

// written is text that %q prints between quotes as it stands: a path of Windows doubles no backslashes.
type written string

// Format implements fmt.Formatter.
func (w written) Format(f fmt.State, verb rune) {
	text := string(w)
	if verb == 'q' {
		text = `"` + text + `"`
	}
	_, _ = io.WriteString(f, text) // a fmt.State collects it
}

// asWritten makes texts with backslashes and without control characters print as they are written.
func asWritten(args []any) []any {
	for i, a := range args {
		if s, ok := a.(string); ok && strings.Contains(s, `\`) && !strings.ContainsFunc(s, unicode.IsControl) {
			args[i] = written(s)
		}
	}
	return args
}

// fix adds the cure and returns e.
func (e *Error) fix(format string, args ...any) *Error {
	e.Fix = fmt.Sprintf(format, asWritten(args)...)
	return e
}

// in says which key of a map form is wrong and returns e.
func (e *Error) in(field string) *Error {
	e.Field = field
	return e
}

// from adds what may be written and returns e.
func (e *Error) from(got string, words []string) *Error {
	e.Got, e.Words = got, words
	return e
}

// notYet marks e as something docker honours and runfile does not, and returns e.
func (e *Error) notYet() *Error {
	e.NotYet = true
	return e
}

// unknownField is the error for a key that a map form does not have.
func unknownField(name string, known []string) *Error {
	e := bad("there is no key %q here", name).from(name, known).in(name)
	e.UnknownField = true
	if e.Meant = fieldMeant(name, known); e.Meant != "" {
		e.Words, e.Fix = nil, "write "+e.Meant
	}
	return e
}

// pattern is the schema of a string that matches an ECMA-262 expression.
func pattern(p string) jsonSchema { return map[string]any{"type": "string", "pattern": p} }

// textOrNumber is a schema for what may be written with or without quotes.
func textOrNumber() jsonSchema {
	return map[string]any{"type": []any{"string", "number"}}
}

// textEntry makes an Entry of names that match an expression and any text.
func textEntry(name string) func() (jsonSchema, jsonSchema) {
	return func() (jsonSchema, jsonSchema) { return pattern(`^` + name + `$`), textOrNumber() }
}

// anyText is the schema of free text.
func anyText() jsonSchema { return map[string]any{"type": "string"} }

// anyOf combines schemas.
func anyOf(s ...map[string]any) jsonSchema {
	list := make([]any, len(s))
	for i := range s {
		list[i] = s[i]
	}
	return map[string]any{"anyOf": list}
}

// enum is the schema of a closed set of words.
func enum(words ...string) jsonSchema {
	list := make([]any, len(words))
	for i, w := range words {
		list[i] = w
	}
	return map[string]any{"type": "string", "enum": list}
}

// formatCSV joins the parts of a text that is read as one line of CSV.
func formatCSV(parts []string) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	_ = w.Write(parts) // a strings.Builder takes everything
	w.Flush()
	return strings.TrimSuffix(b.String(), "\n")
}

// oneOf joins words for a message: a, b or c.
func oneOf(words []string) string {
	switch len(words) {
	case 0:
		return ""
	case 1:
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
