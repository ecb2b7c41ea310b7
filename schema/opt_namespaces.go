package schema

import (
	"github.com/runfile/runfile/schema/value"
)

var namespacesOptions = []row[Container]{
	opt(Option{
		Name: "cgroupns", Group: GroupNamespaces, Arg: "string", Example: "private", OS: linux,
		Help: "Cgroup namespace to use (host|private)",
		Doc:  "Without it, host on cgroup v1 and private on v2.",
	}, func(c *Container) *Opt[value.NamespaceMode] { return &c.Namespaces.CgroupNS }, value.NamespaceSyntax(false, "host", "private")),
	opt(Option{
		Name: "domainname", Group: GroupNamespaces, Arg: "string", Example: "corp.test", OS: linux,
		Help: "Container NIS domain name",
	}, func(c *Container) *Opt[string] { return &c.Namespaces.Domainname }, value.Hostname()),
	opt(Option{
		Name: "hostname", Short: "h", Group: GroupNamespaces, Arg: "string", Example: "web1",
		Help: "Container host name",
	}, func(c *Container) *Opt[string] { return &c.Namespaces.Hostname }, value.Hostname()),
	opt(Option{
		Name: "ipc", OS: linux, Group: GroupNamespaces, Arg: "string", Example: "shareable",
		Help: "IPC namespace to use",
	}, ipcMode, value.NamespaceSyntax(true, "private", "shareable", "host", "none")).referring("ipc", joined(ipcMode)),
	opt(Option{
		Name: "pid", OS: linux, Group: GroupNamespaces, Arg: "string", Example: "host",
		Help: "PID namespace to use",
	}, pidMode, value.NamespaceSyntax(true, "host")).referring("pid", joined(pidMode)),
	opt(Option{
		Name: "userns", Group: GroupNamespaces, Arg: "string", Example: "host", OS: linux,
		Help: "User namespace to use\n" +
			"'host': Use the Docker host user namespace\n" +
			"'': Use the Docker daemon user namespace specified by `--userns-remap` option.",
		Doc: "What docker's daemon is told by `--userns-remap`, runfile is told by `userns-remap` in the section `policy`.",
	}, func(c *Container) *Opt[value.NamespaceMode] { return &c.Namespaces.UserNS }, value.NamespaceSyntax(false, "host")),
	opt(Option{
		Name: "uts", OS: linux, Group: GroupNamespaces, Arg: "string", Example: "host",
		Help: "UTS namespace to use",
	}, func(c *Container) *Opt[value.NamespaceMode] { return &c.Namespaces.UTS }, value.NamespaceSyntax(false, "host")),
}

func pidMode(c *Container) *Opt[value.NamespaceMode] { return &c.Namespaces.PID }

func ipcMode(c *Container) *Opt[value.NamespaceMode] { return &c.Namespaces.IPC }
