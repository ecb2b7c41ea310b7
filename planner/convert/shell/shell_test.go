package shell

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// show writes commands so that every decision of the parser can be seen: words in brackets, quoted text in quotes.
func show(list []Simple) string {
	var b strings.Builder
	for _, s := range list {
		for _, a := range s.Assign {
			op := "="
			if a.Append {
				op = "+="
			}
			fmt.Fprintf(&b, "%s%s", a.Name, op)
			if a.IsList {
				b.WriteString("(")
				for _, w := range a.List {
					b.WriteString(showWord(w))
				}
				b.WriteString(")")
			} else {
				b.WriteString(showWord(a.Value))
			}
			b.WriteString(" ")
		}
		for _, w := range s.Words {
			b.WriteString(showWord(w))
		}
		for _, r := range s.Redirects {
			b.WriteString(" " + r.Op + showWord(r.Target))
		}
		fmt.Fprintf(&b, " %s;", s.End)
	}
	return b.String()
}

func showWord(w Word) string { return "[" + showParts(w.Parts) + "]" }

func showParts(parts []Part) string {
	var b strings.Builder
	for _, p := range parts {
		text := p.Text
		switch {
		case p.Kind == Variable && p.Op != "":
			text = "${" + p.Text + " " + p.Op + " " + showParts(p.Arg) + "}"
		case p.Kind == Variable:
			text = "${" + p.Text + "}"
		case p.Kind == Command:
			text = "$(" + p.Text + ")"
		}
		if p.Quoted {
			text = "'" + text + "'"
		}
		b.WriteString(text)
	}
	return b.String()
}

func TestLine(t *testing.T) {
	tests := []struct{ in, want string }{
		{"docker run -it alpine", "[docker][run][-it][alpine] ;"},
		{"a 'b c' \"d e\" f\\ g", "[a]['b c']['d e'][f' 'g] ;"},
		{`a'b'"c"d`, "[a'bc'd] ;"},
		{`"" ''`, "[''][''] ;"},
		{"a \\\n  b", "[a][b] ;"},
		{"a \\\r\n b\r\n", "[a][b] ;"},
		{"a # b c", "[a] ;"},
		{"a#b", "[a#b] ;"},
		{`"a\"b\$c\\d\e"`, `['a"b$c\d\e'] ;`},
		{"\"a\\\nb\"", "['ab'] ;"},
		{`$'a\tb\x41\u00e9\101\q'`, "['a\tbAéA\\q'] ;"},
		{`$"x"`, "['x'] ;"},
		{"$A ${B} \"$C\" ${D:-x y} \"${E:?no $F}\"", "[${A}][${B}]['${C}'][${D :- x y}]['${E :? no' '${F}}'] ;"},
		{"${A%.*} ${#B} ${C[@]} ${D[0]:-x} $1 $@ $$ ${1}", "[${A %.* }][${ #B }][${C[@]}][${D[0] :- x}][${1}][${@}][${$}][${1}] ;"},
		{"$ $% a$", "[$][$%][a$] ;"},
		{"$(id -u):$(id \")\" $(x)) `pwd`/x $((1+(2)))", "[$(id -u):$(id \")\" $(x))][$(pwd)/x][$((1+(2)))] ;"},
		{"cat <(docker ps)", "[cat][$(docker ps)] ;"},
		{"A=b C='d e' cmd F=g", "A=[b] C=['d e'] [cmd][F=g] ;"},
		{"A=", "A=[]  ;"},
		{"A+=x L=(a 'b c' # no\n d) M+=(e)", "A+=[x] L=([a]['b c'][d]) M+=([e])  ;"},
		{"export A=b C", "A=[b] [export][C] ;"},
		{"declare -x A=b", "A=[b] [declare][-x] ;"},
		{"9A=b A-B=c", "[9A=b][A-B=c] ;"},
		{"a;b&&c||d|e&f", "[a] ;;[b] &&;[c] ||;[d] |;[e] &;[f] ;"},
		{"(a)", "[a] );"},
		{"a > b 2>&1 3<c &>>d >|e <<<f", "[a] >[b] 2>&[1] 3<[c] &>>[d] >|[e] <<<[f] ;"},
		{"a 22 >b", "[a][22] >[b] ;"},
		{"cat <<E\nnot read\nE\n", "[cat] <<[E] ;"},
		{"cat <<-'E'\n\tnot read\n\tE\n", "[cat] <<-['E'] ;"},
		{`a c:\foo:c:\b\c \\srv\share x\y e=c:\f 'c:\g'`, `[a][c:\foo:c:\b\c][\\srv\share][x'y'][e=c:\f]['c:\g'] ;`},
		{"", ""},
		{"   ", ""},
	}
	for _, tt := range tests {
		p := New("x", []byte(tt.in))
		if got := show(p.Line()); got != tt.want || len(p.Diags) > 0 {
			t.Errorf("%q is\n%s\nwant\n%s\n%v", tt.in, got, tt.want, p.Diags)
		}
	}
}

