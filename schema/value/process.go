package value

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/mattn/go-shellwords"
)

// ParseUser reads NAME|UID[:GROUP|GID]. Docker ignores a third field; here it is an error.
func parseUser(s string) (User, error) {
	user, group, hasGroup := strings.Cut(s, ":")
	if strings.Contains(group, ":") {
		return User{}, bad("%q has more than one colon", s).fix("write USER[:GROUP]")
	}
	if hasGroup && group == "" {
		return User{}, bad("%q ends with a colon", s).fix("write %q, or add a group", user)
	}
	for _, part := range []string{user, group} {
		if !isAccountNumber(part) {
			return User{}, bad("%s is no user or group number", part).fix("use 0 to 2147483647")
		}
	}
	return User{User: user, Group: group}, noNUL(s)
}

// isAccountNumber says of a number whether a user or group may have it; a name may be one.
func isAccountNumber(s string) bool {
	n, err := strconv.ParseInt(s, 10, 64)
	return errors.Is(err, strconv.ErrSyntax) || err == nil && holds(n, "min=0,max=2147483647")
}

// UserSyntax is the syntax of user.
func UserSyntax() Parser[User] {
	return Parser[User]{
		Parse: parseUser,
		Format: func(u User) string {
			if u.Group == "" {
				return u.User
			}
			return u.User + ":" + u.Group
		},
		Schema: func() jsonSchema { return accountSchema(account() + `?(:` + account() + `)?`) },
		Syntax: "<name|uid>[:<group|gid>]",
	}
}

var limitNames = []string{
	"core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio",
	"rttime", "sigpending", "stack",
}

// UlimitSyntax is the syntax of ulimit: TYPE=SOFT[:HARD].
func UlimitSyntax() Parser[Ulimit] {
	return Parser[Ulimit]{
		Parse:  parseUlimit,
		Fields: ulimitFields,
		Format: func(u Ulimit) string {
			s := u.Name + "=" + strconv.FormatInt(u.Soft, 10)
			if u.Hard != u.Soft {
				s += ":" + strconv.FormatInt(u.Hard, 10)
			}
			return s
		},
		Schema: func() jsonSchema {
			return pattern(`^(` + strings.Join(limitNames, "|") + `)=` + limits() + `$`)
		},
		Entry: func() (jsonSchema, jsonSchema) {
			return enum(limitNames...), anyOf(map[string]any{"type": "integer", "minimum": int64(-1)}, pattern(`^`+limits()+`$`))
		},
		FieldsSchema: ulimitForm,
		Syntax:       "TYPE=SOFT[:HARD], -1 = unlimited",
		Words:        withSuffix(limitNames, "="),
	}
}

// limits matches SOFT[:HARD].
func limits() string {
	return either(`-0*1(:-0*1)?`, signed(0, noBound)+`(:`+signed(-1, noBound)+`)?`)
}

func withSuffix(words []string, suffix string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = w + suffix
	}
	return out
}

func parseUlimit(s string) (Ulimit, error) {
	name, limits, ok := strings.Cut(s, "=")
	if !ok {
		return Ulimit{}, bad("%q has no limit", s).fix("write %s=SOFT[:HARD]", name)
	}
	softText, hardText, hasHard := strings.Cut(limits, ":")
	if !hasHard {
		hardText = softText
	}
	return ulimit(name, softText, hardText)
}

// ulimitFields reads {soft, hard}; the caller puts the limit's name in front as the field "type".
func ulimitFields(fields []Field) (Ulimit, error) {
	get, err := take(fields, "type", "soft", "hard")
	if err != nil {
		return Ulimit{}, err
	}
	if get["soft"] == "" {
		return Ulimit{}, bad("the soft limit is missing").fix("write {soft: N, hard: N}")
	}
	if get["hard"] == "" {
		get["hard"] = get["soft"]
	}
	return ulimit(get["type"], get["soft"], get["hard"])
}

func ulimit(name, softText, hardText string) (Ulimit, error) {
	if !contains(limitNames, name) {
		return Ulimit{}, bad("there is no limit called %q", name).from(name, limitNames)
	}
	soft, err := limitValue(softText)
	if err != nil {
		return Ulimit{}, err
	}
	hard, err := limitValue(hardText)
	if err != nil {
		return Ulimit{}, err
	}
	if hard != -1 && (soft == -1 || soft > hard) {
		return Ulimit{}, bad("the soft limit %s is above the hard limit %s", softText, hardText).
			fix("write %s=%s:%s or lower the soft limit", name, softText, softText)
	}
	return Ulimit{Name: name, Soft: soft, Hard: hard}, nil
}

func limitValue(s string) (int64, error) {
	n, err := integer(s)
	if err == nil && n < -1 {
		return 0, bad("%s is no limit", s).fix("write -1 for unlimited")
	}
	return n, err
}

