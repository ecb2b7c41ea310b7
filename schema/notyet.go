package schema

import (
	"slices"
	"strings"

	"github.com/runfile/runfile/manifest/diag"
)

// notBuilt is the usual reason for NotYet.
const notBuilt = "its effect is not built yet"

// notYetValues are values that runfile does not honour yet of options that it does.
var notYetValues = []struct {
	option string
	is     func(text string) bool
	why    string
}{
	{"log-driver", func(s string) bool { return s != "json-file" && s != "none" }, "only json-file and none are built yet"},
	{"log-opt", func(s string) bool {
		return strings.HasPrefix(s, "mode=non") || strings.HasPrefix(s, "max-buffer-size=")
	}, "writing logs never loses lines yet"},
	{"device", func(s string) bool { return !strings.HasPrefix(s, "/") }, "devices by name are not looked up yet"},
	{"disable-content-trust", func(s string) bool { return s == "false" }, "signatures are not checked yet"},
	{"network", func(s string) bool {
		return strings.Contains(s, ",link-local-ip=") || strings.Contains(s, ",driver-opt=")
	}, notBuilt},
	{"volume-driver", func(s string) bool { return s != "local" }, "plugins are not called yet"},
}

// NotYet reports what a container asks for and runfile does not honour yet. It is an error, since ignoring it would run
// something else than what is written; but only when the container is planned, so that a file can be read, checked and
// converted.
func NotYet(c *Container) diag.List {
	var l diag.List
	report := func(v Value, what, why string) {
		l.Errorf(CodeNotYet, v.At, "%s: runfile does not honour %s yet", who(c), what).
			WithHelp("%s; remove it, or see docs/conformance.md for what is honoured", why)
	}
	for i := range rows {
		r := &rows[i]
		if r.NotYet == "" {
			continue
		}
		if v, ok := given(c, r.Name); ok {
			report(v, r.Name, r.NotYet)
		}
	}
	for _, n := range notYetValues {
		for _, v := range Values(c, n.option) {
			if n.is(v.Text) {
				report(v, n.option+" "+v.Text, n.why)
			}
		}
	}
	return l
}

// NotYetVolume reports what a volume asks for and runfile does not honour yet.
func NotYetVolume(v *VolumeDef) diag.List {
	var l diag.List
	if d := v.Driver; d.Set && d.Value != "local" {
		l.Errorf(CodeNotYet, d.At, "volume %q: runfile does not honour the driver %q yet", v.Key, d.Value).WithHelp("use local")
	}
	return l
}

// Honoured reports whether an option of that name does something; why says what is missing.
func Honoured(name string) (ok bool, why string) {
	i := slices.IndexFunc(rows, func(r row[Container]) bool { return r.Name == name })
	if i < 0 {
		return false, ""
	}
	return rows[i].NotYet == "", rows[i].NotYet
}
