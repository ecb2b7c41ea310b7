package value

import (
	"strconv"
	"strings"
)

// Isolation is the technology that keeps Windows containers apart: default, process or hyperv, in any case.
func Isolation() Parser[string] {
	p := Word("oneof=default process hyperv")
	parse := p.Parse
	p.Parse = func(s string) (string, error) { return parse(strings.ToLower(s)) }
	p.Schema = func() jsonSchema { return pattern(`^` + anyCase("default", "process", "hyperv") + `$`) }
	return p
}

// maxStorageQoS is the largest bandwidth and number of operations that Windows takes: a signed 32-bit number.
const maxStorageQoS = 1<<31 - 1

// IOBandwidth is a bandwidth in bytes per second, with b, k, m or g.
func IOBandwidth() Parser[int64] {
	p := Size()
	p.Syntax = "NUMBER[UNIT] per second, UNIT one of b, k, m, g"
	p.Schema = func() jsonSchema {
		return anyOf(map[string]any{"type": "number", "minimum": int64(0), "maximum": int64(maxStorageQoS)}, pattern(`^`+sizes(0, maxStorageQoS)+`$`))
	}
	p.Parse = func(s string) (int64, error) {
		n, err := size(s)
		switch {
		case err != nil:
			return 0, err
		case strings.ContainsAny(s, "tTpP"):
			return 0, bad("the units of %q are b, k, m and g", s)
		case n > maxStorageQoS:
			return 0, bad("%q is more than Windows takes (%d bytes per second)", s, maxStorageQoS)
		}
		return n, nil
	}
	return p
}

// IOOperations is a number of operations per second.
func IOOperations() Parser[int64] { return Int("min=0,max=" + strconv.Itoa(maxStorageQoS)) }

// Expressions of docker's rules for Windows (windows_parser.go of its engine says the same in other words): a drive's
// path, a volume's name and a named pipe.
const (
	pathExpr     = `[a-zA-Z]:[\\/][^:*?"<>|\r\n]*`
	nameExpr     = `[^\\/:*?"<>|\r\n]+`
	pipeExpr     = `[\\/]{2}\.[\\/]pipe[\\/][^:*?"<>|\r\n]*[^\\/:*?"<>|\r\n]`
	destExpr     = `[a-zA-Z]:([\\/][^:*?"<>|\r\n]*)?`
	reservedExpr = `([cC][oO][nN]|[pP][rR][nN]|[nN][uU][lL]|[aA][uU][xX]|([cC][oO][mM]|[lL][pP][tT])[1-9])`
)

var (
	windowsPath = lazy(`^` + pathExpr + `$`)
	windowsName = lazy(`^` + nameExpr + `$`)
	windowsPipe = lazy(`^` + pipeExpr + `$`)
	windowsDest = lazy(`^` + destExpr + `$`)
	reservedDOS = lazy(`^` + reservedExpr + `$`)
)

// WindowsVolumeSyntax is the syntax of volume for Windows containers: [SOURCE:]TARGET[:ro|rw], or a map.
func WindowsVolumeSyntax() Parser[Mount] {
	return Parser[Mount]{
		Parse: parseWindowsVolume, Fields: windowsVolumeFields, Format: formatVolume, FormatFields: windowsVolumeForm,
		Schema: func() jsonSchema {
			return butNot(`^`+either(destExpr, either(pathExpr, nameExpr)+`:`+destExpr+`(:[rR][oOwW])?`, pipeExpr+`:`+pipeExpr+`(:[rR][wW])?`)+`$`,
				`(^|:)[cC]:[\\/]?(:[rR][oOwW])?$|^`+reservedExpr+`:`)
		},
		FieldsSchema: windowsForm,
		Syntax:       `[SOURCE:]TARGET[:ro|rw], SOURCE a path X:\DIR, a volume's name or a pipe \\.\pipe\NAME, TARGET a path, a drive or a pipe`,
	}
}

func parseWindowsVolume(s string) (Mount, error) {
	spec, mode := s, ""
	if i := strings.LastIndexByte(s, ':'); i > 1 && contains([]string{"ro", "rw"}, strings.ToLower(s[i+1:])) {
		spec, mode = s[:i], strings.ToLower(s[i+1:])
	}
	source, target, ok := cutWindows(spec)
	switch {
	case !ok:
		return Mount{}, bad("%q is not [SOURCE:]TARGET[:ro|rw]", s).fix(`write for example C:\data:D:\data`)
	case source == "" && mode != "":
		return Mount{}, bad("%q has options but no source", s).fix("write SOURCE:%s", s)
	}
	m, err := windowsMount(source, target)
	if err != nil {
		return m, err
	}
	m.ReadOnly = mode == "ro"
	return m, checkPipe(m)
}

