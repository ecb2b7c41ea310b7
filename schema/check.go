package schema

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema/value"
)

// checker collects what the rules find. A rule looks at typed values only, so it serves manifests and command lines
// alike.
type checker struct {
	p     *Project
	index *index
	diags diag.List
}

// containerRules are the rules within one container, in no particular order.
var containerRules = []func(*checker, *Container){
	(*checker).platform,
	(*checker).exclusions,
	(*checker).memory,
	(*checker).cpu,
	(*checker).windows,
	(*checker).logOptions,
	(*checker).namespaceSysctls,
	(*checker).mountTargets,
	(*checker).withoutEffect,
	(*checker).unread,
	(*checker).oddNames,
	(*checker).networkClass,
	(*checker).networkModes,
	(*checker).networkEntries,
	(*checker).linkAliases,
	(*checker).remapped,
}

// projectRules are the rules between containers, networks and volumes.
var projectRules = []func(*checker){
	(*checker).subnets,
	(*checker).names,
	(*checker).addresses,
	(*checker).ports,
	(*checker).references,
	(*checker).donors,
	(*checker).secretNames,
	(*checker).conditions,
	(*checker).terminals,
}

// Check applies the rules between options and between containers. Whether a container that is referred to exists is
// the planner's question, since it may be one of the host's.
func Check(p *Project) diag.List {
	k := &checker{p: p, index: newIndex(p)}
	for _, c := range p.Containers {
		for _, rule := range containerRules {
			rule(k, c)
		}
	}
	for _, rule := range projectRules {
		rule(k)
	}
	return k.diags
}

// given returns where an option that means something stands: a switch at its default and restart: no count as absent.
func given(c *Container, name string) (Value, bool) {
	values := Values(c, name)
	if len(values) == 0 || rowByName[name].isDefault(values[0].Text) {
		return Value{}, false
	}
	return values[0], true
}

// isDefault reports whether a value is the same as leaving the option out.
func (o *Option) isDefault(text string) bool {
	if o.Kind == Switch {
		return (text == "true") == (o.Default == "true")
	}
	return o.Name == "restart" && text == "no"
}

// conflict reports two options that exclude each other, pointing at both.
func (k *checker) conflict(c *Container, a string, aAt diag.Range, b string, bAt diag.Range, why string) *diag.Diagnostic {
	return k.diags.Errorf(CodeConflict, aAt, "%s: %s and %s exclude each other: %s", who(c), a, b, why).
		WithLabel("%s", a).Also(bAt, "%s", b)
}

// Exclusion is a pair of options that cannot stand together.
type Exclusion struct {
	A, B string
	Is   string // only this value of B excludes A; "" = any
	Not  string // every value of B but this excludes A; "" = any
	Why  string
	help string
}

// Exclusions returns the pairs of options that cannot stand together.
func Exclusions() []Exclusion { return slices.Clone(exclusionTable) }

// applies reports whether a value of B is one that excludes A.
func (x Exclusion) applies(b Value) bool {
	return (x.Is == "" || b.Text == x.Is) && (x.Not == "" || b.Text != x.Not)
}

var exclusionTable = []Exclusion{
	{"rm", "restart", "", "", "a container that is removed when it exits cannot be started again", "remove one of them"},
	{"attach", "detach", "", "", "a detached container has nobody attached", "remove one of them"},
	{"hostname", "uts", "host", "", "with the host's UTS namespace the name is the host's", "remove hostname"},
	{"domainname", "uts", "host", "", "with the host's UTS namespace the name is the host's", "remove domainname"},
	{"cpus", "cpu-period", "", "", "cpus sets the period itself", "keep cpus, or write cpu-period and cpu-quota"},
	{"cpus", "cpu-quota", "", "0", "cpus sets the quota itself", "keep cpus, or write cpu-period and cpu-quota"},
	{"io-maxbandwidth", "io-maxiops", "", "", "Windows limits one or the other", "keep one of them"},
	{"health-cmd", "no-healthcheck", "", "", "the check is switched off", "remove one of them"},
	{"health-interval", "no-healthcheck", "", "", "the check is switched off", "remove one of them"},
	{"health-timeout", "no-healthcheck", "", "", "the check is switched off", "remove one of them"},
	{"health-retries", "no-healthcheck", "", "", "the check is switched off", "remove one of them"},
	{"health-start-period", "no-healthcheck", "", "", "the check is switched off", "remove one of them"},
	{"health-start-interval", "no-healthcheck", "", "", "the check is switched off", "remove one of them"},
	{"health-on-failure", "no-healthcheck", "", "", "the check is switched off", "remove one of them"},
}

