package shell

import (
	"slices"
	"strconv"
	"strings"
)

// builder collects the parts of a word; neighbouring literals of the same sort become one.
type builder struct{ parts []Part }

func (b *builder) add(r rune, quoted bool) { b.text(string(r), quoted) }

func (b *builder) text(s string, quoted bool) {
	if n := len(b.parts); n > 0 && b.parts[n-1].Kind == Literal && b.parts[n-1].Quoted == quoted {
		b.parts[n-1].Text += s
		return
	}
	b.parts = append(b.parts, Part{Kind: Literal, Text: s, Quoted: quoted})
}

// word returns the parts, without the empty text of quotes that hold something else.
func (b *builder) word() []Part {
	if len(b.parts) < 2 {
		return b.parts
	}
	return slices.DeleteFunc(b.parts, func(p Part) bool { return p.Kind == Literal && p.Text == "" })
}

// word reads up to a blank or an operator.
func (p *Parser) word() Word {
	from := p.at
	b := &builder{}
	for windows := p.Windows; p.at < len(p.text); {
		r := p.peek(0)
		switch {
		case p.continued():
			continue
		case r == '\\' && !windows && p.drivePath(b):
			windows = true
			continue
		case (r == '<' || r == '>') && p.peek(1) == '(' && p.at == from:
			p.at++
			p.command(b, from, false)
			continue
		case r == '<' && p.placeholder() > 0:
			n := p.placeholder()
			text := string(p.text[p.at : p.at+n])
			b.parts = append(b.parts, Part{Kind: Placeholder, Text: text[1 : n-1], Source: text})
			p.at += n
			continue
		case strings.ContainsRune(" \t\r\n;&|()<>", r), r == noBreakSpace:
			return Word{Parts: b.word(), Range: p.span(from, p.at)}
		}
		p.piece(b, windows)
	}
	return Word{Parts: b.word(), Range: p.span(from, p.at)}
}

// piece reads one quoted stretch, expansion or letter of a word.
func (p *Parser) piece(b *builder, windows bool) {
	switch r := p.peek(0); {
	case r == '\'':
		p.single(b)
	case r == '"':
		p.double(b)
	case r == '$' && p.peek(1) == '\'':
		p.at++
		p.escaped(b)
	case r == '$' && p.peek(1) == '"':
		p.at++
		p.double(b)
	case r == '$':
		p.dollar(b, false)
	case r == '%' && p.Windows && p.percent(b):
	case r == '`':
		p.backticks(b, false)
	case r == '\\' && !windows:
		p.at++
		if p.at < len(p.text) {
			b.add(p.peek(0), true)
			p.at++
		}
	default:
		b.add(r, false)
		p.at++
	}
}

// drivePath reports whether the backslash that comes next belongs to a path of Windows: in a shell it would vanish, which
// nobody means behind a drive's letter or at the start of \\server\share.
func (p *Parser) drivePath(b *builder) bool {
	if len(b.parts) == 0 {
		next := p.peek(2)
		return p.peek(1) == '\\' && (next >= 'a' && next <= 'z' || next >= 'A' && next <= 'Z')
	}
	last := b.parts[len(b.parts)-1]
	before, isDrive := strings.CutSuffix(last.Text, ":")
	if last.Kind != Literal || last.Quoted || !isDrive || before == "" {
		return false
	}
	letter := before[len(before)-1] | 0x20
	before = before[:len(before)-1]
	return letter >= 'a' && letter <= 'z' && (before == "" || strings.ContainsRune(":=,", rune(before[len(before)-1])))
}

func (p *Parser) single(b *builder) {
	from := p.at
	for p.at++; p.at < len(p.text); p.at++ {
		if p.peek(0) == '\'' {
			b.text("", true) // '' is a word, too
			p.at++
			return
		}
		b.add(p.peek(0), true)
	}
	p.unclosed(from, "the quote")
}

