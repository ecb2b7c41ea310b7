package schema

import (
	"slices"
)

// referenceOrder is the order of docker run's help.
var referenceOrder = []string{
	"add-host", "attach", "blkio-weight", "blkio-weight-device", "cap-add", "cap-drop", "cgroup-parent", "cidfile",
	"cpu-count", "cpu-percent", "cpu-period", "cpu-quota", "cpu-shares", "cpus", "cpu-rt-period", "cpu-rt-runtime",
	"cpuset-cpus", "cpuset-mems", "detach", "detach-keys", "device", "device-cgroup-rule", "device-read-bps",
	"device-read-iops", "device-write-bps", "device-write-iops", "disable-content-trust", "dns", "dns-option",
	"dns-search", "entrypoint", "env", "env-file", "expose", "group-add", "health-cmd", "health-interval",
	"health-retries", "health-timeout", "help", "hostname", "init", "init-path", "interactive", "io-maxbandwidth",
	"io-maxiops", "ip", "ip6", "ipc", "isolation", "kernel-memory", "label", "label-file", "link", "link-local-ip",
	"log-driver", "log-opt", "mac-address", "memory", "memory-reservation", "memory-swap", "memory-swappiness", "name",
	"network-alias", "network", "no-healthcheck", "oom-kill-disable", "oom-score-adj", "pid", "pids-limit",
	"privileged", "publish", "publish-all", "read-only", "restart", "rm", "runtime", "security-opt", "shm-size",
	"sig-proxy", "stop-signal", "stop-timeout", "storage-opt", "sysctl", "tmpfs", "tty", "ulimit", "user", "userns",
	"uts", "volume", "volume-driver", "volumes-from", "workdir",
	// Younger options of docker run.
	"annotation", "cgroupns", "domainname", "gpus", "health-start-interval", "health-start-period", "mount", "platform", "pull",
}

// rows is the table: docker's options in the order of its help, then runfile's own.
var rows = arrange(slices.Concat(
	imageOptions, processOptions, resourcesOptions, devicesOptions, namespacesOptions, securityOptions, networkOptions,
	mountsOptions, loggingOptions, healthOptions, lifecycleOptions, stdioOptions, metadataOptions,
	windowsOptions,
))

var rowByName = func() map[string]*row[Container] {
	m := make(map[string]*row[Container], len(rows))
	for i := range rows {
		m[rows[i].Name] = &rows[i]
	}
	return m
}()

func arrange(list []row[Container]) []row[Container] {
	place := make(map[string]int, len(referenceOrder))
	for i, name := range referenceOrder {
		place[name] = i
	}
	at := func(r row[Container]) int {
		if i, ok := place[r.Name]; ok {
			return i
		}
		return len(place)
	}
	slices.SortStableFunc(list, func(a, b row[Container]) int { return at(a) - at(b) })
	return list
}

// Options returns the rows of the table: docker's options in the order of its help, then runfile's own keys.
func Options() []Option {
	out := make([]Option, len(rows))
	for i := range rows {
		out[i] = rows[i].Option
	}
	return out
}

// Lookup returns the row of that long name. The row must not be changed.
func Lookup(name string) (*Option, bool) {
	if r := rowByName[name]; r != nil {
		return &r.Option, true
	}
	return nil, false
}

// Repeatable reports whether an option of that name takes several values, which add up over defaults and templates.
func Repeatable(name string) bool {
	r := rowByName[name]
	return r != nil && (r.Kind == List || r.Kind == Map)
}

// Section is a part of a manifest other than containers: its keys, as data.
type Section struct {
	Name    string // at the top of the file
	Doc     string
	Example string // the section in YAML
	Named   bool   // a map of named entries that have the keys, not the keys themselves
	Options []Option
}

// Sections returns networks, volumes, secrets and policy.
func Sections() []Section {
	return []Section{
		{
			Name: "networks", Named: true, Example: "networks:\n  back: {subnet: 172.28.0.0/16, internal: true}", Options: data(networkRows),
			Doc: "User-defined networks. One that a container names without an entry here is made with all defaults.",
		},
		{
			Name: "volumes", Named: true, Example: "volumes:\n  data: {driver: local}", Options: data(volumeRows),
			Doc: "Named volumes. One that a container names without an entry here is made with all defaults.",
		},
		{
			Name: "secrets", Named: true, Example: "secrets:\n  dbpw: {file: ./db.password}", Options: data(secretRows),
			Doc: "Secrets that containers get as files. Not honoured yet.",
		},
		{
			Name: "policy", Example: "policy: {max-parallel: 4, timeout: 20m}", Options: data(policyRows),
			Doc: "How a run as a whole behaves.",
		},
	}
}

func data[C any](table []row[C]) []Option {
	out := make([]Option, len(table))
	for i := range table {
		out[i] = table[i].Option
	}
	return out
}
