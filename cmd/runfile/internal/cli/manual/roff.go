// Package manual writes the manual pages: runfile(1), one page for each command, and runfile(5) for the file. What they
// say comes from the commands, the option table and the topics of package gen, so that a page cannot say something else
// than the program does.
package manual

import (
	"fmt"
	"regexp"
	"strings"
)

// page is the text of one page, in the macros of man(7).
type page struct{ b strings.Builder }

// newPage begins a page; name is as in runfile-up, date as in 2026-11-27.
func newPage(name string, section int, date, version, summary string) *page {
	p := &page{}
	fmt.Fprintf(&p.b, ".\\\" Generated; see cmd/runfile/internal/cli/manual.\n.TH %s %d %q %q \"runfile manual\"\n",
		strings.ToUpper(name), section, date, "runfile "+version)
	p.section("Name")
	p.line(plain(name) + " \\- " + plain(summary))
	return p
}

func (p *page) section(title string) {
	fmt.Fprintf(&p.b, ".SH %s\n", quotedTitle(strings.ToUpper(title)))
}

func (p *page) subsection(title string) { fmt.Fprintf(&p.b, ".SS %s\n", quotedTitle(title)) }

func quotedTitle(s string) string {
	if strings.Contains(s, " ") {
		return `"` + plain(s) + `"`
	}
	return plain(s)
}

// line adds text that is roff already. A formatter fills lines, so long ones are broken where there is a blank.
func (p *page) line(text string) {
	const most = 78
	for len(text) > most {
		at := strings.LastIndexByte(text[:most], ' ')
		if at <= 0 {
			if at = strings.IndexByte(text, ' '); at <= 0 {
				break
			}
		}
		p.literal(text[:at])
		text = text[at+1:]
	}
	p.literal(text)
}

// literal adds one line of roff that begins with no macro.
func (p *page) literal(text string) {
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	p.b.WriteString(text + "\n")
}

// macro adds a line that is a macro.
func (p *page) macro(text string) { p.b.WriteString("." + text + "\n") }

// text adds Markdown: paragraphs between blank lines, `code` in bold.
func (p *page) text(markdown string) {
	for i, paragraph := range strings.Split(strings.TrimSpace(markdown), "\n\n") {
		if i > 0 {
			p.macro("PP")
		}
		for line := range strings.SplitSeq(paragraph, "\n") {
			p.line(marked(strings.TrimSpace(line)))
		}
	}
}

// lines adds Markdown whose lines stay lines.
func (p *page) lines(markdown string) {
	for i, line := range strings.Split(strings.TrimSpace(markdown), "\n") {
		if i > 0 {
			p.macro("br")
		}
		p.line(marked(strings.TrimSpace(line)))
	}
}

// item begins an entry of a list with a hanging label, which is roff.
func (p *page) item(label string) {
	p.macro("TP")
	p.literal(label)
}

// asIs adds lines that are printed as they are, moved in by some columns.
func (p *page) asIs(text string, indent int) {
	fmt.Fprintf(&p.b, ".RS %d\n.nf\n", indent)
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		p.literal(plain(line))
	}
	p.b.WriteString(".fi\n.RE\n")
}

// seeAlso adds the section of that name; names are as in runfile(1).
func (p *page) seeAlso(names ...string) {
	p.section("See also")
	for i, name := range names {
		word, section, _ := strings.Cut(strings.TrimSuffix(name, ")"), "(")
		end := " ,"
		if i == len(names)-1 {
			end = ""
		}
		fmt.Fprintf(&p.b, ".BR %s (%s)%s\n", plain(word), section, end)
	}
}

// plain escapes text for roff. What is no ASCII is written as a character of roff, which every formatter knows.
func plain(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\\':
			b.WriteString(`\e`)
		case r == '-':
			b.WriteString(`\-`)
		case r == '\'':
			b.WriteString(`\(aq`)
		case r == '`':
			b.WriteString(`\(ga`)
		case r == '^':
			b.WriteString(`\(ha`)
		case r == '~':
			b.WriteString(`\(ti`)
		case r == '"':
			b.WriteString(`\(dq`)
		case r > 0x7e:
			fmt.Fprintf(&b, `\[u%04X]`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func bold(s string) string { return `\fB` + plain(s) + `\fR` }

func italic(s string) string { return `\fI` + plain(s) + `\fR` }

var codeSpan = regexp.MustCompile("`[^`]+`")

// marked turns `code` into bold text.
func marked(s string) string {
	var b strings.Builder
	at := 0
	for _, m := range codeSpan.FindAllStringIndex(s, -1) {
		b.WriteString(plain(s[at:m[0]]) + bold(s[m[0]+1:m[1]-1]))
		at = m[1]
	}
	return b.String() + plain(s[at:])
}
