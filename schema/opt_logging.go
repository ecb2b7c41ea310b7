package schema

import (
	"github.com/runfile/runfile/schema/value"
)

var loggingOptions = []row[Container]{
	opt(Option{
		Name: "log-driver", Group: GroupLogging, Arg: "string", Example: "json-file",
		Help: "Logging driver for the container",
		Doc:  "Without it, json-file.",
	}, func(c *Container) *Opt[string] { return &c.Logging.Driver }, value.LogDriverSyntax()),
	pairs(Option{
		Name: "log-opt", Group: GroupLogging, Arg: "value", Default: "[]", Example: "max-size=10m",
		Help: "Log driver options",
		Doc: "json-file takes `max-size`, `max-file`, `compress`, `labels`, `labels-regex`, `env`, `env-regex` and " +
			"`tag`.",
	}, func(c *Container) *Items[value.KeyValue] { return &c.Logging.Options }, value.LogOptSyntax()),
}