func (k *checker) exclusions(c *Container) {
	for _, x := range exclusionTable {
		a, hasA := given(c, x.A)
		b, hasB := given(c, x.B)
		if hasA && hasB && x.applies(b) {
			k.conflict(c, x.A, a.At, x.B, b.At, x.Why).WithHelp("%s", x.help)
		}
	}
}

// memory relates memory, memory-swap and memory-reservation; their ranges are their parsers' business.
func (k *checker) memory(c *Container) {
	memory, swap, soft := c.Resources.Memory, c.Resources.MemorySwap, c.Resources.MemoryReservation
	if memory.Value > 0 && soft.Value > memory.Value {
		k.conflict(c, "memory-reservation", soft.At, "memory", memory.At, "the soft limit cannot be above the hard one").
			WithHelp("write %s or less", assign(soft.At, "memory-reservation", value.Size().Text(memory.Value)))
	}
	if o := c.Resources.OOMKillDisable; o.Value && memory.Value == 0 {
		k.diags.Warnf(CodeNoEffect, o.At, "%s: oom-kill-disable without memory lets the container take all of the host's memory", who(c)).
			WithHelp("add memory, or remove oom-kill-disable")
	}
	switch {
	case swap.Value <= 0:
	case memory.Value == 0:
		k.diags.Errorf(CodeNeeds, swap.At, "%s: memory-swap needs memory, of which it is the sum with swap", who(c)).
			WithHelp("add memory, or remove memory-swap")
	case swap.Value < memory.Value:
		k.conflict(c, "memory-swap", swap.At, "memory", memory.At, "memory-swap counts both, so it cannot be less than memory").
			WithHelp("write %s for no swap, or more", assign(swap.At, "memory-swap", value.Size().Text(memory.Value)))
	}
}

func (k *checker) logOptions(c *Container) {
	driver := c.Logging.Driver.Or("json-file")
	texts := map[string]string{}
	var compress, buffer diag.Range
	for _, o := range c.Logging.Options {
		if err := value.CheckLogOption(driver, o.Value); err != nil {
			k.logOption(c, o.At, err)
		}
		texts[o.Value.Key] = o.Value.Value
		switch o.Value.Key {
		case "compress":
			compress = o.At
		case "max-buffer-size":
			buffer = o.At
		}
	}
	if _, sized := texts["max-buffer-size"]; sized && driver != "none" && texts["mode"] != "non-blocking" {
		k.diags.Errorf(CodeNeeds, buffer, "%s: max-buffer-size needs mode=non-blocking", who(c)).
			WithHelp("only then is there a buffer; add mode=non-blocking, or remove max-buffer-size")
	}
	on, err := value.Bool(texts["compress"])
	if err != nil || !on || driver != "json-file" {
		return
	}
	if files := texts["max-file"]; texts["max-size"] == "" || files == "" || files == "1" {
		k.diags.Errorf(CodeNeeds, compress, "%s: compress needs max-size and a max-file of 2 or more", who(c)).
			WithHelp("only files that have been rotated are compressed; write %s", assign(compress, "log-opt", "compress=true", "max-size=10m", "max-file=3"))
	}
}

func (k *checker) logOption(c *Container, at diag.Range, err error) {
	code := CodeBadLogOption
	if e, ok := err.(*value.Error); ok && e.NotYet { //nolint:errorlint // CheckLogOption returns nothing else
		code = CodeNotYet
	}
	diagnostic := k.diags.Errorf(code, at, "%s, log-opt: %v", who(c), err)
	if d := c.Logging.Driver; d.Set {
		diagnostic.Also(d.At, "the log driver")
	}
	advise(diagnostic, nil, err)
}

// namespaceSysctls refuses sysctls of a namespace that is not the container's own: they would change another's.
func (k *checker) namespaceSysctls(c *Container) {
	ipc := c.Namespaces.IPC
	shared := ipc.Value.Mode == "host" || ipc.Value.Mode == "container"
	network, at := networkMode(c)
	for _, s := range c.Process.Sysctls {
		key := s.Value.Key
		switch {
		case strings.HasPrefix(key, "net.") && (network == value.NetworkHost || network == value.NetworkContainer):
			k.diags.Errorf(CodeNetworkMode, s.At, "%s: sysctl %s would change a network that is not its own", who(c), key).
				Also(at, "the network").WithHelp("remove the sysctl, or set it where the network belongs")
		case !strings.HasPrefix(key, "net.") && shared:
			k.conflict(c, "sysctl "+key, s.At, "ipc", ipc.At, "it would change an IPC namespace that is not the container's own").
				WithHelp("remove one of them")
		}
	}
}

