package value

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// seccompProfile is docker's format, as far as it is checked here; what is left out is comments.
type seccompProfile struct {
	DefaultAction string   `json:"defaultAction"`
	Architectures []string `json:"architectures"`
	ArchMap       []struct {
		Architecture     string   `json:"architecture"`
		SubArchitectures []string `json:"subArchitectures"`
	} `json:"archMap"`
	Flags    []string      `json:"flags"`
	Syscalls []seccompRule `json:"syscalls"`
}

type seccompRule struct {
	Name     string           `json:"name"`
	Names    []string         `json:"names"`
	Action   string           `json:"action"`
	Args     []seccompArg     `json:"args"`
	Includes seccompCondition `json:"includes"`
	Excludes seccompCondition `json:"excludes"`
}

type seccompArg struct {
	Index uint   `json:"index"`
	Op    string `json:"op"`
}

type seccompCondition struct {
	Caps      []string `json:"caps"`
	MinKernel string   `json:"minKernel"`
}

var (
	seccompActions = []string{
		"SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP", "SCMP_ACT_ERRNO",
		"SCMP_ACT_TRACE", "SCMP_ACT_ALLOW", "SCMP_ACT_LOG",
	}
	seccompOps = []string{
		"SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ",
	}
	seccompArches = []string{
		"SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS",
		"SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32",
		"SCMP_ARCH_PPC", "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390", "SCMP_ARCH_S390X", "SCMP_ARCH_PARISC",
		"SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64", "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K", "SCMP_ARCH_SH",
		"SCMP_ARCH_SHEB",
	}
	seccompFlags = []string{
		"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
		"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
	}
	kernelVersion = regexp.MustCompile(`^[0-9]+\.[0-9]+$`)
)

// SeccompProfile checks a profile in docker's format and returns it without white space. Docker hands most of its
// mistakes on to the runtime, which may fail at the start or leave out what it does not know.
func SeccompProfile(data []byte) (text string, err error) {
	var p seccompProfile
	if err := json.Unmarshal(data, &p); err != nil {
		return "", bad("the seccomp profile is not the JSON that docker takes: %s", jsonProblem(data, err))
	}
	if err := p.check(); err != nil {
		return "", err
	}
	var out bytes.Buffer
	if err := json.Compact(&out, data); err != nil {
		return "", bad("the seccomp profile is not JSON: %s", jsonProblem(data, err))
	}
	return out.String(), nil
}

func (p *seccompProfile) check() error {
	if err := profileWord("defaultAction", p.DefaultAction, seccompActions); err != nil {
		return err
	}
	if len(p.Architectures) > 0 && len(p.ArchMap) > 0 {
		return bad("the seccomp profile has both architectures and archMap").fix("keep archMap")
	}
	arches := slices.Clone(p.Architectures)
	for _, m := range p.ArchMap {
		arches = append(append(arches, m.Architecture), m.SubArchitectures...)
	}
	for _, a := range arches {
		if err := profileWord("architecture", a, seccompArches); err != nil {
			return err
		}
	}
	for _, f := range p.Flags {
		if err := profileWord("flag", f, seccompFlags); err != nil {
			return err
		}
	}
	for i, r := range p.Syscalls {
		if err := r.check(); err != nil {
			err.Problem = fmt.Sprintf("entry %d of the syscalls: %s", i+1, err.Problem)
			return err
		}
	}
	return nil
}

func (r *seccompRule) check() *Error {
	if (r.Name == "") == (len(r.Names) == 0) {
		return bad("it needs names")
	}
	if err := profileWord("action", r.Action, seccompActions); err != nil {
		return err
	}
	for _, a := range r.Args {
		const most = 5 // a system call has six arguments
		if a.Index > most {
			return bad("a system call has no argument %d", a.Index).fix("arguments count from 0 to 5")
		}
		if err := profileWord("comparison", a.Op, seccompOps); err != nil {
			return err
		}
	}
	for _, c := range []seccompCondition{r.Includes, r.Excludes} {
		for _, name := range c.Caps {
			if bare := strings.TrimPrefix(name, "CAP_"); bare == name || !contains(Capabilities, bare) {
				return bad("there is no capability %q", name).from("CAP_"+bare, withPrefix("CAP_", Capabilities))
			}
		}
		if v := c.MinKernel; v != "" && !kernelVersion.MatchString(v) {
			return bad("minKernel %q is not a version", v).fix("write MAJOR.MINOR, such as 5.12")
		}
	}
	return nil
}

// profileWord demands a word of a list. NOTIFY is the only action that is known and refused: it needs somebody who listens.
func profileWord(what, word string, words []string) *Error {
	switch {
	case contains(words, word):
		return nil
	case word == "SCMP_ACT_NOTIFY":
		return bad("the %s SCMP_ACT_NOTIFY needs a program that answers, and runfile starts none", what)
	}
	return bad("the seccomp profile's %s %q is unknown", what, word).from(word, words)
}

func withPrefix(prefix string, words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = prefix + w
	}
	return out
}

// syscallText lists the system calls of Linux on all architectures, one a line, in alphabetical order.
//
//go:embed syscalls.txt
var syscallText string

// Syscalls are the names of Linux's system calls on all architectures, sorted. The list must not be changed.
var Syscalls = sync.OnceValue(func() []string { return strings.Fields(syscallText) })

// UnknownSyscalls returns the names in a profile that SeccompProfile has checked which no system call of Linux has. A
// runtime leaves them out, so that a misspelt rule does nothing.
func UnknownSyscalls(profile string) []string {
	var p seccompProfile
	if json.Unmarshal([]byte(profile), &p) != nil {
		return nil
	}
	var out []string
	for _, r := range p.Syscalls {
		for _, name := range append(slices.Clone(r.Names), r.Name) {
			if _, known := slices.BinarySearch(Syscalls(), name); !known && name != "" && !contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}
