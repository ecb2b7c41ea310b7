package value

import (
	"path"
	"regexp"
	"strings"
	"unicode"
)

// Text is free text.
func Text(syntax string) Parser[string] {
	return Parser[string]{
		Parse:  func(s string) (string, error) { return s, noNUL(s) },
		Format: func(s string) string { return s },
		Schema: func() jsonSchema {
			return map[string]any{"type": []any{"string", "number"}, "pattern": `^` + textExpr + `$`}
		},
		Syntax: syntax,
	}
}

// noNUL refuses what neither execve nor a path can carry.
func noNUL(s string) error {
	if strings.ContainsRune(s, 0) {
		return bad("%q holds a NUL byte", s)
	}
	return nil
}

// Word is text that obeys a validator tag with a oneof rule.
func Word(tag string) Parser[string] {
	schema := tagSchema("string", tag)
	words := strings.Fields(strings.TrimPrefix(tag, "oneof="))
	return Parser[string]{
		Parse: func(s string) (string, error) {
			if !holds(s, tag) {
				return "", bad("%q is not one of %s", s, oneOf(words)).from(s, words)
			}
			return s, nil
		},
		Format: func(s string) string { return s },
		Schema: func() jsonSchema { return schema },
		Syntax: strings.Join(words, " | "),
		Words:  words,
	}
}

// AbsPath is an absolute path inside a container, cleaned.
func AbsPath() Parser[string] {
	return Parser[string]{
		Parse: absPath, Format: func(s string) string { return s },
		Schema: func() jsonSchema { return pattern(`^/` + textExpr + `$`) }, Syntax: "an absolute path",
	}
}

// wholePath says how to write a path inside a container that does not begin with a slash.
func wholePath(s string) string {
	if rest, ok := strings.CutPrefix(s, "~"); ok {
		return "write the whole path, for example /root" + rest
	}
	return "write /" + strings.TrimPrefix(s, "./")
}

func absPath(s string) (string, error) {
	if !strings.HasPrefix(s, "/") {
		return "", bad("%q is not an absolute path", s).fix("%s", wholePath(s))
	}
	return path.Clean(s), noNUL(s)
}

// CgroupPath is a path below the root of each cgroup hierarchy; a relative one counts from there, too.
func CgroupPath() Parser[string] {
	return Parser[string]{
		Parse: func(s string) (string, error) {
			for part := range strings.SplitSeq(strings.Trim(s, "/"), "/") {
				switch {
				case part == "" && strings.Trim(s, "/") == "":
					return "", bad("%q is the root of all cgroups", s).fix("name a group: /NAME")
				case part == "", part == ".", part == "..":
					return "", bad("%q is not a path of cgroups", s).fix("write names between single slashes, without . and ..")
				}
			}
			return "/" + strings.Trim(s, "/"), noNUL(s)
		},
		Format: func(s string) string { return s },
		Schema: func() jsonSchema { return bare(butNot(`^/*[^/\x00]+(/[^/\x00]+)*/*$`, `(^|/)\.\.?(/|$)`)) }, Syntax: "PATH of names between slashes: /ci/heavy",
	}
}

// HostPath is a path on the host; a relative one counts from the directory of the file that holds it, which the
// caller knows.
func HostPath() Parser[string] {
	return Parser[string]{
		Parse: func(s string) (string, error) {
			if s == "" {
				return "", bad("the path is empty")
			}
			return s, noNUL(s)
		},
		Format: func(s string) string { return s },
		Schema: func() jsonSchema { return bare(pattern(`^[^\x00]+$`)) }, Syntax: "a path, relative to the file that holds it",
	}
}

// Name is a container's name.
func Name() Parser[string] {
	return named(lazy(namePattern), namePattern,
		"letters, digits, _, . and -, at least two, the first a letter or digit")
}

const (
	namePattern = `^` + namePart + `$`
	namePart    = `[a-zA-Z0-9][a-zA-Z0-9_.-]+`
)

func named(expr func() *regexp.Regexp, schema, syntax string) Parser[string] {
	return Parser[string]{
		Parse: func(s string) (string, error) {
			if !expr().MatchString(s) {
				return "", bad("%q is not a name", s).fix("use %s", syntax)
			}
			return s, nil
		},
		Format: func(s string) string { return s },
		Schema: func() jsonSchema { return bare(pattern(schema)) }, Syntax: syntax,
	}
}

// Hostname is a host name of at most 64 bytes, the kernel's limit. Docker checks no more than the length.
func Hostname() Parser[string] {
	return Parser[string]{
		Parse: func(s string) (string, error) {
			if len(s) > 64 {
				return "", bad("%q is %d bytes long; the kernel keeps 64", s, len(s))
			}
			for _, r := range s {
				if unicode.IsSpace(r) || unicode.IsControl(r) || r == '/' {
					return "", bad("%q holds %q, which no host name may", s, r)
				}
			}
			return s, nil
		},
		Format: func(s string) string { return s },
		Schema: func() jsonSchema {
			return map[string]any{
				"type": []any{"string", "number"}, "maxLength": int64(64), "pattern": `^[^\t\n\v\f\r /\x00-\x1f\x7f]*$`,
			}
		},
		Syntax: "at most 64 bytes, no spaces, no slashes",
	}
}

// Stream is stdin, stdout or stderr in any case.
func Stream() Parser[string] {
	p := Word("oneof=stdin stdout stderr")
	parse := p.Parse
	p.Parse = func(s string) (string, error) { return parse(strings.ToLower(s)) }
	p.Schema = func() jsonSchema { return pattern(`^` + anyCase("stdin", "stdout", "stderr") + `$`) }
	return p
}

// ProfileName is the name of a profile, and of a container, network or volume in its section.
func ProfileName() Parser[string] {
	return named(keyName, KeyPattern, "letters, digits, _, . and -, the first a letter or digit")
}

// KeyPattern is what the names of containers, networks and volumes in their sections look like.
const (
	KeyPattern = `^` + keyPart + `$`
	keyPart    = `[a-zA-Z0-9][a-zA-Z0-9_.-]*`
)

var keyName = lazy(KeyPattern)
