package shell

import "strings"

// The functions of this file read what people copy from pages, in which a line is not always what a shell wants.

// noBreakSpace is what web pages have for blanks.
const noBreakSpace = '\u00a0'

// noBreak skips a no-break space, which a shell takes for a letter, as a blank.
func (p *Parser) noBreak() {
	p.Notes.Warnf(CodeSyntax, p.span(p.at, p.at+1), "a no-break space, which a shell takes for a letter").
		WithHelp("it is read as a blank; replace it")
	p.at++
}

// placeholder is the length of <name> if it stands here, else 0: words between angle brackets are no redirections.
func (p *Parser) placeholder() int {
	if p.peek(0) != '<' || p.nameLength(1) == 0 {
		return 0
	}
	for n := 1; ; n++ {
		switch r := p.peek(n); {
		case r == '>':
			if strings.ContainsRune(" \t\r\n:/,\\\x00", p.peek(n+1)) {
				return n + 1
			}
			return 0
		case r == ' ' || r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z':
		default:
			return 0
		}
	}
}

// blankBehind skips a line end that was to be escaped, where blanks between it and the backslash keep a shell from it.
func (p *Parser) blankBehind() bool {
	n := 1
	for p.peek(n) == ' ' || p.peek(n) == '\t' {
		n++
	}
	if n == 1 || p.peek(n) != '\n' && (p.peek(n) != '\r' || p.peek(n+1) != '\n') {
		return false
	}
	p.Notes.Warnf(CodeSyntax, p.span(p.at, p.at+n), "blanks behind %c at the end of a line: a shell would not go on in the next one", p.peek(0)).
		WithHelp("it is read as if they were not there")
	for p.at += n; p.text[p.at] != '\n'; p.at++ { // the loop is the way there
	}
	p.at++
	return true
}

// flagBehind reports whether the next line, which may be another comment, goes on with a flag, as no command begins.
func (p *Parser) flagBehind() bool {
	at := p.at
	defer func() { p.at = at }()
	for p.peek(0) == '\n' {
		p.at++
		for strings.ContainsRune(" \t", p.peek(0)) {
			p.at++
		}
		if p.peek(0) != '#' {
			return p.peek(0) == '-'
		}
		p.skipComment()
	}
	return false
}
