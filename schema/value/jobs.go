package value

import (
	"strconv"
	"time"
)

// Retries says how often a failed job is run again.
type Retries struct {
	Max     int           // further attempts; 0 = none
	Delay   time.Duration // before the first of them
	Backoff float64       // factor between delays; 0 = 1
	OnExit  []int         // only after these exit statuses; empty = after any failure
}

// RetriesSyntax is the syntax of retries: a number, or a map.
func RetriesSyntax() Parser[Retries] {
	count := Int("min=0,max=1000")
	return Parser[Retries]{
		Parse: func(s string) (Retries, error) {
			n, err := count.Parse(s)
			return Retries{Max: int(n)}, err
		},
		Fields: retriesFields,
		Format: func(r Retries) string { return strconv.Itoa(r.Max) },
		FormatFields: func(r Retries) []Field {
			if r.Delay == 0 && r.Backoff == 0 && len(r.OnExit) == 0 {
				return nil
			}
			return formatRetries(r)
		},
		Schema:       count.Schema,
		FieldsSchema: retriesForm,
		Syntax:       "NUMBER, or {max: NUMBER, delay: DURATION, backoff: FACTOR, on-exit: [CODE...]}",
	}
}

func retriesFields(fields []Field) (Retries, error) {
	var r Retries
	var single []Field
	for _, f := range fields {
		if f.Name != "on-exit" || f.Null {
			single = append(single, f)
			continue
		}
		code, err := ExitCodeSyntax().Parse(f.Text)
		if err != nil {
			return r, inField(err, "on-exit")
		}
		r.OnExit = append(r.OnExit, int(code))
	}
	get, err := take(single, "max", "delay", "backoff")
	if err != nil {
		return r, err
	}
	n, err := Int("min=0,max=1000").Parse(get["max"])
	if err != nil {
		if get["max"] == "" {
			return r, bad("max is missing").fix("write {max: 3, delay: 2s}")
		}
		return r, inField(err, "max")
	}
	r.Max = int(n)
	if s, ok := get["delay"]; ok {
		if r.Delay, err = Duration().Parse(s); err != nil {
			return r, inField(err, "delay")
		}
	}
	if s, ok := get["backoff"]; ok {
		if r.Backoff, err = strconv.ParseFloat(s, 64); err != nil || !(r.Backoff >= 1 && r.Backoff <= 100) {
			return r, bad("%q is not a factor from 1 to 100", s).in("backoff")
		}
	}
	return r, nil
}

func formatRetries(r Retries) []Field {
	out := []Field{{Name: "max", Text: strconv.Itoa(r.Max)}}
	if r.Delay > 0 {
		out = append(out, Field{Name: "delay", Text: r.Delay.String()})
	}
	if r.Backoff > 0 {
		out = append(out, Field{Name: "backoff", Text: strconv.FormatFloat(r.Backoff, 'g', -1, 64)})
	}
	for _, c := range r.OnExit {
		out = append(out, Field{Name: "on-exit", Text: strconv.Itoa(c), InList: true})
	}
	return out
}

// ExitCodeSyntax is an exit status of a process.
func ExitCodeSyntax() Parser[int64] { return Int("min=0,max=255") }

// Artifact is an artifacts entry: files that are copied out of a container when it has ended.
type Artifact struct {
	From  string // glob inside the container, absolute
	To    string // path on the host; a trailing slash means a directory
	When  string // "" or always, success, failure
	JUnit bool   // the files are JUnit reports
}

var artifactTimes = []string{"always", "success", "failure"}

