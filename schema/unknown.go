package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/runfile/runfile/manifest"
	"github.com/runfile/runfile/manifest/diag"
)

// foreign maps well-known keys of compose files and Kubernetes manifests that spelling alone does not lead to ours.
var foreign = map[string]string{
	"ports": "publish", "port": "publish", "environment": "env", "environment-variables": "env", "mem-limit": "memory",
	"memswap-limit": "memory-swap", "mem-reservation": "memory-reservation", "mem-swappiness": "memory-swappiness",
	"container-name": "name", "extra-hosts": "add-host", "hosts": "add-host", "working-dir": "workdir", "cwd": "workdir",
	"stdin-open": "interactive", "stdin": "interactive", "network-mode": "network", "cmd": "command", "args": "command",
	"stop-grace-period": "stop-timeout", "cpu-set": "cpuset-cpus", "cpuset": "cpuset-cpus", "dns-opt": "dns-option",
	"dns-opts": "dns-option", "pull-policy": "pull", "image-pull-policy": "pull", "net": "network",
	"net-alias": "network-alias", "mounts": "volume", "volume-mounts": "volume", "binds": "volume", "entry-point": "entrypoint",
	"restart-policy": "restart", "domain-name": "domainname", "capabilities": "cap-add", "remove": "rm", "auto-remove": "rm",
	"background": "detach", "daemon": "detach", "terminal": "tty", "links-to": "link", "group": "user", "uid": "user",
	"healthcheck": "health-cmd", "liveness-probe": "health-cmd", "readiness-probe": "ready", "logging": "log-driver",
	"aliases": "network-alias", "needs": "depends-on", "after": "depends-on", "requires": "depends-on",
	"userns-mode": "userns", "cgroup": "cgroupns", "external-links": "link", "term": "tty", "cpu-quota-us": "cpu-quota", "scale": "replicas", "bind": "volume",
}

// advice is for foreign keys that have no single counterpart.
var advice = map[string]string{
	"healthcheck":    "write health-cmd, health-interval, health-timeout and health-retries, or no-healthcheck: true",
	"liveness-probe": "write health-cmd, health-interval, health-timeout and health-retries",
	"logging":        "write log-driver and log-opt",
	"build":          "build the image first and name it, for example image: oci:DIR",
	"deploy":         "write its limits as memory, cpus and pids-limit",
	"resources":      "write the limits as memory, cpus and pids-limit",
	"group":          "write user: USER:GROUP",
	"use-api-socket": "mount the socket: volume: /var/run/docker.sock:/var/run/docker.sock",
	"networks":       "write network: [NAME]; aliases and addresses as network: [{name: NAME, alias: [A], ip: IP}]",
}

// plainName finds the known name that a differently spelt key means: underscores, camel case, leading dashes, plural.
func plainName(key string, known func(string) bool) string {
	kebab := kebabCase(key)
	tries := []string{kebab, strings.TrimSuffix(kebab, "s"), strings.TrimSuffix(kebab, "es"), foreign[kebab]}
	for _, t := range tries {
		if t != "" && t != key && known(t) {
			return t
		}
	}
	return ""
}

// Foreign says what a key of another tool's file is here: the name of the option that means the same, or "", and advice
// where no single option does.
func Foreign(key string) (option, help string) {
	known := func(s string) bool { return rowByName[s] != nil }
	if known(kebabCase(key)) {
		return kebabCase(key), ""
	}
	return plainName(key, known), advice[kebabCase(key)]
}

// ForeignSection is the section of a runfile that means what another tool calls name, "" if there is none.
func ForeignSection(name string) string { return topLevelForeign[name] }

// kebabCase writes mem_limit, memLimit and --mem-limit as mem-limit.
func kebabCase(key string) string {
	var b strings.Builder
	lower := false
	for _, r := range strings.TrimLeft(key, "-") {
		switch {
		case r == '_' || r == '.' || r == ' ':
			b.WriteByte('-')
			lower = false
		case unicode.IsUpper(r):
			if lower {
				b.WriteByte('-')
			}
			b.WriteRune(unicode.ToLower(r))
			lower = false
		default:
			b.WriteRune(r)
			lower = unicode.IsLower(r) || unicode.IsDigit(r)
		}
	}
	return b.String()
}

