package value

import (
	"encoding/json"
	"errors"
	"regexp/syntax"
	"strconv"
	"strings"
	"time"

	"github.com/distribution/reference"
)

// The functions of this file find out what a value that is wrong was meant to be.

var otherUnits = lazy(`^([0-9]+)(\.[0-9]+)? *([A-Za-z]+)$`)

// timeUnits are the units that people write out, in seconds.
var timeUnits = map[string]time.Duration{
	"sec": time.Second, "secs": time.Second, "second": time.Second, "seconds": time.Second, "s": time.Second, "S": time.Second,
	"min": time.Minute, "mins": time.Minute, "minute": time.Minute, "minutes": time.Minute, "m": time.Minute, "M": time.Minute,
	"hour": time.Hour, "hours": time.Hour, "hr": time.Hour, "hrs": time.Hour, "h": time.Hour, "H": time.Hour,
	"day": 24 * time.Hour, "days": 24 * time.Hour, "d": 24 * time.Hour, "week": 168 * time.Hour, "weeks": 168 * time.Hour,
	"msec": time.Millisecond, "millis": time.Millisecond, "milliseconds": time.Millisecond,
}

// durationMeant is "5 min" in Go's units, "" if the text is nothing of the kind.
func durationMeant(s string) string {
	m := otherUnits().FindStringSubmatch(s)
	if m == nil || m[2] != "" || timeUnits[m[3]] == 0 {
		return ""
	}
	n, err := strconv.ParseInt(m[1], 10, 16)
	if err != nil {
		return ""
	}
	text := (time.Duration(n) * timeUnits[m[3]]).String()
	for _, zero := range []string{"m0s", "h0m"} {
		if short, cut := strings.CutSuffix(text, zero); cut {
			text = short + zero[:1]
		}
	}
	return text
}

// sizeMeant is "512Mi", "512 megabytes" or "1,5g" in docker's units, "" if the text is nothing of the kind.
func sizeMeant(s string) string {
	if text := strings.Replace(s, ",", ".", 1); text != s && sizeExpr().MatchString(text) {
		return text
	}
	m := otherUnits().FindStringSubmatch(s)
	if m == nil {
		return ""
	}
	switch unit := strings.ToLower(m[3]); {
	case contains([]string{"ki", "mi", "gi", "ti", "pi"}, unit), strings.HasSuffix(unit, "byte"), strings.HasSuffix(unit, "bytes"):
		return m[1] + m[2] + unit[:1]
	}
	return ""
}

// cpusMeant is "0,5", "50%" or Kubernetes's "500m" as a number of CPUs, "" if the text is nothing of the kind.
func cpusMeant(s string) string {
	if text := strings.Replace(s, ",", ".", 1); text != s && cpusExpr().MatchString(text) {
		return text
	}
	for suffix, part := range map[string]float64{"%": 100, "m": 1000} {
		number, cut := strings.CutSuffix(s, suffix)
		if n, err := strconv.ParseUint(strings.TrimSpace(number), 10, 16); cut && err == nil {
			return strconv.FormatFloat(float64(n)/part, 'f', -1, 64)
		}
	}
	return ""
}

// integerMeant is "10s", "1_000" or "1,000" as a whole number, "" if the text is nothing of the kind.
func integerMeant(s string) string {
	text := strings.NewReplacer("_", "", ",", "", " ", "").Replace(strings.TrimSuffix(s, "s"))
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return strconv.FormatInt(n, 10)
	}
	return ""
}

// TimeIn is a whole number that counts time in a unit: a duration such as 1m is answered with the number.
func TimeIn(unit time.Duration, p Parser[int64]) Parser[int64] {
	parse := p.Parse
	p.Parse = func(s string) (int64, error) {
		n, err := parse(s)
		if e, ok := err.(*Error); ok { //nolint:errorlint // errors of this package, never wrapped
			if text := durationMeant(s); text != "" {
				s = text
			}
			d, wrong := time.ParseDuration(s)
			meant := strconv.FormatInt(int64(d/unit), 10)
			if _, bad := parse(meant); wrong == nil && bad == nil && d%unit == 0 {
				_ = e.fix("write the number alone: %s", meant)
			}
		}
		return n, err
	}
	return p
}

var (
	slashPorts = lazy(`^([0-9]+)/([0-9]+)$`)
	addressed  = lazy(`^([0-9]+\.[0-9]+\.[0-9]+\.[0-9]+):([0-9]+(?:/[a-z]+)?)$`)
)

// publishMeant says how to write ports that were written in another way, "" if the text is nothing of the kind.
func publishMeant(s string) string {
	if m := slashPorts().FindStringSubmatch(s); m != nil {
		return "write " + m[1] + ":" + m[2]
	}
	if m := addressed().FindStringSubmatch(s); m != nil {
		port, _, _ := strings.Cut(m[2], "/")
		return "write " + m[1] + ":" + port + ":" + m[2] + ", or " + m[1] + "::" + m[2] + " for any free port of the host"
	}
	if first, rest, ok := strings.Cut(s, ","); ok {
		_, err1 := parsePublish(strings.TrimSpace(first))
		_, err2 := parsePublish(strings.TrimSpace(rest))
		if err1 == nil && err2 == nil {
			return "write a list: [" + strconv.Quote(strings.TrimSpace(first)) + ", " + strconv.Quote(strings.TrimSpace(rest)) + "]"
		}
	}
	text := strings.NewReplacer(" ", "", "->", ":", "localhost:", "127.0.0.1:", "*:", "", "http://", "").Replace(s)
	if _, err := parsePublish(text); text != s && err == nil {
		return "write " + text
	}
	return ""
}

