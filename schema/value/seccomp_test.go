package value_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/runfile/runfile/schema/value"
)

func TestSeccompProfile(t *testing.T) {
	rule := func(rest string) string {
		return `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"` + rest + `}]}`
	}
	for text, want := range map[string]string{
		`{"defaultAction": "SCMP_ACT_ALLOW"}`:                             "",
		`{"defaultAction": "SCMP_ACT_ALLOW", "comment": "no matter"}`:     "",
		rule(`, "args": [{"index": 5, "value": 1, "op": "SCMP_CMP_EQ"}]`): "",
		rule(`, "includes": {"caps": ["CAP_BPF"], "minKernel": "5.12"}`):  "",
		`{"defaultAction": "SCMP_ACT_ERRNO", "flags": ["SECCOMP_FILTER_FLAG_LOG"], "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X32"]}]}`: "",

		`{}`:                                   `defaultAction "" is unknown`,
		`{"defaultAction": "SCMP_ACT_ALOW"}`:   `defaultAction "SCMP_ACT_ALOW" is unknown`,
		`{"defaultAction": "SCMP_ACT_NOTIFY"}`: "needs a program that answers",
		`[]`:                                   "not the JSON that docker takes",
		`{"defaultAction": 1}`:                 `"defaultAction" has a value of the wrong type`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "archMap": [{"architecture": "SCMP_ARCH_X86_64"}]}`: "both architectures and archMap",
		`{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["amd64"]}`:                                                               `architecture "amd64" is unknown`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["X32"]}]}`:           `architecture "X32" is unknown`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["LOG"]}`:                                                                         `flag "LOG" is unknown`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"]}]}`:                                                           `entry 1 of the syscalls: the seccomp profile's action "" is unknown`,
		`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"action": "SCMP_ACT_LOG"}]}`:                                                 "entry 1 of the syscalls: it needs names",
		rule(`, "args": [{"index": 6, "op": "SCMP_CMP_EQ"}]`):                                                                           "no argument 6",
		rule(`, "args": [{"index": 0, "op": "=="}]`):                                                                                    `comparison "==" is unknown`,
		rule(`, "includes": {"caps": ["BPF"]}`):                                                                                         `no capability "BPF"`,
		rule(`, "excludes": {"minKernel": "new"}`):                                                                                      `minKernel "new" is not a version`,
	} {
		compact, err := value.SeccompProfile([]byte(text))
		switch {
		case want == "" && (err != nil || strings.Contains(compact, ": ")):
			t.Errorf("%s: %q, %v", text, compact, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestUnknownSyscalls(t *testing.T) {
	profile := `{"syscalls":[{"names":["mkdir","mkdirr","set_tls"]},{"name":"opne"},{"names":["mkdirr"]}]}`
	if got := value.UnknownSyscalls(profile); !slices.Equal(got, []string{"mkdirr", "opne"}) {
		t.Errorf("unknown: %q", got)
	}
}

// TestSyscallsAreComplete: the list has what the kernel's headers of all architectures have, which golang.org/x/sys keeps
// up with. After an update of that module, add the names that are missing.
func TestSyscallsAreComplete(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/sys").Output()
	if err != nil {
		t.Skip("no go command:", err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "unix/zsysnum_linux_*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no lists: %v", err)
	}
	known := value.Syscalls()
	if !slices.IsSorted(known) {
		t.Error("syscalls.txt is not sorted")
	}
	constant := regexp.MustCompile(`(?m)^\s+SYS_([A-Z0-9_]+)\s`)
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range constant.FindAllSubmatch(source, -1) {
			if name := strings.ToLower(string(m[1])); !slices.Contains(known, name) {
				t.Errorf("%s: %s is missing", filepath.Base(file), name)
			}
		}
	}
}