// unknownOption reports a key of a container that has no row, with the line that was probably meant. Where that is beyond
// doubt the value is read as well, so that its own mistakes are not left for the next attempt.
func (d *decoder) unknownOption(c *Container, n *manifest.Node, e manifest.Entry) {
	at := len(d.diags)
	d.diags.Errorf(CodeUnknownOption, e.KeyRange, "%s has no option %q", d.who, e.Key)
	if help := d.otherwise(e); help != "" {
		d.diags[at].WithHelp("%s", help)
		return
	}
	name := shortName(e.Key)
	if name == "" {
		name = plainName(e.Key, func(s string) bool { return rowByName[s] != nil })
	}
	if name != "" {
		d.readAs(c, n, e, name)
		return
	}
	if slices.Contains(topLevelNames, e.Key) {
		d.diags[at].WithHelp("%s", topLevelHelp(e.KeyRange))
		return
	}
	if near, ok := d.nearestOption(n, kebabCase(e.Key)); ok {
		d.diags[at].WithHelp("did you mean %q?", near)
		d.mistaken = append(d.mistaken, near)
		return
	}
	if near, ok := nearestForeign(kebabCase(e.Key)); ok && len(d.diags) <= maxSuggestions {
		d.diags[at].WithHelp("did you mean %q?", near)
		d.mistaken = append(d.mistaken, near)
		return
	}
	d.diags[at].WithHelp("`runfile explain` lists all options")
}

// otherwise is the advice for a key that is no other spelling of a single option, "" if there is none.
func (d *decoder) otherwise(e manifest.Entry) string {
	kebab := kebabCase(e.Key)
	if slices.ContainsFunc(runFlags, func(f runFlag) bool { return f.name == kebab }) {
		return fmt.Sprintf("--%s is a flag of the command line; a runfile does not set it", kebab)
	}
	if lines := blockLines(kebab, e.Value, spellingAt(e.KeyRange)); len(lines) == 1 {
		return "write " + lines[0]
	} else if len(lines) > 1 {
		return "write\n" + strings.Join(lines, "\n")
	}
	if a := advice[kebab]; a != "" && (kebab != "networks" || e.Value.Kind == manifest.Map) {
		return a
	}
	var lines []string
	letters := strings.TrimPrefix(e.Key, "-")
	for _, letter := range letters {
		r := rowByName[shortName(string(letter))]
		if r == nil || r.Kind != Switch || len(letters) < 2 {
			return ""
		}
		lines = append(lines, spellingAt(e.KeyRange).pair(r.Name, "true"))
	}
	if len(lines) == 0 {
		return ""
	}
	return "write " + strings.Join(lines, " and ")
}

// readAs reads the value of a key that is another spelling of an option.
func (d *decoder) readAs(c *Container, n *manifest.Node, e manifest.Entry, name string) {
	unknown := &d.diags[len(d.diags)-1]
	d.mistaken = append(d.mistaken, name)
	if given := n.Entry(name); given != nil {
		unknown.WithHelp("it is called %s here; put the two together", name).Also(given.KeyRange, "%s", name)
		return
	}
	inner := *d
	inner.diags = nil
	rowByName[name].read(&inner, c, manifest.Entry{Key: name, KeyRange: e.KeyRange, Value: e.Value})
	if inner.diags.HasErrors() {
		unknown.WithHelp("write %s", name)
	} else {
		unknown.WithHelp("write %s", spellingAt(e.KeyRange).line(name, e.Value))
	}
	d.diags = append(d.diags, inner.diags...)
}

// maxSuggestions is after how many mistakes names are no longer compared: only the first are shown, and a file may hold
// thousands.
const maxSuggestions = 100

