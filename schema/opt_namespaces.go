package schema

import (
	"github.com/runfile/runfile/schema/value"
)

var namespacesOptions = []row[Container]{
	opt(Option{
		Name: "hostname", Short: "h", Group: GroupNamespaces, Arg: "string", Example: "web1",
		Help: "Container host name",
	}, func(c *Container) *Opt[string] { return &c.Namespaces.Hostname }, value.Hostname()),
	opt(Option{
		Name: "ipc", Group: GroupNamespaces, Arg: "string", Example: "shareable",
		Help: "IPC namespace to use",
	}, ipcMode, value.NamespaceSyntax(true, "private", "shareable", "host", "none")).referring("ipc", joined(ipcMode)),
	opt(Option{
		Name: "pid", Group: GroupNamespaces, Arg: "string", Example: "host",
		Help: "PID namespace to use",
	}, pidMode, value.NamespaceSyntax(true, "host")).referring("pid", joined(pidMode)),
	opt(Option{
		Name: "uts", Group: GroupNamespaces, Arg: "string", Example: "host",
		Help: "UTS namespace to use",
	}, func(c *Container) *Opt[value.NamespaceMode] { return &c.Namespaces.UTS }, value.NamespaceSyntax(false, "host")),
}

func pidMode(c *Container) *Opt[value.NamespaceMode] { return &c.Namespaces.PID }

func ipcMode(c *Container) *Opt[value.NamespaceMode] { return &c.Namespaces.IPC }
