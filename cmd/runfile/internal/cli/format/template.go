// Package format prints what verbs list: tables, JSON, YAML and docker's Go templates, with docker's field names.
package format

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"text/template"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Functions are docker's template functions.
func functions() template.FuncMap {
	return template.FuncMap{
		"json":     toJSON,
		"split":    strings.Split,
		"join":     join,
		"title":    title,
		"lower":    strings.ToLower,
		"upper":    strings.ToUpper,
		"pad":      pad,
		"truncate": truncate,
	}
}

func toJSON(v any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// join accepts a list of anything, so that `join .Args " "` works on every field.
func join(list any, separator string) (string, error) {
	switch l := list.(type) {
	case []string:
		return strings.Join(l, separator), nil
	case []any:
		words := make([]string, len(l))
		for i, v := range l {
			words[i] = fmt.Sprint(v)
		}
		return strings.Join(words, separator), nil
	case nil:
		return "", nil
	}
	return "", fmt.Errorf("join needs a list, got %T", list)
}

func title(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToTitle(r)) + s[n:]
}

func pad(s string, before, after int) string {
	if s == "" {
		return s
	}
	return strings.Repeat(" ", max(before, 0)) + s + strings.Repeat(" ", max(after, 0))
}

func truncate(s string, n int) string {
	if runes := []rune(s); n >= 0 && len(runes) > n {
		return string(runes[:n])
	}
	return s
}

// Parse compiles a template with docker's functions. `\t` and `\n` written as two characters are a tab and a newline,
// because shells pass them so.
func Parse(text string) (*template.Template, error) {
	text = strings.NewReplacer(`\t`, "\t", `\n`, "\n").Replace(text)
	t, err := template.New("format").Funcs(functions()).Parse(text)
	if err != nil {
		return nil, badTemplate(err)
	}
	return t, nil
}

// ErrTemplate is in every error that a template of the user is to blame for.
var ErrTemplate = errors.New("wrong template")

// templateError is an error of the template and not of writing its result.
type templateError string

// Error implements error.
func (e templateError) Error() string { return "--format: " + string(e) }

// Is makes it an ErrTemplate.
func (e templateError) Is(target error) bool { return target == ErrTemplate }

// badTemplate says what text/template says without the names that only we know: the template's, and those of Go types.
func badTemplate(err error) error {
	msg := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "template: "), "format:")
	msg = strings.Replace(msg, `executing "format" at `, "", 1)
	if before, rest, ok := strings.Cut(msg, "can't evaluate field "); ok {
		field, _, _ := strings.Cut(rest, " ")
		msg = before + "there is no field " + field
	}
	return templateError(strings.TrimSpace(msg))
}

// Headers are the column titles of a listing by field name. Label is a method, as it is of the rows.
type Headers map[string]string

// Label is the title of a `.Label "name"` column.
func (h Headers) Label(name string) string { return name }

// List prints rows as format says: "" the table with the given columns, "json" one object a line, "yaml" one list,
// "table TEMPLATE" a table with titles, anything else a template for each row.
func List[T any](w io.Writer, format string, columns string, headers Headers, rows []T) error {
	switch {
	case format == "" || format == "table":
		return table(w, columns, headers, rows)
	case strings.HasPrefix(format, "table "):
		return table(w, strings.TrimPrefix(format, "table "), headers, rows)
	case format == "json":
		for _, row := range rows {
			line, err := toJSON(row)
			if err != nil {
				return fmt.Errorf("write JSON: %w", err)
			}
			if _, err := fmt.Fprintln(w, line); err != nil {
				return err
			}
		}
		return nil
	case format == "yaml":
		return YAML(w, rows)
	}
	t, err := Parse(format)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if err := Execute(w, t, row); err != nil {
			return err
		}
	}
	return nil
}

func table[T any](w io.Writer, columns string, headers Headers, rows []T) error {
	t, err := Parse(strings.TrimSpace(columns))
	if err != nil {
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 1, 3, ' ', 0)
	if err := Execute(tw, t, headers); err != nil {
		return err
	}
	for _, row := range rows {
		if err := Execute(tw, t, row); err != nil {
			return err
		}
	}
	return tw.Flush()
}

// Execute prints one row and a newline.
func Execute(w io.Writer, t *template.Template, row any) error {
	var b bytes.Buffer
	if err := t.Execute(&b, row); err != nil {
		return badTemplate(err)
	}
	b.WriteByte('\n')
	_, err := w.Write(b.Bytes())
	return err
}

// One prints a single value with a template, or as indented JSON where format is empty or "json".
func One(w io.Writer, format string, v any) error {
	switch format {
	case "", "json":
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "    ")
		return enc.Encode(v)
	case "yaml":
		return YAML(w, v)
	}
	t, err := Parse(format)
	if err != nil {
		return err
	}
	err = Execute(w, t, v)
	if err == nil || isWrite(err) {
		return err
	}
	// As docker's inspect does: what is no field of the value may be one of its JSON, {{.Id}} for example.
	plain, convertErr := asJSON(v)
	if convertErr != nil || Execute(w, t.Option("missingkey=error"), plain) != nil {
		return err
	}
	return nil
}

// asJSON is v as the maps and lists that its JSON says.
func asJSON(v any) (any, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var plain any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber() // a size stays 67108864 and does not become 6.7108864e+07
	err = dec.Decode(&plain)
	return plain, err
}

func isWrite(err error) bool { return !errors.Is(err, ErrTemplate) }

// YAML prints a value with the field names that its JSON has.
func YAML(w io.Writer, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write YAML: %w", err)
	}
	var node yaml.Node // keeps the order of the fields
	if err := yaml.Unmarshal(data, &node); err != nil {
		return fmt.Errorf("write YAML: %w", err)
	}
	blockStyle(&node)
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(&node); err != nil {
		return fmt.Errorf("write YAML: %w", err)
	}
	return enc.Close()
}

// blockStyle undoes the flow style and the quotes that came from JSON. Text that YAML would read as something else is
// quoted again by the encoder, since the node keeps its !!str tag.
func blockStyle(n *yaml.Node) {
	n.Style = 0
	for _, c := range n.Content {
		blockStyle(c)
	}
}
