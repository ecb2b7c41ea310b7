// Package tidy writes a runfile in its normal form: what `runfile fmt` does. Comments, blank lines between things, the
// order of containers and the text of values stay; white space, quotes that nothing needs, and one value where a list may stand become the same
// everywhere. The order of keys is people's own, unless Sort is asked for.
//
// The libraries that read runfiles do not keep comments in their places (yaml.v3 loses some and all blank lines), so a
// text that they have accepted is read a second time here, as a tree of tokens and comments (yaml.go, flow.go, toml.go),
// put in order by what the option table says (rules.go), and printed (print_yaml.go, print_toml.go). Last, the result is
// read again and compared with the input (verify.go): a text that would mean something else, or lack a comment, is never
// returned.
package tidy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
)

// CodeUnknownForm is the one code of this package.
const CodeUnknownForm diag.Code = "unknown-form"

func init() {
	diag.Register(diag.Info{
		Code: CodeUnknownForm, NoExample: "no text is known that has it",
		Meaning: "`runfile fmt` read the file, but its normal form would not say the same or would lack a comment, so the file was left as it is.",
		Cure:    "The file is valid and works. Write the odd part in a plainer way, and please report it.",
	})
}

const byteOrderMark = "\xef\xbb\xbf"

// Options say how far a text may be changed.
type Options struct {
	// Sort puts the keys of a container, of a section's entries and of the top level in the order of the option table;
	// see sortItems for what it does not touch.
	Sort bool
}

// Format returns the normal form of a runfile: YAML, JSON or TOML, by its name and content as package manifest decides.
// A text with mistakes of syntax comes back as it is, with diagnostics; keys that no runfile has do not matter. Line ends
// become those of the first line; a byte order mark stays.
func Format(file string, src []byte, o Options) ([]byte, diag.List) {
	text, mark := strings.CutPrefix(string(src), byteOrderMark)
	isTOML := manifest.IsTOML(file, []byte(text))
	parse := manifest.ParseYAML
	if isTOML {
		parse = manifest.ParseTOML
	}
	before, diags := parse(file, []byte(text))
	if diags.HasErrors() {
		return src, diags
	}
	if before.Kind != manifest.Map {
		diags.Errorf(manifest.CodeWrongShape, before.Range, "a runfile is a map of keys, this is something else").
			WithHelp("write `image: NAME`, or a `containers` section")
		return src, diags
	}
	crlf := strings.HasSuffix(firstLine(text), "\r\n")
	text = strings.ReplaceAll(text, "\r\n", "\n")
	out, comments, err := format(text, isTOML, o)
	if err == nil {
		after, diags := parse(file, []byte(out))
		err = verify(before, after, diags)
	}
	if err == nil {
		err = verifyComments(out, isTOML, comments)
	}
	if err != nil {
		diags.Errorf(CodeUnknownForm, diag.Range{File: file}, "this file is left as it is: %v", err).
			WithHelp("the file is valid; write the odd part in a plainer way, and please report it")
		return src, diags
	}
	if crlf {
		out = strings.ReplaceAll(out, "\n", "\r\n")
	}
	if mark {
		out = byteOrderMark + out
	}
	return []byte(out), nil
}

func firstLine(text string) string {
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		return text[:i+1]
	}
	return text
}

// format returns the normal form of a text with line feeds, and the comments it found.
func format(text string, isTOML bool, o Options) (string, []string, error) {
	switch {
	case isTOML:
		d := readTOML(text)
		comments := d.comments()
		d.arrange(o.Sort)
		return d.print(), comments, nil
	case strings.HasPrefix(strings.TrimLeft(text, " \t\n"), "{") && json.Valid([]byte(text)):
		var out bytes.Buffer
		if err := json.Indent(&out, []byte(strings.TrimSpace(text)), "", "  "); err != nil {
			return "", nil, fmt.Errorf("it is not JSON: %w", err)
		}
		return out.String() + "\n", nil, nil
	}
	d, err := readYAML(text)
	if err != nil {
		return "", nil, err
	}
	comments := d.comments()
	d.arrange(o.Sort)
	return d.print(), comments, nil
}