func (p *Parser) double(b *builder) {
	from := p.at
	b.text("", true)
	for p.at++; p.at < len(p.text); {
		switch r := p.peek(0); {
		case r == '"':
			p.at++
			return
		case r == '\\' && !p.Windows:
			p.at++
			switch next := p.peek(0); {
			case next == '\n':
			case strings.ContainsRune("$`\"\\", next):
				b.add(next, true)
			default:
				b.text("\\", true)
				continue
			}
			p.at++
		case r == '$':
			p.dollar(b, true)
		case r == '%' && p.Windows && p.percent(b):
		case r == '`' && !p.Windows:
			p.backticks(b, true)
		default:
			b.add(r, true)
			p.at++
		}
	}
	p.unclosed(from, "the quote")
}

var escapes = map[rune]string{
	'n': "\n", 't': "\t", 'r': "\r", 'a': "\a", 'b': "\b", 'f': "\f", 'v': "\v", 'e': "\x1b", 'E': "\x1b",
	'\\': "\\", '\'': "'", '"': "\"", '?': "?",
}

// escaped reads bash's $'...'.
func (p *Parser) escaped(b *builder) {
	from := p.at
	b.text("", true)
	for p.at++; p.at < len(p.text); p.at++ {
		switch r := p.peek(0); {
		case r == '\'':
			p.at++
			return
		case r != '\\':
			b.add(r, true)
		default:
			p.at++
			if s, ok := escapes[p.peek(0)]; ok {
				b.text(s, true)
				continue
			}
			p.numbered(b)
		}
	}
	p.unclosed(from, "the quote")
}

// numbered reads the rest of \xHH, \uHHHH, \UHHHHHHHH and \NNN and stays on its last digit.
func (p *Parser) numbered(b *builder) {
	base, most, skip := 8, 3, 0
	switch p.peek(0) {
	case 'x':
		base, most, skip = 16, 2, 1
	case 'u':
		base, most, skip = 16, 4, 1
	case 'U':
		base, most, skip = 16, 8, 1
	}
	n := 0
	for n < most {
		if _, err := strconv.ParseUint(string(p.peek(skip+n)), base, 8); err != nil {
			break
		}
		n++
	}
	if n == 0 {
		b.text("\\"+string(p.peek(0)), true)
		return
	}
	v, _ := strconv.ParseUint(string(p.text[p.at+skip:p.at+skip+n]), base, 32) // checked digit by digit
	b.add(rune(v), true)
	p.at += skip + n - 1
}

// percent reads the variable %NAME% of Windows if one stands here.
func (p *Parser) percent(b *builder) bool {
	n := p.nameLength(1)
	if n == 0 || p.peek(n+1) != '%' {
		return false
	}
	name := string(p.text[p.at+1 : p.at+1+n])
	part := Part{Kind: Variable, Text: name, Source: "%" + name + "%"}
	if strings.EqualFold(name, "cd") {
		part.Text = "PWD"
	}
	b.parts = append(b.parts, part)
	p.at += n + len("%%")
	return true
}

// dollar reads an expansion, or the dollar sign alone.
func (p *Parser) dollar(b *builder, quoted bool) {
	from := p.at
	if p.Windows && p.has("$env:") && p.nameLength(len("$env:")) > 0 { // PowerShell's way to the environment
		n := len("$env:") + p.nameLength(len("$env:"))
		p.at += n
		b.parts = append(b.parts, Part{Kind: Variable, Text: string(p.text[from+len("$env:") : p.at]), Quoted: quoted, Source: string(p.text[from:p.at])})
		return
	}
	n := p.nameLength(1)
	switch r := p.peek(1); {
	case n > 0:
		p.at += 1 + n
		b.parts = append(b.parts, Part{Kind: Variable, Text: string(p.text[from+1 : p.at]), Quoted: quoted, Source: string(p.text[from:p.at])})
	case r == '{':
		p.braces(b, quoted)
	case r == '(':
		p.at++
		p.command(b, from, quoted)
	case r >= '0' && r <= '9' || r != 0 && strings.ContainsRune("@*#?$!-", r):
		p.at += 2
		b.parts = append(b.parts, Part{Kind: Variable, Text: string(r), Quoted: quoted, Source: "$" + string(r)})
	default:
		b.add('$', quoted)
		p.at++
	}
}

