package value

import (
	"encoding/json"
	"strings"
	"text/template"
)

// LogTagFields are what the template of the log option tag can name, in docker's words.
var LogTagFields = []string{"ID", "FullID", "Name", "ImageName", "ImageID", "ImageFullID", "DaemonName"}

// LogTag reads the template of the log option tag. It is executed with a map that has LogTagFields; a field that is not
// there is an error. The functions are docker's.
func LogTag(text string) (*template.Template, error) {
	t, err := template.New("tag").Option("missingkey=error").Funcs(template.FuncMap{
		"json":  func(v any) (string, error) { b, err := json.Marshal(v); return string(b), err },
		"split": strings.Split,
		"join":  strings.Join,
		"lower": strings.ToLower,
		"upper": strings.ToUpper,
		"title": func(s string) string { return strings.ToUpper(s[:min(1, len(s))]) + s[min(1, len(s)):] },
		"pad": func(s string, before, after int) string {
			if s == "" {
				return s
			}
			return strings.Repeat(" ", max(0, before)) + s + strings.Repeat(" ", max(0, after))
		},
		"truncate": func(s string, n int) string { return s[:min(max(0, n), len(s))] },
	}).Parse(text)
	if err != nil {
		return nil, err
	}
	return t, nil
}

func checkLogTag(text string) error {
	t, err := LogTag(text)
	if err == nil {
		fields := map[string]string{}
		for _, name := range LogTagFields {
			fields[name] = "x"
		}
		err = t.Execute(&strings.Builder{}, fields)
	}
	if err != nil {
		return bad("the tag cannot be filled in, %s", templateProblem(err)).fix("use the fields %s, for example tag={{.Name}}", strings.Join(LogTagFields, ", "))
	}
	return nil
}

var tagPlace = lazy(`^template: tag:[0-9]+(:[0-9]+)?: (executing "tag" at )?`)

// templateProblem is the library's reason without its words for the place.
func templateProblem(err error) string {
	text := tagPlace().ReplaceAllString(err.Error(), "")
	if _, field, missing := strings.Cut(text, "map has no entry for key "); missing {
		return "there is no field " + field
	}
	if strings.HasPrefix(text, "unclosed action") || strings.HasPrefix(text, "unexpected EOF") {
		return "{{ is never closed"
	}
	return text
}