// mountTargets finds places that are mounted on twice. What docker resolves by itself is gone already (dropMounts).
func (k *checker) mountTargets(c *Container) {
	seen := map[string]diag.Range{}
	look := func(target string, at diag.Range) {
		if first, twice := seen[target]; twice {
			k.diags.Errorf(CodeDuplicateTarget, at, "%s mounts two things on %s", who(c), target).
				Also(first, "first here").WithHelp("remove one of them")
			return
		}
		seen[target] = at
	}
	for _, v := range c.Mounts.Volumes {
		look(v.Value.Target, v.At)
	}
	for _, t := range c.Mounts.Tmpfs {
		look(t.Value.Target, t.At)
	}
	if at, taken := seen["/dev/shm"]; taken && c.Mounts.ShmSize.Set {
		k.conflict(c, "shm-size", c.Mounts.ShmSize.At, "the mount on /dev/shm", at, "it takes the place of what shm-size is for").
			WithHelp("remove one of them")
	}
}

// withoutEffect warns of options that are correct and do nothing beside another one.
func (k *checker) withoutEffect(c *Container) {
	warn := func(what string, at, because diag.Range, why string) {
		k.diags.Warnf(CodeNoEffect, at, "%s: %s has no effect: %s", who(c), what, why).
			Also(because, "because of this").WithHelp("remove %s", what)
	}
	if i, pid := c.Process.Init, c.Namespaces.PID; i.Value && (pid.Value.Mode == "host" || pid.Value.Mode == "container") {
		warn("init", i.At, pid.At, "process 1 is another container's or the host's")
	}
	if s, ipc := c.Mounts.ShmSize, c.Namespaces.IPC; s.Set && slices.Contains([]string{"host", "container", "none"}, ipc.Value.Mode) {
		warn("shm-size", s.At, ipc.At, "/dev/shm is not the container's own")
	}
	for _, name := range []string{"cap-add", "cap-drop", "device-cgroup-rule"} {
		if v, ok := given(c, name); ok && c.Security.Privileged.Value {
			warn(name, v.At, c.Security.Privileged.At, "a privileged container has every capability and every device")
		}
	}
	if t := c.Lifecycle.Timeout; t.Set && c.IsService() {
		because := c.Lifecycle.Detach.At
		if !c.Lifecycle.Detach.Value {
			because = c.Lifecycle.Restart.At
		}
		warn("timeout", t.At, because, "it is for jobs, and this container is a service")
	}
}

// unread warns of entries that nobody will read.
func (k *checker) unread(c *Container) {
	for _, a := range c.Stdio.Attach {
		if a.Value == "stdin" && !c.Stdio.Interactive.Value {
			k.diags.Warnf(CodeNoEffect, a.At, "%s: attach stdin has no effect without interactive", who(c)).
				WithHelp("add %s", spellingAt(a.At).on("interactive"))
		}
	}
	if p := c.Process.InitPath; p.Set && !c.Process.Init.Value {
		k.diags.Warnf(CodeNoEffect, p.At, "%s: init-path has no effect without init", who(c)).WithHelp("add %s", spellingAt(p.At).on("init"))
	}
	if m := c.Resources.KernelMemory; m.Value > 0 {
		k.diags.Warnf(CodeNoEffect, m.At, "%s: kernel-memory has no effect: kernels have no separate limit for their own memory any more", who(c)).
			WithHelp("remove it; memory covers it")
	}
	if len(c.Network.DNS) > 3 {
		k.diags.Warnf(CodeNoEffect, c.Network.DNS[3].At, "%s: resolvers ask the first three dns servers only", who(c)).
			WithHelp("remove the others")
	}
}

// oddNames warns of names that docker takes and nobody means: the variable FOO = bar has the name "FOO ".
func (k *checker) oddNames(c *Container) {
	for _, e := range c.Process.Env {
		name := e.Value.Key
		if trimmed := strings.TrimSpace(name); trimmed != name && e.Value.HasValue {
			k.diags.Warnf(CodeOddValue, e.At, "%s, env: the blank before the equals sign belongs to the name %q", who(c), name).
				WithHelp("write %s=%s", trimmed, strings.TrimSpace(e.Value.Value))
		}
	}
	if h := c.Namespaces.Hostname; h.Value != "" && !hostName().MatchString(h.Value) {
		k.diags.Warnf(CodeOddValue, h.At, "%s: %q is no host name as RFC 1123 has them, so programs may refuse it", who(c), h.Value).
			WithHelp("use letters, digits and hyphens, with a letter or digit at both ends")
	}
}

// hostName is a name as RFC 1123 has them. The kernel takes more.
var hostName = sync.OnceValue(func() *regexp.Regexp {
	const label = `[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?`
	return regexp.MustCompile(`^` + label + `(\.` + label + `)*$`)
})

// who names a container in messages. On a command line it may have a key that nobody has written.
func who(c *Container) string {
	if c.At.File == CommandLine {
		return "runfile run"
	}
	return fmt.Sprintf("container %q", c.Key)
}
