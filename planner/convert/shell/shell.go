// Package shell reads commands that were written for a POSIX shell, as far as scripts and manuals of docker run go:
// words, quotes, variables, assignments, operators. It runs nothing and looks nothing up: what only a running shell
// knows stays visible as a part of a word.
package shell

import (
	"strings"

	"github.com/runfile/runfile/manifest/diag"
)

// CodeSyntax is the code of what the shell could not read either.
const CodeSyntax diag.Code = "shell-syntax"

func init() {
	diag.Register(diag.Info{
		Code:      CodeSyntax,
		Meaning:   "A quote, bracket or here-document of a shell script is not closed, or a shell would read a line in another way than it is meant.",
		Cure:      "Close it, or write the line as the message says; `sh -n FILE` checks a script without running it.",
		NoExample: "it is about scripts that `runfile convert` reads",
	})
}

// Kind is what a part of a word is.
type Kind uint8

// The kinds of part.
const (
	Literal     Kind = iota
	Variable         // $NAME, ${NAME}, ${NAME:-text}, $1, ${LIST[@]}
	Command          // $(...), $((...)), <(...) or a text in backticks
	Placeholder      // <name>, with which manuals mark what the reader has to fill in
)

// Part is a piece of a word.
type Part struct {
	Kind Kind
	// Text of a Literal with quotes and escapes resolved; name of a Variable, with its subscript; inside of a Command.
	Text string
	// Op is what follows a Variable's name in braces: :- and its like, or anything else that begins there.
	Op     string
	Arg    []Part // what follows Op
	Quoted bool   // a shell would not split it into several words
	Source string // as written

	from, to int // of a Command's Text
}

// Word is one argument as written.
type Word struct {
	Parts []Part
	Range diag.Range
}

// Static returns the text of a word without variables and commands.
func (w Word) Static() (string, bool) {
	var b strings.Builder
	for _, p := range w.Parts {
		if p.Kind != Literal {
			return "", false
		}
		b.WriteString(p.Text)
	}
	return b.String(), true
}

// Bare reports whether the word is the unquoted text s, as keywords are.
func (w Word) Bare(s string) bool {
	return len(w.Parts) == 1 && w.Parts[0].Kind == Literal && !w.Parts[0].Quoted && w.Parts[0].Text == s
}

// Cut removes the first n bytes of a word's text, which must be literal.
func (w Word) Cut(n int) Word {
	out := Word{Range: w.Range}
	for _, p := range w.Parts {
		if p.Kind == Literal && n > 0 {
			k := min(n, len(p.Text))
			p.Text = p.Text[k:]
			if n -= k; p.Text == "" {
				continue
			}
		}
		out.Parts = append(out.Parts, p)
	}
	return out
}

// Prefix is the literal text with which the word begins.
func (w Word) Prefix() string {
	var b strings.Builder
	for _, p := range w.Parts {
		if p.Kind != Literal {
			break
		}
		b.WriteString(p.Text)
	}
	return b.String()
}

// Assignment is NAME=value, NAME+=value or NAME=(list).
type Assignment struct {
	Name   string
	Append bool
	Value  Word
	List   []Word
	IsList bool
	Range  diag.Range
}

// Redirect is a redirection such as 2>/dev/null; Target is the end mark of a here-document.
type Redirect struct {
	Op     string // with the number before it
	Target Word
	Range  diag.Range
}

// Simple is a command up to an operator or the end of its line.
type Simple struct {
	Assign    []Assignment
	Words     []Word
	Redirects []Redirect
	End       string // the operator behind it: ; & && || | |& ( ) or "" for the end of the line
	Range     diag.Range
}

func (s *Simple) empty() bool { return len(s.Assign)+len(s.Words)+len(s.Redirects) == 0 }

// Parser reads a text line by line.
type Parser struct {
	// Windows says that the next lines were typed at a prompt of Windows, where a backslash is a letter.
	Windows bool
	// Diags are the places that could not be read.
	Diags diag.List
	// Notes are the places that a shell would read in another way than they are meant.
	Notes diag.List

	file  string
	text  []rune
	at    int
	start []int // of each line
	here  []heredoc
}

type heredoc struct {
	end  string
	tabs bool // <<- : tabs before the end mark do not count
	at   diag.Range
}