func contains(words []string, w string) bool {
	for _, x := range words {
		if x == w {
			return true
		}
	}
	return false
}

// take puts the fields of a map form into a map, refusing keys that are not known or come twice.
func take(fields []Field, known ...string) (map[string]string, error) {
	out := make(map[string]string, len(fields))
	for _, f := range fields {
		if !contains(known, f.Name) {
			return nil, unknownField(f.Name, known)
		}
		if _, twice := out[f.Name]; twice {
			return nil, bad("%s takes one value, not a list", f.Name).in(f.Name)
		}
		if f.Null {
			return nil, bad("%s has no value", f.Name).in(f.Name)
		}
		out[f.Name] = f.Text
	}
	return out, nil
}

// EnvSyntax is the syntax of env: NAME=VALUE, or NAME to take the value of runfile's own environment.
func EnvSyntax() Parser[KeyValue] {
	return Parser[KeyValue]{
		Parse: func(s string) (KeyValue, error) {
			kv := cutPair(s)
			if kv.Key == "" {
				return kv, bad("%q is a variable without a name", s).fix("write NAME=VALUE")
			}
			return kv, noNUL(s)
		},
		Format: formatPair, Schema: func() jsonSchema { return bare(pattern(`^[^=\x00]` + textExpr + `$`)) },
		Entry: textEntry(`[^=\x00]+`), Syntax: "NAME=VALUE, or NAME to take it from runfile's environment",
	}
}

// LabelSyntax is the syntax of label: NAME[=VALUE].
func LabelSyntax() Parser[KeyValue] {
	return Parser[KeyValue]{
		Parse: func(s string) (KeyValue, error) {
			kv := cutPair(strings.TrimLeft(s, " \t"))
			switch {
			case kv.Key == "":
				return kv, bad("%q is a label without a name", s).fix("write NAME=VALUE")
			case strings.ContainsAny(kv.Key, " \t"):
				return kv, bad("the label's name %q holds a space", kv.Key)
			}
			kv.HasValue = true
			return kv, noNUL(s)
		},
		Format: formatPair, Schema: func() jsonSchema { return bare(pattern(`^[ \t]*[^= \t\x00]+(=` + textExpr + `)?$`)) },
		Entry: textEntry(`[ \t]*[^= \t\x00]+`), Syntax: "NAME[=VALUE]",
	}
}

func cutPair(s string) KeyValue {
	k, v, ok := strings.Cut(s, "=")
	return KeyValue{Key: k, Value: v, HasValue: ok}
}

// formatPair prints an entry as it is written. What was taken from the environment stays without its value, so that
// printing a manifest shows no secrets.
func formatPair(kv KeyValue) string {
	if !kv.HasValue || kv.Inherited {
		return kv.Key
	}
	return kv.Key + "=" + kv.Value
}

var ipcSysctls = []string{
	"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax",
	"kernel.shmmni", "kernel.shm_rmid_forced",
}

const sysctlExpr = `(kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)|fs\.mqueue\.[^=/\x00]+|net\.[^=/\x00]+)`

// SysctlSyntax is the syntax of sysctl: KEY=VALUE, the key being one that a container has for itself.
func SysctlSyntax() Parser[KeyValue] {
	return Parser[KeyValue]{
		Parse: parseSysctl, Format: formatPair,
		Schema: func() jsonSchema {
			return pattern(`^` + sysctlExpr + `=` + textExpr + `$`)
		},
		Entry:  textEntry(sysctlExpr),
		Syntax: "KEY=VALUE, KEY below net. or fs.mqueue., or one of " + strings.Join(ipcSysctls, ", "),
		Words:  append(withSuffix(ipcSysctls, "="), "fs.mqueue.", "net."),
	}
}

func parseSysctl(s string) (KeyValue, error) {
	kv := cutPair(s)
	key := kv.Key
	switch {
	case !kv.HasValue:
		return kv, bad("%q has no value", s).fix("write %s=VALUE", s)
	case strings.Contains(key, "/"):
		return kv, bad("%q is written with slashes", key).fix("write %s", strings.ReplaceAll(key, "/", "."))
	case contains(ipcSysctls, key):
		return kv, noNUL(s)
	}
	for _, prefix := range []string{"net.", "fs.mqueue."} {
		if strings.HasPrefix(key, prefix) && key != prefix {
			return kv, noNUL(s)
		}
	}
	return kv, bad("%q is not a sysctl that a container has for itself", key).
		fix("only net.*, fs.mqueue.* and the System V IPC keys of kernel.* can be set").from(key, ipcSysctls)
}

