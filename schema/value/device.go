package value

import (
	"math"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// DeviceRule is a device-cgroup-rule entry. -1 stands for every number.
type DeviceRule struct {
	Type         string // a, c or b
	Major, Minor int64
	Access       string // of r, w and m, each once
}

var (
	cdiName    = lazy(`^[A-Za-z]([A-Za-z0-9._-]*[A-Za-z0-9])?/[A-Za-z]([A-Za-z0-9._-]*[A-Za-z0-9])?=[A-Za-z0-9]([A-Za-z0-9._:-]*[A-Za-z0-9])?$`)
	deviceRule = lazy(`^([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$`)
)

// DeviceSyntax is the syntax of device: SOURCE[:TARGET][:PERMISSIONS], or a map.
func DeviceSyntax() Parser[Device] {
	return Parser[Device]{
		Parse: parseDevice, Fields: deviceFields,
		Format: func(d Device) string {
			s := d.Source
			if d.CDI() {
				return s
			}
			if d.Target != d.Source {
				s += ":" + d.Target
			}
			if d.Permissions != "rwm" {
				s += ":" + d.Permissions
			}
			return s
		},
		FormatFields: func(d Device) []Field {
			if !strings.Contains(d.Source+d.Target, ":") {
				return nil
			}
			return []Field{
				{Name: "source", Text: d.Source}, {Name: "target", Text: d.Target}, {Name: "permissions", Text: d.Permissions},
			}
		},
		Schema: func() jsonSchema {
			return anyOf(pattern(`^/[^:\x00]*(:/[^:\x00]*)?(:`+eachOncePattern("rwm")+`)?$`), pattern(cdiName().String()))
		},
		FieldsSchema: deviceForm,
		Syntax:       "SOURCE[:TARGET][:PERMISSIONS], permissions of r, w and m, or a CDI name VENDOR/CLASS=NAME",
	}
}

// CDI reports whether the device is a name of the Container Device Interface, which has no path.
func (d Device) CDI() bool {
	return !strings.HasPrefix(d.Source, "/") && strings.Contains(d.Source, "=")
}

func parseDevice(s string) (Device, error) {
	if cdiName().MatchString(s) {
		return Device{Source: s}, nil
	}
	parts := strings.Split(s, ":")
	switch {
	case contains(parts, ""):
		return Device{}, bad("%q has nothing between two colons or at an end", s)
	case len(parts) > 3:
		return Device{}, bad("%q has more than three parts", s).fix("write SOURCE[:TARGET][:PERMISSIONS]")
	case len(parts) == 3:
		return device(parts[0], parts[1], parts[2])
	case len(parts) == 2 && !strings.HasPrefix(parts[1], "/"):
		return device(parts[0], "", parts[1])
	case len(parts) == 2:
		return device(parts[0], parts[1], "")
	}
	return device(s, "", "")
}

func deviceFields(fields []Field) (Device, error) {
	get, err := take(fields, "source", "target", "permissions")
	if err != nil {
		return Device{}, err
	}
	return device(get["source"], get["target"], get["permissions"])
}

func device(source, target, permissions string) (Device, error) {
	if target == "" {
		target = source
	}
	if permissions == "" {
		permissions = "rwm"
	}
	for _, p := range []string{source, target} {
		if !strings.HasPrefix(p, "/") {
			return Device{}, bad("%q is not an absolute path", p).fix("write the whole path: /dev/NAME")
		}
	}
	if !eachOnce(permissions, "rwm") {
		return Device{}, bad("the permissions %q are not of r, w and m, each once", permissions).fix("write rw, r or rwm")
	}
	return Device{Source: path.Clean(source), Target: path.Clean(target), Permissions: permissions}, noNUL(source + target)
}

// DeviceRuleSyntax is the syntax of device-cgroup-rule: TYPE MAJOR:MINOR ACCESS. Rules only allow.
func DeviceRuleSyntax() Parser[DeviceRule] {
	return Parser[DeviceRule]{
		Parse: parseDeviceRule,
		Format: func(r DeviceRule) string {
			return r.Type + " " + deviceNumber(r.Major) + ":" + deviceNumber(r.Minor) + " " + r.Access
		},
		Schema: func() jsonSchema {
			number := either(numbers(0, math.MaxUint32), `\*`)
			return pattern(`^[acb] ` + number + `:` + number + ` ` + eachOncePattern("rwm") + `$`)
		},
		Syntax: "TYPE MAJOR:MINOR ACCESS, TYPE a, b or c, a number may be *, ACCESS of r, w and m: c 10:200 rwm",
	}
}

func parseDeviceRule(s string) (DeviceRule, error) {
	m := deviceRule().FindStringSubmatch(s)
	if m == nil {
		return DeviceRule{}, bad("%q is not TYPE MAJOR:MINOR ACCESS", s).fix(`separate the three parts with one space each: "c 10:200 rwm"`)
	}
	if !eachOnce(m[4], "rwm") {
		return DeviceRule{}, bad("the access %q names a letter twice", m[4]).fix("write each of r, w and m once")
	}
	r := DeviceRule{Type: m[1], Access: m[4]}
	for i, to := range []*int64{&r.Major, &r.Minor} {
		if *to = -1; m[i+2] == "*" {
			continue
		}
		n, err := strconv.ParseInt(m[i+2], 10, 64)
		if err != nil || n > math.MaxUint32 {
			return DeviceRule{}, bad("%s is no device number", m[i+2])
		}
		*to = n
	}
	return r, nil
}

func deviceNumber(n int64) string {
	if n < 0 {
		return "*"
	}
	return strconv.FormatInt(n, 10)
}

// eachOnce reports whether s consists of letters of the set, none of them twice.
func eachOnce(s, set string) bool {
	for i, r := range s {
		if !strings.ContainsRune(set, r) || strings.ContainsRune(s[:i], r) {
			return false
		}
	}
	return s != ""
}

// windowsDevice is class/GUID, or IDTYPE://ID.
var windowsDevice = lazy(`^(class/[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[a-zA-Z][a-zA-Z0-9_-]*://.+)$`)

// WindowsDeviceSyntax is the syntax of device for Windows containers: class/GUID or IDTYPE://ID.
func WindowsDeviceSyntax() Parser[Device] {
	p := matching(windowsDevice, "class/GUID, or IDTYPE://ID")
	return Parser[Device]{
		Parse: func(s string) (Device, error) {
			text, err := p.Parse(s)
			return Device{Source: text}, err
		},
		Format: func(d Device) string { return d.Source },
		Schema: p.Schema, Syntax: p.Syntax,
	}
}

// matching is text that matches an expression.
func matching(expr func() *regexp.Regexp, syntax string) Parser[string] {
	return Parser[string]{
		Parse: func(s string) (string, error) {
			if !expr().MatchString(s) {
				return "", bad("%q is not %s", s, syntax)
			}
			return s, noNUL(s)
		},
		Format: func(s string) string { return s },
		Schema: func() jsonSchema { return pattern(expr().String()) }, Syntax: syntax,
	}
}
