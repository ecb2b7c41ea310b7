package fake

import (
	"os"
	"slices"
	"strings"
	"time"
)

// statement is one command of a script with what joins it to the one before.
type statement struct {
	join       string // "", ";", "&&", "||"
	words      []word
	background bool // followed by &
}

// word is a word of a statement; pieces in single quotes are not expanded.
type word []piece

type piece struct {
	text    string
	literal bool
}

func (w word) expand(env func(string) string) string {
	var b strings.Builder
	for _, p := range w {
		if p.literal {
			b.WriteString(p.text)
		} else {
			b.WriteString(os.Expand(p.text, env))
		}
	}
	return b.String()
}

// parse splits a script into statements. It knows quotes, ; newline && || & and nothing else of a shell.
func parse(script string) []statement {
	var out []statement
	s := statement{join: ";"}
	end := func(next string) {
		if len(s.words) > 0 {
			out = append(out, s)
		}
		s = statement{join: next}
	}
	for rest := script; rest != ""; {
		switch {
		case strings.HasPrefix(rest, "&&"), strings.HasPrefix(rest, "||"):
			end(rest[:2])
			rest = rest[2:]
		case rest[0] == ';' || rest[0] == '\n':
			end(";")
			rest = rest[1:]
		case rest[0] == '&':
			s.background = true
			end(";")
			rest = rest[1:]
		case rest[0] == ' ' || rest[0] == '\t':
			rest = rest[1:]
		default:
			var w word
			w, rest = nextWord(rest)
			s.words = append(s.words, w)
		}
	}
	end("")
	return out
}

func nextWord(s string) (word, string) {
	var w word
	for s != "" && (s[0] != '>' || w == nil) && !strings.ContainsRune(" \t\n;", rune(s[0])) && !strings.HasPrefix(s, "&") && !strings.HasPrefix(s, "||") {
		n := 0
		switch quote := s[0]; quote {
		case '\'', '"':
			n = strings.IndexByte(s[1:], quote)
			if n < 0 {
				n = len(s) - 1
			}
			w = append(w, piece{s[1 : 1+n], quote == '\''})
			s = s[min(n+2, len(s)):]
			continue
		case '>': // so that >&2 is one word
			n = len(s) - len(strings.TrimLeft(s, ">&"))
		}
		n += len(s[n:]) - len(strings.TrimLeftFunc(s[n:], func(r rune) bool { return !strings.ContainsRune(" \t\n;&|>'\"", r) }))
		if n == 0 { // a single |
			n = 1
		}
		w = append(w, piece{s[:n], false})
		s = s[n:]
	}
	return w, s
}

// commands that a fake container has; anything else is "not found".
var commands = []string{
	"sh", "/bin/sh", "exit", "sleep", "echo", "cat", "true", "false", ":", "test", "touch", "rm", "trap", "wait", "kill",
	"ignore-term", "on-term", "listen", "id", "pwd", "/bin/true", "/bin/false", "die",
}

func known(name string) bool { return slices.Contains(commands, name) }

// scriptOf turns an argument list into a script: sh -c SCRIPT, or words that are a statement themselves.
func scriptOf(args []string) string {
	if len(args) >= 3 && (args[0] == "sh" || args[0] == "/bin/sh") && args[1] == "-c" {
		return args[2]
	}
	return strings.Join(args, " ")
}

// duration reads the argument of sleep: seconds as the shell's, or a Go duration.
func duration(s string) time.Duration {
	if d, err := time.ParseDuration(s); err == nil {
		return d
	}
	d, _ := time.ParseDuration(s + "s")
	return d
}
