package schema

import (
	"github.com/runfile/runfile/schema/value"
)

var securityOptions = []row[Container]{
	list(Option{
		Name: "cap-add", OS: linux, Group: GroupSecurity, Arg: "value", Default: "[]", Example: "NET_ADMIN",
		Help: "Add Linux capabilities",
	}, func(c *Container) *Items[string] { return &c.Security.CapAdd }, value.CapabilitySyntax()),
	list(Option{
		Name: "cap-drop", OS: linux, Group: GroupSecurity, Arg: "value", Default: "[]", Example: "ALL",
		Help: "Drop Linux capabilities",
	}, func(c *Container) *Items[string] { return &c.Security.CapDrop }, value.CapabilitySyntax()),
	toggle(Option{
		Name: "privileged", OS: linux, Group: GroupSecurity, Example: "true",
		Help: "Give extended privileges to this container",
	}, func(c *Container) *Opt[bool] { return &c.Security.Privileged }),
	list(Option{
		Name: "security-opt", Group: GroupSecurity, Arg: "value", Default: "[]", Example: "no-new-privileges",
		Help: "Security Options",
		Doc:  "A seccomp profile is a file in docker's format, its path relative to the file that names it.",
	}, func(c *Container) *Items[value.SecurityOpt] { return &c.Security.Options }, value.SecurityOptSyntax()),
}
