package conformance

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// How a script ended. A script that is unproved has said why this kernel cannot show its proof.
const (
	pass  = "pass"
	fail  = "fail"
	unpro = "unproved"
)

// result is one line of a results file.
type result struct {
	Subject string `json:"subject"` // the option, or "scenarios"
	Script  string `json:"script"`
	Outcome string `json:"outcome"`
	Reason  string `json:"reason,omitempty"`
}

// host is the first line of a results file: what the results were seen on.
type host struct {
	Kernel string   `json:"kernel"` // 6.18
	Cgroup int      `json:"cgroup"` // 1 or 2
	Lacks  []string `json:"lacks,omitempty"`
}

// collected holds the results of a run of the suite.
type collected struct {
	mu  sync.Mutex
	all map[[2]string]result
}

var results = collected{all: make(map[[2]string]result)}

func (c *collected) add(r result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all[[2]string{r.Subject, r.Script}] = r
}

// write puts the results into v1.jsonl or v2.jsonl, by the host's cgroup version, in the directory that
// RUNFILE_CONFORMANCE_RESULTS names. Results that are there already and were not seen anew are kept, so that a run of a
// few scripts can refresh their lines.
func (c *collected) write() error {
	dir := os.Getenv("RUNFILE_CONFORMANCE_RESULTS")
	if dir == "" || len(c.all) == 0 {
		return nil
	}
	h := thisHost()
	name := resultsFile(dir, h.Cgroup)
	_, old, err := readResults(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, r := range old {
		key := [2]string{r.Subject, r.Script}
		if _, seen := c.all[key]; !seen && exists(r.file()) {
			c.all[key] = r
		}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(h); err != nil {
		return err
	}
	for _, r := range sortedResults(c.all) {
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
	return os.WriteFile(name, out.Bytes(), 0o644)
}

func resultsFile(dir string, cgroup int) string {
	return filepath.Join(dir, fmt.Sprintf("v%d.jsonl", cgroup))
}

// file is the script's.
func (r result) file() string {
	if r.Subject == "scenarios" {
		return filepath.Join("scenarios", r.Script+".txtar")
	}
	return filepath.Join("options", r.Subject, r.Script+".txtar")
}

func sortedResults(all map[[2]string]result) []result {
	var list []result
	for _, r := range all {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b result) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Script, b.Script))
	})
	return list
}

func readResults(name string) (host, []result, error) {
	var h host
	b, err := os.ReadFile(name)
	if err != nil {
		return h, nil, err
	}
	var list []result
	scanner := bufio.NewScanner(bytes.NewReader(b))
	for n := 1; scanner.Scan(); n++ {
		var r result
		into := any(&r)
		if n == 1 {
			into = &h
		}
		if err := json.Unmarshal(scanner.Bytes(), into); err != nil {
			return h, nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		if n > 1 {
			list = append(list, r)
		}
	}
	return h, list, scanner.Err()
}

// features are the gates that differ between hosts, by the name that the page prints.
var features = []struct{ gate, name string }{
	{"cap:24", "CAP_SYS_RESOURCE"},
	{"rt", "real-time group scheduling"},
	{"io.weight", "weights of block devices"},
	{"bfq", "the bfq scheduler"},
	{"loop", "loop devices"},
	{"swap", "swap"},
	{"apparmor", "AppArmor"},
	{"selinux", "SELinux"},
	{"numa", "a second memory node"},
	{"cpus:2", "a second CPU"},
	{"subids:runfile", "subordinate ids"},
	{"ipv6", "IPv6"},
}

func thisHost() host {
	var name unix.Utsname
	h := host{Cgroup: 1}
	if unix.Uname(&name) == nil {
		fields := strings.SplitN(unix.ByteSliceToString(name.Release[:]), ".", 3)
		h.Kernel = strings.Join(fields[:min(2, len(fields))], ".")
	}
	if cgroup2() {
		h.Cgroup = 2
	}
	for _, f := range features {
		if has, err := condition(f.gate); err != nil || !has {
			h.Lacks = append(h.Lacks, f.name)
		}
	}
	return h
}

// recorder is the T of a folder of scripts, or of one script, that remembers how scripts end.
type recorder struct {
	*testing.T
	subject string
	reason  *string // why the script was skipped
}

func (r recorder) Run(name string, script func(testscript.T)) {
	r.T.Run(name, func(t *testing.T) {
		one := recorder{T: t, subject: r.subject, reason: new(string)}
		defer func() {
			outcome := pass
			switch {
			case t.Failed():
				outcome = fail
			case t.Skipped():
				outcome = unpro
			}
			results.add(result{r.subject, name, outcome, *one.reason})
		}()
		script(one)
	})
}

func (r recorder) Skip(reason ...any) {
	r.Helper()
	if len(reason) == 0 {
		r.Fatal("a script that is skipped says why")
	}
	*r.reason = fmt.Sprint(reason...)
	r.T.Skip(reason...)
}

func (r recorder) Verbose() bool { return testing.Verbose() }