// RestartSyntax is the syntax of restart.
func RestartSyntax() Parser[RestartPolicy] {
	return Parser[RestartPolicy]{
		Parse: parseRestart,
		Format: func(r RestartPolicy) string {
			if r.MaxRetries > 0 {
				return r.Name + ":" + strconv.Itoa(r.MaxRetries)
			}
			return r.Name
		},
		Schema: func() jsonSchema {
			return anyOf(pattern(`^(no|always|unless-stopped|on-failure(:`+signed(0, math.MaxInt32)+`?)?)$`), map[string]any{"enum": []any{false}})
		},
		Syntax: "no | on-failure[:max-retry] | always | unless-stopped",
		Words:  restartWords,
		False:  "no",
	}
}

var retriesMeant = lazy(`^on[-_ ]failure[ ,;=/-]\s*([1-9][0-9]*)$`)

var restartWords = []string{"no", "always", "unless-stopped", "on-failure"}

func parseRestart(s string) (RestartPolicy, error) {
	name, count, hasCount := strings.Cut(s, ":")
	if !contains(restartWords, name) {
		if m := retriesMeant().FindStringSubmatch(s); m != nil {
			return RestartPolicy{}, bad("%q is not a restart policy", s).fix("write on-failure:%s", m[1])
		}
		return RestartPolicy{}, bad("%q is not a restart policy", s).from(name, restartWords)
	}
	if !hasCount {
		return RestartPolicy{Name: name}, nil
	}
	if name != "on-failure" {
		return RestartPolicy{}, bad("%q has a retry count, which only on-failure takes", s).fix("write %s", name)
	}
	if count == "" {
		return RestartPolicy{Name: name}, nil
	}
	n, err := strconv.ParseInt(count, 10, 32)
	if err != nil || n < 0 {
		return RestartPolicy{}, bad("the retry count %q is not a whole number of 0 or more", count).fix("write on-failure:3")
	}
	return RestartPolicy{Name: name, MaxRetries: int(n)}, nil
}

// SplitCommand splits text into arguments as a shell would, without a shell: quotes and backslashes count, nothing is
// expanded.
func SplitCommand(s string) ([]string, error) {
	p := shellwords.NewParser()
	p.ParseEnv, p.ParseBacktick, p.ParseComment = false, false, false
	words, err := p.Parse(s)
	if err != nil {
		return nil, bad("the quotes or brackets of %q do not match", s).fix(`write a list: ["sh", "-c", "..."]`)
	}
	// The splitter stops silently at an operator of the shell; everything behind it would be lost.
	if p.Position >= 0 {
		return nil, bad("%q needs a shell, and a command runs without one", s).fix(`write a list: ["sh", "-c", %q]`, s)
	}
	return words, noNUL(s)
}

// GroupSyntax is the syntax of group-add: a group's name in the image, or a number.
func GroupSyntax() Parser[string] {
	return Parser[string]{
		Parse: func(s string) (string, error) {
			switch {
			case !isAccountNumber(s):
				return "", bad("%s is no group number", s).fix("use 0 to 2147483647")
			case s == "" || strings.ContainsAny(s, ":\n"):
				return "", bad("%q is not a group", s)
			}
			return s, noNUL(s)
		},
		Format: func(s string) string { return s },
		Schema: func() jsonSchema { return accountSchema(account()) },
		Syntax: "<group|gid>",
	}
}

// StorageOptSyntax is the syntax of storage-opt: size=SIZE is all that means anything on Linux.
func StorageOptSyntax() Parser[KeyValue] {
	return Parser[KeyValue]{
		Parse: func(s string) (KeyValue, error) {
			kv := cutPair(s)
			switch {
			case !kv.HasValue:
				return kv, bad("%q is not KEY=VALUE", s)
			case kv.Key != "size":
				return kv, bad("there is no storage option %q", kv.Key).from(kv.Key, []string{"size"})
			}
			n, err := size(kv.Value)
			if err == nil && n == 0 {
				err = bad("the size must be greater than 0 (got %s)", kv.Value)
			}
			return kv, err
		},
		Format: formatPair, Schema: func() jsonSchema { return pattern(`^size=` + someSize + `$`) },
		Entry: func() (jsonSchema, jsonSchema) { return enum("size"), ShmSize().Schema() }, Syntax: "size=SIZE", Words: []string{"size="},
	}
}

// Umask is the file mode creation mask of a process, an octal number; umask(2) uses its nine permission bits.
func Umask() Parser[int64] {
	return Parser[int64]{
		Parse: func(s string) (int64, error) {
			n, err := strconv.ParseUint(strings.TrimPrefix(s, "0o"), 8, 16)
			if err != nil || n > 0o777 {
				return 0, bad("%q is not an octal number up to 0777", s).fix(`write "0027"`)
			}
			return int64(n), nil
		},
		Format: func(n int64) string { return fmt.Sprintf("%04o", n) },
		Schema: func() jsonSchema {
			return anyOf(map[string]any{"type": "integer", "minimum": int64(0), "maximum": int64(777)}, pattern(`^(0o)?0*[0-7]{1,3}$`))
		},
		Syntax: "an octal number from 0000 to 0777",
	}
}