// ArtifactSyntax is the syntax of artifacts: FROM:TO, or a map.
func ArtifactSyntax() Parser[Artifact] {
	return Parser[Artifact]{
		Parse: func(s string) (Artifact, error) {
			for i := range s {
				if s[i] == ':' {
					return artifact(s[:i], s[i+1:], "", "")
				}
			}
			return Artifact{}, bad("%q is not FROM:TO", s).fix("write /PATH/IN/CONTAINER:PATH/HERE, or a map with from and to")
		},
		Fields: func(fields []Field) (Artifact, error) {
			get, err := take(fields, "from", "to", "when", "junit")
			if err != nil {
				return Artifact{}, err
			}
			return artifact(get["from"], get["to"], get["when"], get["junit"])
		},
		Format: func(a Artifact) string { return a.From + ":" + a.To },
		FormatFields: func(a Artifact) []Field {
			out := []Field{{Name: "from", Text: a.From}, {Name: "to", Text: a.To}}
			if a.When != "" {
				out = append(out, Field{Name: "when", Text: a.When})
			}
			if a.JUnit {
				out = append(out, Field{Name: "junit", Text: "true"})
			}
			return out
		},
		Schema:       func() jsonSchema { return pattern(`^/[^:]*:[\s\S]+$`) },
		FieldsSchema: artifactForm,
		Syntax:       "FROM:TO, or {from: GLOB, to: PATH, when: always|success|failure, junit: true}",
	}
}

func artifact(from, to, when, junit string) (Artifact, error) {
	a := Artifact{From: from, To: to, When: when}
	var err error
	if a.From, err = absPath(from); err != nil {
		return a, inField(err, "from")
	}
	switch {
	case to == "":
		return a, bad("there is no place to copy to").fix("write to: ./reports/")
	case when != "" && !contains(artifactTimes, when):
		return a, bad("%q is not one of %s", when, oneOf(artifactTimes)).from(when, artifactTimes).in("when")
	}
	a.JUnit, err = boolField(map[string]string{"junit": junit}, "junit")
	if junit == "" {
		err = nil
	}
	if err != nil {
		return a, err
	}
	return a, noNUL(to)
}

// SecretRef is a secret entry: a secret of the section secrets as a file in the container.
type SecretRef struct {
	Source string // its name in the section
	Target string // file name below /run/secrets, or an absolute path; "" = the name
	UID    string // owner; "" = the container's user
	GID    string
	Mode   string // octal; "" = 0400
}

// SecretSyntax is the syntax of secret: a name, or a map.
func SecretSyntax() Parser[SecretRef] {
	return Parser[SecretRef]{
		Parse: func(s string) (SecretRef, error) {
			name, err := ProfileName().Parse(s)
			return SecretRef{Source: name}, err
		},
		Fields: secretFields,
		Format: func(s SecretRef) string { return s.Source },
		FormatFields: func(s SecretRef) []Field {
			if s == (SecretRef{Source: s.Source}) {
				return nil
			}
			out := []Field{{Name: "source", Text: s.Source}}
			for _, f := range []Field{{Name: "target", Text: s.Target}, {Name: "uid", Text: s.UID}, {Name: "gid", Text: s.GID}, {Name: "mode", Text: s.Mode}} {
				if f.Text != "" {
					out = append(out, f)
				}
			}
			return out
		},
		Schema:       func() jsonSchema { return pattern(KeyPattern) },
		FieldsSchema: secretForm,
		Syntax:       "NAME, or {source: NAME, target: FILE, uid: N, gid: N, mode: \"0400\"}",
	}
}

func secretFields(fields []Field) (SecretRef, error) {
	get, err := take(fields, "source", "target", "uid", "gid", "mode")
	if err != nil {
		return SecretRef{}, err
	}
	s := SecretRef{Source: get["source"], Target: get["target"], UID: get["uid"], GID: get["gid"], Mode: get["mode"]}
	if _, err := ProfileName().Parse(s.Source); err != nil {
		return s, inField(err, "source")
	}
	for _, name := range []string{"uid", "gid"} {
		if get[name] == "" {
			continue
		}
		if _, err := Int("min=0,max=2147483647").Parse(get[name]); err != nil {
			return s, inField(err, name)
		}
	}
	if n, err := strconv.ParseUint(s.Mode, 8, 32); s.Mode != "" && (err != nil || n > 0o777) {
		return s, bad("%q is not an octal mode", s.Mode).in("mode").fix(`write "0400"`)
	}
	return s, noNUL(s.Target)
}
