package value

import (
	"strconv"
	"strings"
)

// Capabilities are Linux's capabilities by number, without CAP_.
var Capabilities = []string{
	"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
	"LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
	"SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
	"SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
	"MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
	"CHECKPOINT_RESTORE",
}

// CapabilitySyntax is the syntax of cap-add and cap-drop. The value is CAP_NAME in upper case, or ALL.
func CapabilitySyntax() Parser[string] {
	words := append([]string{"ALL"}, Capabilities...)
	return Parser[string]{
		Parse: func(s string) (string, error) {
			name := strings.TrimPrefix(upper(s), "CAP_")
			switch {
			case name == "ALL":
				return "ALL", nil
			case contains(Capabilities, name):
				return "CAP_" + name, nil
			}
			return "", bad("there is no capability %q", s).from(name, words)
		},
		Format: func(s string) string { return strings.TrimPrefix(s, "CAP_") },
		Schema: func() jsonSchema { return pattern(`^` + anyCase("CAP_") + `?` + anyCase(words...) + `$`) }, Syntax: "a capability with or without CAP_, or ALL", Words: words,
	}
}

// securityKeys are the keys of security-opt; credentialspec is for Windows containers.
var securityKeys = []string{
	"no-new-privileges", "seccomp", "apparmor", "label", "systempaths", "writable-cgroups", "credentialspec",
}

const boolPattern = `(true|false|1|0|t|f|T|F|TRUE|FALSE|True|False)`

// SecurityOptSyntax is the syntax of security-opt: KEY[=VALUE]. Docker's old separator, the colon, works, too.
func SecurityOptSyntax() Parser[SecurityOpt] {
	return Parser[SecurityOpt]{
		Parse: parseSecurityOpt,
		Format: func(o SecurityOpt) string {
			if o.Value == "" {
				return o.Key
			}
			return o.Key + "=" + o.Value
		},
		Schema: func() jsonSchema {
			return pattern(`^((no-new-privileges|writable-cgroups)([=:]` + boolPattern + `)?|` +
				`(seccomp|apparmor)[=:][^\x00]+|systempaths[=:]unconfined|label[=:](disable|nested|(user|role|type|level|filetype):[^\x00]+)|` +
				`credentialspec[=:](file|registry|raw)://[^\x00]+)$`)
		},
		Syntax: "no-new-privileges[=true|false] | seccomp=unconfined|builtin|FILE | apparmor=PROFILE|unconfined | " +
			"label=disable|nested|user:U|role:R|type:T|level:L|filetype:F | systempaths=unconfined | writable-cgroups[=true|false]",
		Words: []string{
			"no-new-privileges", "seccomp=unconfined", "seccomp=builtin", "apparmor=unconfined", "label=disable",
			"systempaths=unconfined", "writable-cgroups",
		},
	}
}

func parseSecurityOpt(s string) (SecurityOpt, error) {
	i := strings.IndexAny(s, "=:") // docker's old separator was the colon
	key, v, hasValue := s, "", false
	if i >= 0 {
		key, v, hasValue = s[:i], s[i+1:], true
	}
	o := SecurityOpt{Key: key, Value: v}
	switch {
	case !contains(securityKeys, key):
		return SecurityOpt{}, bad("there is no security option %q", key).from(key, securityKeys)
	case key == "no-new-privileges" || key == "writable-cgroups":
		if !hasValue {
			return SecurityOpt{Key: key, Value: "true"}, nil
		}
		b, err := Bool(v)
		return SecurityOpt{Key: key, Value: strconv.FormatBool(b)}, err
	case v == "" && key == "seccomp":
		return SecurityOpt{}, bad("seccomp has no value").fix("write seccomp=unconfined, seccomp=builtin or seccomp=FILE")
	case v == "":
		return SecurityOpt{}, bad("%s has no value", key)
	case key == "systempaths" && v != "unconfined":
		return SecurityOpt{}, bad("systempaths takes the word unconfined, not %q", v).fix("write systempaths=unconfined")
	case key == "label":
		return o, checkLabel(v)
	case key == "credentialspec":
		if scheme, rest, ok := strings.Cut(v, "://"); !ok || rest == "" || !contains([]string{"file", "registry", "raw"}, scheme) {
			return o, bad("%q is not a credential specification", v).fix("write credentialspec=file://NAME, registry://NAME or raw://JSON")
		}
	}
	return o, noNUL(s)
}

var labelKeys = []string{"user", "role", "type", "level", "filetype"}

// checkLabel reads an SELinux option. Docker takes anything where the host has no SELinux.
func checkLabel(s string) error {
	key, v, ok := strings.Cut(s, ":")
	switch {
	case s == "disable" || s == "nested":
		return nil
	case !contains(labelKeys, key):
		return bad("there is no label option %q", key).from(key, append([]string{"disable", "nested"}, labelKeys...))
	case !ok || v == "":
		return bad("the label option %q has no value", key).fix("write label=%s:VALUE", key)
	}
	return noNUL(s)
}

// RemapSyntax is the syntax of userns-remap, docker's: whose ranges of subordinate ids are used.
func RemapSyntax() Parser[string] {
	name := `[A-Za-z0-9_][A-Za-z0-9_.-]*\$?`
	return Parser[string]{
		Parse: func(s string) (string, error) {
			user, group, hasGroup := strings.Cut(s, ":")
			if !isAccount(user) || hasGroup && !isAccount(group) {
				return "", bad("%q is neither default nor USER[:GROUP] nor UID[:GID]", s).fix("write default for the user dockremap")
			}
			return s, nil
		},
		Format: func(s string) string { return s },
		Schema: func() jsonSchema {
			return anyOf(map[string]any{"type": "integer", "minimum": int64(0)}, pattern(`^`+name+`(:`+name+`)?$`))
		},
		Syntax: "default | USER[:GROUP] | UID[:GID]", Words: []string{"default"},
	}
}

// isAccount says whether s may be a user or group of the host. What useradd(8) takes is a part of it.
func isAccount(s string) bool {
	const first = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
	s = strings.TrimSuffix(s, "$")
	return s != "" && strings.Contains(first, s[:1]) && strings.Trim(s, first+".-") == ""
}
