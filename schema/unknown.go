package schema

import (
	"fmt"
	"slices"
	"strings"
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
	"term": "tty", "cpu-quota-us": "cpu-quota", "scale": "replicas", "bind": "volume",
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

// unknownOption reports a key of a container that has no row, with the line that was probably meant.
func (d *decoder) unknownOption(n *manifest.Node, e manifest.Entry) {
	diagnostic := d.diags.Errorf(CodeUnknownOption, e.KeyRange, "%s has no option %q", d.who, e.Key)
	if slices.ContainsFunc(runFlags, func(f runFlag) bool { return f.name == e.Key }) {
		diagnostic.WithHelp("--%s is a flag of the command line; a runfile does not set it", e.Key)
		return
	}
	if a := advice[kebabCase(e.Key)]; a != "" {
		diagnostic.WithHelp("%s", a)
		return
	}
	if name := shortName(e.Key); name != "" {
		diagnostic.WithHelp("write %s", rewritten(name, e.Value))
		return
	}
	if name := plainName(e.Key, func(s string) bool { return rowByName[s] != nil }); name != "" {
		diagnostic.WithHelp("write %s", rewritten(name, e.Value))
		return
	}
	var free []string // names that the container has already are no suggestion
	for _, r := range rows {
		if n.Entry(r.Name) == nil {
			free = append(free, r.Name)
		}
	}
	if near, ok := diag.Nearest(kebabCase(e.Key), free); ok {
		diagnostic.WithHelp("did you mean %q?", near)
	}
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

// rewritten is the line as it should be, if the value fits on one.
func rewritten(name string, n *manifest.Node) string {
	if flow, ok := flowText(n); ok {
		return name + ": " + flow
	}
	return name
}

// flowText is a value in YAML's flow style; ok is false for what is long or deep.
func flowText(n *manifest.Node) (string, bool) {
	var parts []string
	switch n.Kind {
	case manifest.Null:
		return "", false
	case manifest.Scalar:
		if n.Type != manifest.String {
			return n.Text, true
		}
		return yamlText(n.Text), len(n.Text) < 60 && !strings.Contains(n.Text, "\n")
	case manifest.List:
		for _, item := range n.Items {
			if item.Kind != manifest.Scalar {
				return "", false
			}
			text, ok := flowText(item)
			if !ok {
				return "", false
			}
			parts = append(parts, text)
		}
		out := "[" + strings.Join(parts, ", ") + "]"
		return out, len(out) < 80
	case manifest.Map:
		for _, e := range n.Entries {
			text, ok := flowText(e.Value)
			if !ok || e.Value.Kind != manifest.Scalar {
				return "", false
			}
			parts = append(parts, yamlText(e.Key)+": "+text)
		}
	}
	out := "{" + strings.Join(parts, ", ") + "}"
	return out, len(out) < 80
}

var topLevelNames = []string{
	"version", "project", "vars", "vars-file", "include", "defaults", "templates", "containers", "networks", "volumes",
	"secrets", "policy",
}

var topLevelForeign = map[string]string{
	"services": "containers", "name": "project", "variables": "vars", "env": "vars", "includes": "include",
	"extends": "templates", "container": "containers", "jobs": "containers", "configs": "",
}

// topLevel reports a key at the top of the file that is no section.
func (d *decoder) topLevel(e manifest.Entry) {
	if strings.HasPrefix(e.Key, "x-") {
		return
	}
	diagnostic := d.diags.Errorf(CodeUnknownKey, e.KeyRange, "a runfile has no section %q", e.Key)
	name := topLevelForeign[e.Key]
	if name == "" {
		name = plainName(e.Key, func(s string) bool { return slices.Contains(topLevelNames, s) })
	}
	if name == "" {
		name, _ = diag.Nearest(e.Key, topLevelNames)
	}
	switch {
	case name != "":
		diagnostic.WithHelp("did you mean %q?", name)
	case rowByName[e.Key] != nil:
		diagnostic.WithHelp("%s", fmt.Sprintf("%q is an option of a container; a file whose options stand at the top needs image there, too", e.Key))
	default:
		diagnostic.WithHelp("keys of your own begin with x-")
	}
}
