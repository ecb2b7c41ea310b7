package value

import (
	"encoding/json"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"
	"unicode/utf8"
)

// allows evaluates the part of JSON schema that parsers use. Text that is a number may stand without quotes, where it is
// one.
func allows(s map[string]any, text string) bool {
	if list, ok := s["anyOf"].([]any); ok {
		return slices.ContainsFunc(list, func(one any) bool { return allows(one.(map[string]any), text) })
	}
	if list, ok := s["enum"].([]any); ok {
		return slices.ContainsFunc(list, func(one any) bool {
			word, err := json.Marshal(one)
			return err == nil && string(word) == text || one == text
		})
	}
	kinds, ok := s["type"].([]any)
	if !ok {
		kinds = []any{s["type"]}
	}
	return slices.ContainsFunc(kinds, func(kind any) bool {
		switch kind {
		case "integer":
			return compiled(`^-?(0|[1-9][0-9]*)$`).MatchString(text) && inRange(s, text)
		case "number":
			return compiled(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`).MatchString(text) && inRange(s, text)
		}
		return allowsText(s, text)
	})
}

func inRange(s map[string]any, text string) bool {
	n, err := strconv.ParseFloat(text, 64)
	low, hasLow := bound(s["minimum"])
	high, hasHigh := bound(s["maximum"])
	return err == nil && (!hasLow || n >= low) && (!hasHigh || n <= high)
}

func bound(v any) (float64, bool) {
	if n, ok := v.(int64); ok {
		return float64(n), true
	}
	f, ok := v.(float64)
	return f, ok
}

func allowsText(s map[string]any, text string) bool {
	if most, ok := s["maxLength"].(int64); ok && utf8.RuneCountInString(text) > int(most) {
		return false
	}
	if p, ok := s["pattern"].(string); ok && !compiled(p).MatchString(text) {
		return false
	}
	if not, ok := s["not"].(map[string]any); ok && allowsText(not, text) {
		return false
	}
	if format, ok := s["format"].(string); ok {
		a, err := netip.ParseAddr(text)
		return err == nil && a.Is4() == (format == "ipv4") && a.Zone() == ""
	}
	return true
}

var expressions sync.Map

func compiled(expr string) *regexp.Regexp {
	if re, ok := expressions.Load(expr); ok {
		return re.(*regexp.Regexp)
	}
	re := regexp.MustCompile(expr)
	expressions.Store(expr, re)
	return re
}

// beyond are texts that a parser refuses and no schema can, since it would have to compute, to compare two numbers, or to
// know two keys of one text at once.
var beyond = map[string][]string{
	"size":            {"9000000t", "9000000p", "1e400"},
	"health-duration": {"999us"},
	"cpus":            {"1.1234567891", "1/3", "1e19"},
	"cpuset":          {"1-0"},
	"cpuset-mems":     {"1-0"},
	"ulimit":          {"nofile=10:5"},
	"publish":         {"8000-8002:80-81", "82-80", "1-65535:1-65535"},
	"expose":          {"90-80"},
	"ipv6":            {"::ffff:1.2.3.4"},
	"cidr":            {"172.28.0.1/16"},
	"gpus":            {"1,device=0", "all,all"},
	"network":         {"name=host,ip=1.2.3.4", "name=bridge,ip=1.2.3.4", "name=host,mac-address=02:42:ac:11:00:02"},
	"mount": {
		"type=tmpfs,src=a,dst=/b", "type=bind,src=name,dst=/b", "type=bind,src=/a,dst=/b,tmpfs-size=1m", "dst=/a,dst=/b", "src=a b,dst=/c",
		"type=volume,src=v1,dst=/b,volume-subpath=../x", "dst=/a,volume-subpath=x", "type=bind,src=/a,dst=/b,bind-recursive=readonly",
		"type=bind,src=/a,dst=/b,bind-recursive=writable", "type=bind,src=/a,dst=/b,ro,bind-recursive=readonly,bind-propagation=shared",
	},
}

// TestSchemasRefuse demands that the schema of a syntax refuses what its parser refuses, less what is beyond it.
func TestSchemasRefuse(t *testing.T) {
	names := map[string]bool{}
	for _, s := range suites {
		names[s.name] = true
		if s.schema == nil {
			continue // it has no text
		}
		for _, text := range s.reject {
			refused, excused := !allows(s.schema, text), slices.Contains(beyond[s.name], text)
			switch {
			case refused && excused:
				t.Errorf("%s: the schema refuses %q, which is said to be beyond it", s.name, text)
			case !refused && !excused:
				t.Errorf("%s: the schema takes %q, which the parser refuses", s.name, text)
			}
		}
		for _, text := range beyond[s.name] {
			if !slices.Contains(s.reject, text) {
				t.Errorf("%s: %q is said to be beyond the schema, and is no value that the suite refuses", s.name, text)
			}
		}
	}
	for name := range beyond {
		if !names[name] {
			t.Errorf("there is no suite %q", name)
		}
	}
}