func TestWindowsPrompt(t *testing.T) {
	p := New("x", []byte("docker run -v c:\\a:d:\\b `\n  \"c:\\x y\" ^\n z"))
	p.Windows = true
	if got, want := show(p.Line()), `[docker][run][-v][c:\a:d:\b]['c:\x y'][z] ;`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestUnclosed(t *testing.T) {
	for in, place := range map[string]string{
		"a 'b\nc": "x:1:3", "a\nb \"c": "x:2:3", "$(a": "x:1:1", "b `a": "x:1:3", "${a": "x:1:1", "A=(b\nc": "x:1:1", "cat <<E\nx": "x:1:5",
		"$'a": "x:1:2",
	} {
		p := New("x", []byte(in))
		for p.Next() <= p.Lines() {
			p.Line()
		}
		if len(p.Diags) != 1 || p.Diags[0].Subject.String() != place {
			t.Errorf("%q: %v, want one at %s", in, p.Diags, place)
		}
	}
}

// TestPlaces: ranges count lines and characters, also inside of commands and behind what is not ASCII.
func TestPlaces(t *testing.T) {
	p := New("x", []byte("é=1 ü 'b\nc' $(docker run é)\n  last"))
	first := p.Line()
	words := first[0].Words
	if got := words[2].Range; got.String() != "x:1:7" || got.End.Line != 2 || got.End.Column != 3 {
		t.Error(got)
	}
	inner := p.Inside(words[3].Parts[0])
	if got := inner[0].Words[2].Range.String(); got != "x:2:17" {
		t.Error(got)
	}
	if p.Next() != 3 {
		t.Error(p.Next())
	}
	p.Seek(3, 5)
	if got := p.Line(); got[0].Words[0].Range.String() != "x:3:5" {
		t.Error(got)
	}
}

// TestQuote: a quoted text is read as itself.
func TestQuote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.String().Draw(t, "text")
		p := New("x", []byte("echo "+Quote(in)))
		list := p.Line()
		if len(list) != 1 || len(list[0].Words) != 2 || len(p.Diags) > 0 {
			t.Fatalf("%q became %s", in, show(list))
		}
		if got, ok := list[0].Words[1].Static(); !ok || got != in {
			t.Fatalf("%q became %q", in, got)
		}
	})
}

// FuzzLine: the parser ends, and moves forward with each line.
func FuzzLine(f *testing.F) {
	for _, seed := range []string{
		"docker run -v `pwd`:/x ${A:-'b'} \"$(c \\\"d\\\")\" <<E\nE\n", "A=(b 'c' $'\\x4') && { d; }", "a\\\n\\", "${a[b]:-${c}}",
	} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, in string, windows bool) {
		if !utf8.ValidString(in) {
			return
		}
		p := New("x", []byte(in))
		p.Windows = windows
		for p.Next() <= p.Lines() {
			before := p.at
			for _, s := range p.Line() {
				for _, w := range s.Words {
					for _, part := range w.Parts {
						if part.Kind == Command {
							p.Inside(part)
						}
					}
				}
			}
			if p.at <= before {
				t.Fatalf("stands still at %d", before)
			}
		}
	})
}