var twoTags = lazy(`:[^/:]+:[^/:]+$`)

// badImage says what is wrong with an image that the reference library refuses.
func badImage(s string, err error) *Error {
	problem := func(format string, args ...any) *Error {
		e := bad(format, args...)
		e.Problem = bad("%q is not an image: ", s).Problem + e.Problem
		return e
	}
	bare, _, hasDigest := strings.Cut(s, "@")
	path, tag := bare, ""
	if i := strings.LastIndexByte(bare, ':'); i > strings.LastIndexByte(bare, '/') {
		path, tag = bare[:i], bare[i:]
	}
	lower := strings.ToLower(path) + tag + s[len(bare):]
	_, lowerErr := reference.ParseNormalizedNamed(lower)
	switch {
	case strings.HasPrefix(s, "\u2013"), strings.HasPrefix(s, "\u2014"): // word processors make them of - and --
		return problem("its dash is no minus, which a flag begins with").fix("write - or --")
	case strings.ContainsAny(s, " \t\n"):
		if one := strings.ReplaceAll(s, " ", ""); len(one)+1 == len(s) && strings.ContainsAny(s, ":/") {
			return problem("there is a blank in it").fix("write %s", one)
		}
		return problem("there is a blank in it")
	case strings.Contains(s, "://"):
		return problem("a registry is named without %s://", s[:strings.Index(s, "://")]).fix("write %s", s[strings.Index(s, "://")+3:])
	case lowerErr == nil:
		return problem("its name must be in lower case").fix("write %s", lower)
	case strings.HasSuffix(bare, ":"):
		return problem("there is no tag behind the colon").fix("write %s:latest, or drop the colon", strings.TrimSuffix(bare, ":"))
	case hasDigest:
		return problem("the digest is not sha256: and 64 hexadecimal digits").fix("write NAME@sha256:DIGEST")
	case strings.HasPrefix(s, "/") || strings.HasPrefix(s, "./") || strings.HasPrefix(s, "../"):
		return problem("this is a path").fix("write oci:%s for a directory, docker-archive:%s for a file of docker save", s, s)
	case twoTags().MatchString(s):
		return problem("it has two tags").fix("write NAME:TAG")
	case errors.Is(err, reference.ErrNameTooLong):
		return problem("its name is longer than %d characters", reference.RepositoryNameTotalLengthMax)
	}
	return problem("a name has lower-case letters, digits and . _ - between slashes").fix("write [HOST[:PORT]/]NAME[:TAG]")
}

// foreignFields are names that other tools give to the keys of map forms, each with ours. The first that a map has is
// meant.
var foreignFields = [][2]string{
	{"published", "host-port"},
	{"target", "container-port"},
	{"port", "container-port"},
	{"port", "tcp"},
	{"host_ip", "host-ip"},
	{"src", "source"},
	{"from", "source"},
	{"host", "source"},
	{"dst", "target"},
	{"destination", "target"},
	{"to", "target"},

	{"container", "target"},
	{"readonly", "read-only"},
	{"ro", "read-only"},
	{"aliases", "alias"},
	{"ipv4_address", "ip"},
	{"ipv6_address", "ip6"},
	{"ipv4-address", "ip"},
	{"ipv6-address", "ip6"},
	{"command", "exec"},
	{"cmd", "exec"},
	{"test", "exec"},
	{"url", "http"},

	{"mode", "permissions"},
	{"pattern", "log"},
	{"attempts", "max"},
	{"count", "max"},
	{"proto", "protocol"},
	{"network", "name"},
	{"type", "condition"},
}

// fieldMeant is our name for a key of a map form, "" if there is none.
func fieldMeant(name string, known []string) string {
	for _, f := range foreignFields {
		if f[0] == name && contains(known, f[1]) {
			return f[1]
		}
	}
	if kebab := strings.ReplaceAll(name, "_", "-"); contains(known, kebab) {
		return kebab
	}
	return ""
}

// jsonProblem says in our words why a text is not the JSON that is wanted.
func jsonProblem(data []byte, err error) string {
	var form *json.SyntaxError
	var kind *json.UnmarshalTypeError
	at := int64(len(data))
	what := "it ends too early"
	switch {
	case errors.As(err, &kind):
		at, what = kind.Offset, "a value has the wrong type"
		if kind.Field != "" {
			what = strconv.Quote(kind.Field) + " has a value of the wrong type"
		}
	case errors.As(err, &form) && form.Offset < int64(len(data)):
		at, what = form.Offset, "it is no JSON from here on"
	}
	line := 1 + strings.Count(string(data[:min(max(at, 0), int64(len(data)))]), "\n")
	return "line " + strconv.Itoa(line) + ": " + what
}

// regexpProblem says what is wrong with a regular expression.
func regexpProblem(err error) string {
	var e *syntax.Error
	if !errors.As(err, &e) {
		return "it cannot be read"
	}
	return string(e.Code) + ": " + e.Expr
}
