package native

import (
	"fmt"
	"strings"

	"github.com/runfile/runfile/executor/ocispec"
	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

// clue ties a word that only one option brings into a runtime's message to that option.
type clue struct {
	word   string // a path or a name
	option string
	entry  string // of a list, as it is written; "" = the option is no list
}

// knobs are the files and system calls that options end in.
var knobs = []clue{
	{word: "cpu.cfs_quota_us", option: "cpus"},
	{word: "cpu.cfs_quota_us", option: "cpu-quota"},
	{word: "cpu.cfs_period_us", option: "cpu-period"},
	{word: "cpu.max", option: "cpus"},
	{word: "cpu.max", option: "cpu-quota"},
	{word: "cpu.max", option: "cpu-period"},
	{word: "cpu.shares", option: "cpu-shares"},
	{word: "cpu.weight", option: "cpu-shares"},
	{word: "cpu.rt_runtime_us", option: "cpu-rt-runtime"},
	{word: "cpu.rt_period_us", option: "cpu-rt-period"},
	{word: "cpuset.cpus", option: "cpuset-cpus"},
	{word: "cpuset.mems", option: "cpuset-mems"},
	{word: "memory.limit_in_bytes", option: "memory"},
	{word: "memory.max", option: "memory"},
	{word: "memory.memsw", option: "memory-swap"},
	{word: "memory.swap.max", option: "memory-swap"},
	{word: "memory.soft_limit", option: "memory-reservation"},
	{word: "memory.low", option: "memory-reservation"},
	{word: "pids.max", option: "pids-limit"},
	{word: "blkio.weight", option: "blkio-weight"},
	{word: "oom_score_adj", option: "oom-score-adj"},
	{word: "sethostname", option: "hostname"},
	{word: "setgroups", option: "group-add"},
	{word: "setgroups", option: "user"},
	{word: "chdir", option: "workdir"},
	{word: "mkdir cwd", option: "workdir"},
	{word: "apparmor", option: "security-opt"},
	{word: "seccomp", option: "security-opt"},
	{word: "/dev/console", option: "tty"},
	{word: ocispec.InitTarget, option: "init-path"},
}

// clues are those that the options of a container leave.
func clues(c *schema.Container) []clue {
	var out []clue
	add := func(option, entry string, words ...string) {
		for _, w := range words {
			if len(w) > 1 { // "/" is in every path
				out = append(out, clue{w, option, entry})
			}
		}
	}
	for _, kv := range c.Process.Sysctls.Values() {
		add("sysctl", kv.Key+"="+kv.Value, kv.Key, "/proc/sys/"+strings.ReplaceAll(kv.Key, ".", "/"))
	}
	add("domainname", "", "kernel.domainname", "/proc/sys/kernel/domainname")
	for _, u := range c.Process.Ulimits.Values() {
		text := value.UlimitSyntax().Text(u)
		add("ulimit", text, "RLIMIT_"+strings.ToUpper(u.Name), "rlimit")
		if u.Name == "nofile" { // runtimes begin with a capital letter or not
			add("ulimit", text, "oo many open files")
		}
	}
	add("workdir", "", c.Process.Workdir.Value)
	for i, v := range schema.Values(c, "volume") {
		m := c.Mounts.Volumes[i].Value
		add("volume", v.Text, m.Source, m.Target)
	}
	for i, v := range schema.Values(c, "tmpfs") {
		add("tmpfs", v.Text, c.Mounts.Tmpfs[i].Value.Target)
	}
	for i, v := range schema.Values(c, "device") {
		d := c.Devices.Devices[i].Value
		add("device", v.Text, d.Source, d.Target)
	}
	return append(out, knobs...)
}

// blame adds to a runtime's refusal the option that it is about, so that its line can be shown. It goes by words of the
// message, which is good enough for that: what the refusal means and its exit status do not depend on it. The longest
// word counts, since it says most.
func blame(c *schema.Container, err error) error {
	var best clue
	text := err.Error()
	for _, k := range clues(c) {
		if len(k.word) > len(best.word) && strings.Contains(text, k.word) && len(schema.Values(c, k.option)) > 0 {
			best = k
		}
	}
	switch {
	case best.option == "":
		return err
	case best.entry == "":
		return &ocispec.Error{Option: best.option, Err: err}
	}
	return &ocispec.Error{Option: best.option, Err: fmt.Errorf("%s: %w", best.entry, err)}
}