// nearestOption is the option whose name is closest to a word, of those that the container has not.
func (d *decoder) nearestOption(n *manifest.Node, word string) (string, bool) {
	if len(d.diags) > maxSuggestions {
		return "", false
	}
	given := map[string]bool{}
	for _, e := range n.Entries {
		given[e.Key] = true
	}
	var free []string
	for _, r := range rows {
		if !given[r.Name] {
			free = append(free, r.Name)
		}
	}
	return diag.Nearest(word, free)
}

// nearestForeign is the option that a misspelt key of another tool means.
func nearestForeign(word string) (string, bool) {
	near, ok := diag.Nearest(word, foreignNames())
	return foreign[near], ok
}

// foreignNames are the foreign keys that are long enough to be known with a mistake in them.
var foreignNames = sync.OnceValue(func() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(foreign)), func(s string) bool { return len(s) < 6 || advice[s] != "" })
})

func topLevelHelp(at diag.Range) string {
	if spellingAt(at) == spelledTOML {
		return "this key belongs to the file as a whole: write it above the first [section]"
	}
	return "this key belongs to the file as a whole: write it without indentation"
}

// shortName is the option with that short flag: -p or p.
func shortName(key string) string {
	letter := strings.TrimPrefix(key, "-")
	if len(letter) != 1 {
		return ""
	}
	for _, r := range rows {
		if r.Short == letter {
			return r.Name
		}
	}
	return ""
}

var topLevelNames = []string{
	"version", "project", "vars", "vars-file", "include", "defaults", "templates", "containers", "networks", "volumes",
	"secrets", "policy",
}

var topLevelForeign = map[string]string{
	"services": "containers", "service": "containers", "name": "project", "variables": "vars", "env": "vars", "includes": "include",
	"extends": "templates", "container": "containers", "jobs": "containers", "configs": "",
}

// containerAtTop reads the containers of a section with a foreign name, and a container that stands outside of the section,
// with their other mistakes. It returns what to write if that is more than another name.
func (d *decoder) containerAtTop(p *Project, e manifest.Entry, name string) string {
	s := spellingAt(e.KeyRange)
	switch image := e.Value.Get("image"); {
	case name == "containers" && image != nil && image.Kind == manifest.Scalar:
		if s == spelledTOML {
			return "write [containers.NAME]"
		}
		return "write `containers:`, and a name for the container between the two lines"
	case name == "containers" && len(p.Containers) == 0:
		p.Containers = d.containers(e.Value)
	case name == "" && image != nil:
		one := &manifest.Node{Kind: manifest.Map, Entries: []manifest.Entry{e}, Range: e.Value.Range}
		p.Containers = append(p.Containers, d.containers(one)...)
		if s == spelledTOML {
			return "write [containers." + tomlKey(e.Key) + "]"
		}
		return "if this is a container, write it into the section `containers`, indented deeper than `containers:`"
	}
	return ""
}

// topLevel reports a key at the top of the file that is no section.
func (d *decoder) topLevel(p *Project, e manifest.Entry) {
	if strings.HasPrefix(e.Key, "x-") {
		return
	}
	name := topLevelForeign[e.Key]
	if name == "" {
		name = plainName(e.Key, func(s string) bool { return slices.Contains(topLevelNames, s) })
	}
	help := d.containerAtTop(p, e, name)
	diagnostic := d.diags.Errorf(CodeUnknownKey, e.KeyRange, "a runfile has no section %q", e.Key)
	if name == "" && help == "" {
		name, _ = diag.Nearest(e.Key, topLevelNames)
	}
	switch {
	case help != "":
		diagnostic.WithHelp("%s", help)
	case name != "":
		diagnostic.WithHelp("did you mean %q?", name)
	case rowByName[e.Key] != nil:
		diagnostic.WithHelp("%s", fmt.Sprintf("%q is an option of a container; a file whose options stand at the top needs image there, too", e.Key))
	default:
		diagnostic.WithHelp("keys of your own begin with x-")
	}
}