// checkPipe refuses what a pipe cannot be.
func checkPipe(m Mount) error {
	if m.Type == Pipe && m.ReadOnly {
		return bad("a pipe cannot be read-only").fix("leave the access out")
	}
	return nil
}

// cutWindows splits at the colon that is not a drive's.
func cutWindows(s string) (source, target string, ok bool) {
	if windowsDest().MatchString(s) || windowsPipe().MatchString(s) {
		return "", s, true
	}
	for i := range s {
		if s[i] != ':' {
			continue
		}
		source, target = s[:i], s[i+1:]
		named := windowsPath().MatchString(source) || windowsPipe().MatchString(source) || windowsName().MatchString(source) && len(source) > 1
		if named && (windowsDest().MatchString(target) || windowsPipe().MatchString(target)) {
			return source, target, true
		}
	}
	return "", "", false
}

// plainWindowsPath has backslashes, and none at the end but behind a drive.
func plainWindowsPath(s string) string {
	s = strings.ReplaceAll(s, "/", `\`)
	if drive := len(`c:\`); len(s) > drive {
		s = s[:drive] + strings.TrimRight(s[drive:], `\`)
	}
	return s
}

func windowsMount(source, target string) (Mount, error) {
	target = plainWindowsPath(target)
	m := Mount{Type: Volume, Source: source, Target: target}
	isPipe := windowsPipe().MatchString(target)
	switch {
	case windowsPipe().MatchString(source):
		m.Type, m.Source = Pipe, plainWindowsPath(source)
	case windowsPath().MatchString(source):
		m.Type, m.Source = Bind, plainWindowsPath(source)
	case source != "" && !windowsName().MatchString(source):
		return m, bad("%q is neither a path X:\\DIR nor a volume's name", source)
	case reservedDOS().MatchString(source):
		return m, bad("%q is a device's name in Windows and cannot name a volume", source)
	}
	switch {
	case (m.Type == Pipe) != isPipe:
		return m, bad("a pipe is mounted on a pipe, and only there").fix(`write \\.\pipe\NAME:\\.\pipe\NAME`)
	case isPipe:
		return m, noNUL(source + target)
	case !windowsDest().MatchString(target):
		return m, bad("the target %q is neither a path X:\\DIR nor a drive", target)
	case strings.EqualFold(strings.TrimSuffix(target, `\`), "c:"):
		return m, bad(`the target cannot be c: or c:\`).fix(`name a directory that does not exist or is empty, or another drive`)
	}
	return m, noNUL(source + target)
}

func windowsVolumeFields(fields []Field) (Mount, error) {
	get, err := take(fields, "type", "source", "target", "read-only")
	if err != nil {
		return Mount{}, err
	}
	m, err := windowsMount(get["source"], get["target"])
	if err != nil {
		return m, err
	}
	if t := get["type"]; t != "" && t != string(m.Type) {
		return m, bad("the source %q is not one of a %s mount", m.Source, t).in("source")
	}
	if m.ReadOnly, err = boolField(get, "read-only"); err != nil {
		return m, err
	}
	return m, checkPipe(m)
}

// windowsVolumeForm is for an anonymous volume that is read-only: the text form would read as source and target.
func windowsVolumeForm(m Mount) []Field {
	if m.Source != "" || !m.ReadOnly {
		return nil
	}
	return []Field{{Name: "target", Text: m.Target}, {Name: "read-only", Text: "true"}}
}

// WindowsPath is an absolute path in a Windows container.
func WindowsPath() Parser[string] {
	return Parser[string]{
		Parse: func(s string) (string, error) {
			if !windowsPath().MatchString(s) && !windowsDest().MatchString(s) {
				return "", bad("%q is not an absolute path of Windows", s).fix(`write X:\DIR`)
			}
			return strings.ReplaceAll(s, "/", `\`), noNUL(s)
		},
		Format: func(s string) string { return s },
		Schema: func() jsonSchema { return pattern(`^` + destExpr + `$`) }, Syntax: `X:\DIR`,
	}
}
