package value

import (
	"regexp"
	"strconv"
	"strings"
)

// foreignConditions are the words of compose files.
var foreignConditions = map[string]string{
	"service_started": "started", "service_healthy": "healthy", "service_completed_successfully": "completed",
	"running": "started", "done": "completed", "success": "completed", "exit": "exited", "up": "started",
}

var conditions = []string{"created", "started", "healthy", "ready", "completed", "exited"}

// dependLater are keys of a dependency that runfile does not honour yet.
var dependLater = []string{"required", "restart", "timeout"}

// DependencySyntax is the syntax of depends-on: a container's name; the map form adds a condition.
func DependencySyntax() Parser[Dependency] {
	return Parser[Dependency]{
		Parse: func(s string) (Dependency, error) {
			name, condition, hasCondition := strings.Cut(s, ":")
			if hasCondition {
				return Dependency{}, bad("%q is not a container's name", s).fix("write a map: %s: {condition: %s}", name, condition)
			}
			if name == "" {
				return Dependency{}, bad("%q names no container", s)
			}
			return Dependency{Container: name}, noNUL(s)
		},
		Fields: dependencyFields,
		Format: func(d Dependency) string {
			return strings.TrimSuffix(d.Container+":"+string(d.Condition), ":")
		},
		Schema:       func() jsonSchema { return bare(pattern(`^[^:]+$`)) },
		Entry:        textEntry(`[^:]+`),
		FieldsSchema: dependencyForm,
		Syntax:       "CONTAINER, or a map CONTAINER: {condition: CONDITION}, CONDITION one of " + strings.Join(conditions, ", "),
	}
}

func dependency(name, condition string) (Dependency, error) {
	if !contains(conditions, condition) {
		e := bad("%q is not a condition", condition).from(condition, conditions)
		if meant := foreignConditions[condition]; meant != "" {
			e.Words, e.Fix = nil, "write "+meant
		}
		return Dependency{}, e
	}
	return Dependency{Container: name, Condition: Condition(condition)}, nil
}

// dependencyFields reads {condition}; the caller puts the name in front as the field "container".
func dependencyFields(fields []Field) (Dependency, error) {
	for _, f := range fields {
		if contains(dependLater, f.Name) {
			return Dependency{}, bad("runfile does not honour %s of depends-on yet", f.Name).in(f.Name).notYet()
		}
	}
	get, err := take(fields, "container", "condition")
	if err != nil {
		return Dependency{}, err
	}
	if get["condition"] == "" {
		return Dependency{Container: get["container"]}, nil
	}
	d, err := dependency(get["container"], get["condition"])
	if err != nil {
		return d, inField(err, "condition")
	}
	return d, nil
}

// ProbeSyntax is the syntax of ready, which is a map only: exactly one of tcp, http, log and exec, and the times.
func ProbeSyntax() Parser[Probe] {
	return Parser[Probe]{
		Parse: func(s string) (Probe, error) {
			if port, err := strconv.ParseUint(s, 10, 16); err == nil {
				return Probe{}, bad("%q is not a map", s).fix("write {tcp: %d}", port)
			}
			return Probe{}, bad("%q is not a map", s).fix("write {tcp: PORT}, {http: \":PORT/PATH\"}, {log: REGEXP} or {exec: [COMMAND]}")
		},
		Fields: probeFields,
		Format: formatProbe, FormatFields: formatProbeFields,
		FieldsSchema: probeForm,
		Syntax:       "{tcp: PORT} | {http: \":PORT/PATH\"} | {log: REGEXP} | {exec: COMMAND}, and interval, timeout",
	}
}

var probeKinds = []string{"tcp", "http", "log", "exec"}

func probeFields(fields []Field) (Probe, error) {
	var p Probe
	var single []Field
	for _, f := range fields {
		if f.Name == "exec" && !f.Null {
			p.Exec = append(p.Exec, f.Text)
			continue
		}
		single = append(single, f)
	}
	get, err := take(single, "tcp", "http", "log", "exec", "interval", "timeout")
	if err != nil {
		return p, err
	}
	kind, err := probeKind(fields)
	if err != nil {
		return p, err
	}
	if kind == "exec" && len(p.Exec) == 1 && !inList(fields, "exec") {
		if p.Exec, err = SplitCommand(p.Exec[0]); err != nil {
			return p, inField(err, "exec")
		}
	}
	if err := p.setKind(kind, get[kind]); err != nil {
		return p, inField(err, kind)
	}
	if s, ok := get["interval"]; ok {
		if p.Interval, err = Duration().Parse(s); err != nil {
			return p, inField(err, "interval")
		}
	}
	if s, ok := get["timeout"]; ok {
		if p.Timeout, err = Duration().Parse(s); err != nil {
			return p, inField(err, "timeout")
		}
	}
	return p, nil
}

// probeKind is the one way of probing that the fields ask for.
func probeKind(fields []Field) (string, error) {
	var kinds []string
	for _, f := range fields {
		if contains(probeKinds, f.Name) && !contains(kinds, f.Name) {
			kinds = append(kinds, f.Name)
		}
	}
	switch len(kinds) {
	case 0:
		return "", bad("there is nothing to probe").fix("add one of tcp, http, log and exec")
	case 1:
		return kinds[0], nil
	default:
		return "", bad("%s and %s exclude each other", kinds[0], kinds[1]).in(kinds[1]).fix("keep one of them")
	}
}

// inList reports whether the field was written as a list.
func inList(fields []Field, name string) bool {
	for _, f := range fields {
		if f.Name == name {
			return f.InList
		}
	}
	return false
}

func (p *Probe) setKind(kind, text string) (err error) {
	switch kind {
	case "tcp":
		p.TCP, err = port(text, 1, "port")
	case "http":
		if !httpExpr().MatchString(text) {
			return bad("%q is not PORT/PATH", text).fix(`write ":8080/health"`)
		}
		number, _, _ := strings.Cut(strings.TrimPrefix(text, ":"), "/")
		_, err = port(number, 1, "port")
		p.HTTP = text
	case "log":
		if _, e := regexp.Compile(text); e != nil || text == "" {
			return bad("%q is not a regular expression", text)
		}
		p.Log = text
	case "exec":
		if len(p.Exec) == 0 || p.Exec[0] == "" {
			return bad("there is no command")
		}
	}
	return err
}

var httpExpr = lazy(`^:?[0-9]+(/[^ \t]*)?$`)

// formatProbe is text for comparing, not for reading back: a probe is written as a map.
func formatProbe(p Probe) string {
	var out strings.Builder
	for i, f := range formatProbeFields(p) {
		if i > 0 {
			out.WriteString(", ")
		}
		out.WriteString(f.Name + "=" + strconv.Quote(f.Text))
	}
	return out.String()
}

func formatProbeFields(p Probe) []Field {
	var out []Field
	switch {
	case p.TCP > 0:
		out = append(out, Field{Name: "tcp", Text: strconv.Itoa(int(p.TCP))})
	case p.HTTP != "":
		out = append(out, Field{Name: "http", Text: p.HTTP})
	case p.Log != "":
		out = append(out, Field{Name: "log", Text: p.Log})
	}
	for _, arg := range p.Exec {
		out = append(out, Field{Name: "exec", Text: arg, InList: true})
	}
	if p.Interval > 0 {
		out = append(out, Field{Name: "interval", Text: p.Interval.String()})
	}
	if p.Timeout > 0 {
		out = append(out, Field{Name: "timeout", Text: p.Timeout.String()})
	}
	return out
}