// New makes a parser of a text, which must be UTF-8.
func New(file string, text []byte) *Parser {
	p := &Parser{file: file, text: []rune(string(text)), start: []int{0}}
	for i, r := range p.text {
		if r == '\n' {
			p.start = append(p.start, i+1)
		}
	}
	return p
}

// Lines is the number of lines of the text.
func (p *Parser) Lines() int { return len(p.start) }

// Seek makes line (from 1) the next to be read, beginning at its column (from 1).
func (p *Parser) Seek(line, column int) { p.at = p.start[line-1] + column - 1 }

// Next is the line (from 1) that will be read next; it is beyond the last line at the end.
func (p *Parser) Next() int {
	if p.at >= len(p.text) {
		return len(p.start) + 1
	}
	return p.pos(p.at).Line
}

// Inside reads the commands in a part that is a Command.
func (p *Parser) Inside(part Part) []Simple {
	sub := &Parser{Windows: p.Windows, file: p.file, text: p.text[:part.to], start: p.start, at: part.from}
	var out []Simple
	for sub.at < len(sub.text) {
		out = append(out, sub.Line()...)
	}
	p.Diags = append(p.Diags, sub.Diags...)
	return out
}

func (p *Parser) pos(at int) diag.Pos {
	lo, hi := 0, len(p.start)
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; p.start[mid] <= at {
			lo = mid
		} else {
			hi = mid
		}
	}
	return diag.Pos{Line: lo + 1, Column: at - p.start[lo] + 1}
}

func (p *Parser) span(from, to int) diag.Range {
	return diag.Range{File: p.file, Start: p.pos(from), End: p.pos(to)}
}

// peek is the rune n places ahead, 0 at the end.
func (p *Parser) peek(n int) rune {
	if p.at+n >= len(p.text) {
		return 0
	}
	return p.text[p.at+n]
}

func (p *Parser) has(s string) bool {
	for i, r := range []rune(s) {
		if p.peek(i) != r {
			return false
		}
	}
	return true
}

// continued skips a line end that is escaped.
func (p *Parser) continued() bool {
	mark := p.peek(0)
	if mark != '\\' && (!p.Windows || mark != '`' && mark != '^') {
		return false
	}
	switch {
	case p.peek(1) == '\n':
		p.at += 2
	case p.peek(1) == '\r' && p.peek(2) == '\n':
		p.at += 3
	default:
		return p.blankBehind()
	}
	return true
}

// operators end a command; the longer ones first.
var operators = []string{"&&", "||", "|&", ";;", "&", "|", ";", "(", ")"}

// Line reads the commands up to the end of the line that is next; words and quotes may go over several lines.
func (p *Parser) Line() []Simple {
	var out []Simple
	cur := Simple{}
	finish := func(op string) {
		if !cur.empty() {
			cur.End = op
			out = append(out, cur)
		}
		cur = Simple{}
	}
	joined := false // the line before has been continued, and nothing of this one has been read
	behind := false // and a flag comes behind the comments
	for p.at < len(p.text) {
		switch r := p.peek(0); {
		case r == '\n':
			p.at++
			finish("")
			p.heredocs()
			return out
		case r == ' ' || r == '\t' || r == '\r':
			p.at++
		case r == noBreakSpace:
			p.noBreak()
		case p.continued():
			joined = true
		case r == '#':
			from := p.at
			if p.skipComment(); joined && (behind || p.flagBehind()) {
				behind = true
				p.Notes.Warnf(CodeSyntax, p.span(from, p.at), "a comment between the lines of a command: a shell would end the command here").
					WithHelp("it is read as if the comment were not there; move it above the command")
				p.at++
			}
		case p.placeholder() == 0 && p.redirect(&cur):
		default:
			if op := p.operator(); op != "" {
				p.at += len(op)
				finish(op)
				continue
			}
			p.argument(&cur)
			joined, behind = false, false
		}
	}
	finish("")
	p.heredocs()
	return out
}

func (p *Parser) operator() string {
	for _, op := range operators {
		if p.has(op) {
			return op
		}
	}
	return ""
}

// argument reads a word, or an assignment if the command has none yet.
func (p *Parser) argument(cur *Simple) {
	from := p.at
	if a, ok := p.assignment(len(cur.Words) == 0 || declares(cur.Words)); ok {
		a.Range = p.span(from, p.at)
		cur.Assign = append(cur.Assign, a)
	} else if w := p.word(); len(w.Parts) > 0 || p.at == from {
		cur.Words = append(cur.Words, w)
	}
	if p.at == from { // nothing that a word can hold
		p.at++
	}
	cur.Range = join(cur.Range, p.span(from, p.at))
}