// command reads (...) with everything in it, at its opening bracket.
func (p *Parser) command(b *builder, from int, quoted bool) {
	open := p.at
	end := p.closing('(', ')')
	if end < 0 {
		p.unclosed(from, "the bracket")
		end = len(p.text) - 1
		p.at = len(p.text)
	}
	b.parts = append(b.parts, Part{
		Kind: Command, Text: string(p.text[open+1 : max(end, open+1)]), Quoted: quoted, Source: string(p.text[from:p.at]),
		from: open + 1, to: max(end, open+1),
	})
}

// closing moves behind the bracket that closes the one here and returns its place, -1 if there is none.
func (p *Parser) closing(left, right rune) int {
	depth := 0
	for ; p.at < len(p.text); p.at++ {
		switch r := p.peek(0); r {
		case left:
			depth++
		case right:
			if depth--; depth == 0 {
				p.at++
				return p.at - 1
			}
		case '\\':
			p.at++
		case '\'', '"':
			p.skipQuotes(r)
		}
	}
	return -1
}

// skipQuotes moves onto the closing quote.
func (p *Parser) skipQuotes(quote rune) {
	for p.at++; p.at < len(p.text) && p.peek(0) != quote; p.at++ {
		if quote == '"' && p.peek(0) == '\\' {
			p.at++
		}
	}
}

func (p *Parser) backticks(b *builder, quoted bool) {
	from := p.at
	for p.at++; p.at < len(p.text); p.at++ {
		switch p.peek(0) {
		case '`':
			p.at++
			if text := strings.TrimSpace(string(p.text[from+1 : p.at-1])); strings.HasPrefix(text, "#") && !strings.Contains(text, "\n") {
				return // a comment in the middle of a command, which prints nothing
			}
			b.parts = append(b.parts, Part{
				Kind: Command, Text: string(p.text[from+1 : p.at-1]), Quoted: quoted, Source: string(p.text[from:p.at]),
				from: from + 1, to: p.at - 1,
			})
			return
		case '\\':
			p.at++
		}
	}
	p.unclosed(from, "the backtick")
}

// valueOps are the operators of ${NAME...} that stand before a text that may take the value's place.
var valueOps = []string{":-", ":=", ":?", ":+", "-", "=", "?", "+"}

// braces reads ${...}.
func (p *Parser) braces(b *builder, quoted bool) {
	from := p.at
	end := p.closingBrace()
	if end < 0 {
		p.unclosed(from, "the brace")
		p.at = len(p.text)
		b.text(string(p.text[from:]), quoted)
		return
	}
	part := Part{Kind: Variable, Quoted: quoted, Source: string(p.text[from : end+1])}
	p.at = from + len("${")
	n := p.nameLength(0)
	if n == 0 && p.at < end && strings.ContainsRune("0123456789@*?$!-", p.peek(0)) {
		n = 1
	}
	if p.peek(n) == '[' {
		for k := n; p.at+k < end; k++ {
			if p.peek(k) == ']' {
				n = k + 1
				break
			}
		}
	}
	part.Text = string(p.text[p.at : p.at+n])
	p.at += n
	for _, op := range valueOps {
		if part.Text != "" && p.at < end && p.has(op) {
			part.Op = op
			p.at += len(op)
			part.Arg = p.argParts(end, quoted)
			break
		}
	}
	if part.Op == "" {
		part.Op = string(p.text[min(p.at, end):end])
	}
	p.at = end + 1
	b.parts = append(b.parts, part)
}

// closingBrace finds the end of the ${...} here without moving.
func (p *Parser) closingBrace() int {
	from := p.at
	defer func() { p.at = from }()
	p.at++
	return p.closing('{', '}')
}

// argParts reads the text behind an operator, up to the closing brace.
func (p *Parser) argParts(end int, quoted bool) []Part {
	b := &builder{}
	for p.at < end {
		if quoted && p.peek(0) == '\'' {
			b.add('\'', true)
			p.at++
			continue
		}
		if strings.ContainsRune(" \t;&|()<>\n", p.peek(0)) {
			b.add(p.peek(0), quoted)
			p.at++
			continue
		}
		p.piece(b, p.Windows)
	}
	return b.parts
}