// declares reports whether the words so far are export or one of its like, behind which assignments may stand.
func declares(words []Word) bool {
	for i, w := range words {
		text, ok := w.Static()
		if !ok || i == 0 && !strings.Contains(" export readonly declare typeset local ", " "+text+" ") || i > 0 && text[:1] != "-" {
			return false
		}
	}
	return true
}

func join(a, b diag.Range) diag.Range {
	if a.IsZero() {
		return b
	}
	a.End = b.End
	return a
}

// assignment reads NAME=word, NAME+=word or NAME=(words) if one stands here.
func (p *Parser) assignment(may bool) (a Assignment, ok bool) {
	n := p.nameLength(0)
	if !may || n == 0 {
		return a, false
	}
	begin := p.at
	a.Name = string(p.text[p.at : p.at+n])
	if p.peek(n) == '+' && p.peek(n+1) == '=' {
		a.Append = true
		n++
	}
	if p.peek(n) != '=' {
		return a, false
	}
	p.at += n + 1
	if p.peek(0) != '(' {
		a.Value = p.word()
		return a, true
	}
	a.IsList = true
	a.List = p.list(begin)
	return a, true
}

// list reads the words of NAME=(words), which begins at an offset.
func (p *Parser) list(begin int) (words []Word) {
	for p.at++; p.at < len(p.text); {
		switch r := p.peek(0); {
		case r == ')':
			p.at++
			return words
		case r == '#':
			p.skipComment()
		case strings.ContainsRune(" \t\n\r", r):
			p.at++
		case p.continued():
		default:
			from := p.at
			if words = append(words, p.word()); p.at == from { // an operator, which has no place here
				p.at++
			}
		}
	}
	p.unclosed(begin, "the list")
	return words
}

func (p *Parser) skipComment() {
	for p.at < len(p.text) && p.peek(0) != '\n' {
		p.at++
	}
}

// nameLength is the length of the variable name that stands n places ahead.
func (p *Parser) nameLength(n int) int {
	k := 0
	for ; ; k++ {
		r := p.peek(n + k)
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (k == 0 || r < '0' || r > '9') {
			return k
		}
	}
}

var redirections = []string{"&>>", "&>", "<<<", "<<-", "<<", "<>", "<&", ">>", ">&", ">|", "<", ">"}

// redirect reads a redirection if one stands here.
func (p *Parser) redirect(cur *Simple) bool {
	from, n := p.at, 0
	for p.peek(n) >= '0' && p.peek(n) <= '9' {
		n++
	}
	if r := p.peek(n + 1); r == '(' && (p.peek(n) == '<' || p.peek(n) == '>') {
		return false // a command whose output is a file
	}
	p.at += n
	for _, op := range redirections {
		if !p.has(op) {
			continue
		}
		p.at += len(op)
		for p.peek(0) == ' ' || p.peek(0) == '\t' {
			p.at++
		}
		r := Redirect{Op: string(p.text[from:from+n]) + op, Target: p.word()}
		r.Range = p.span(from, p.at)
		if op == "<<" || op == "<<-" {
			end, _ := r.Target.Static()
			p.here = append(p.here, heredoc{end: end, tabs: op == "<<-", at: r.Range})
		}
		cur.Redirects = append(cur.Redirects, r)
		cur.Range = join(cur.Range, r.Range)
		return true
	}
	p.at = from
	return false
}

// heredocs skips the here-documents that the line before has announced.
func (p *Parser) heredocs() {
	for _, h := range p.here {
		for found := false; !found; {
			if p.at >= len(p.text) {
				p.Diags.Warnf(CodeSyntax, h.at, "the here-document has no line %q at its end", h.end)
				break
			}
			end := p.at
			for end < len(p.text) && p.text[end] != '\n' {
				end++
			}
			line := strings.TrimSuffix(string(p.text[p.at:end]), "\r")
			if h.tabs {
				line = strings.TrimLeft(line, "\t")
			}
			found = line == h.end
			p.at = min(end+1, len(p.text))
		}
	}
	p.here = nil
}

func (p *Parser) unclosed(from int, what string) {
	p.Diags.Warnf(CodeSyntax, p.span(from, from+1), "%s that begins here is not closed", what)
}

// Quote writes text so that a shell reads it as one word.
func Quote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=,@%+", r)
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
