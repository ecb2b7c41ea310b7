package native

import (
	"os"
	"strings"
	"sync"

	"github.com/runfile/runfile/executor/ocispec"
	"github.com/runfile/runfile/schema"
)

// Preflight says what of a container's declaration this host cannot do, before anything is made. Without root only the
// platform is looked at: what root could do is not known then.
func Preflight(c *schema.Container) []schema.HostProblem {
	if c.OS() != "linux" {
		return []schema.HostProblem{{Option: "platform", Refused: true, Text: "this engine runs Linux containers only"}}
	}
	if os.Geteuid() != 0 {
		return nil
	}
	problems := append(ocispec.Preflight(c, preflightHost()), remapProblems(c)...)
	return append(problems, runtimeProblems(c)...)
}

// preflightHost knows no runtime: what only one of them lacks is found at the start.
var preflightHost = sync.OnceValue(func() ocispec.Host { return detectHost("", "") })

// runtimeProblems looks whether the runtime is there. Whether it works shows a trial, which is made when it is needed.
func runtimeProblems(c *schema.Container) []schema.HostProblem {
	name := c.Process.Runtime.Value
	if name == "" {
		return nil
	}
	_, err := find(runtimeName(name), "")
	if err == nil {
		return nil
	}
	p := schema.HostProblem{Option: "runtime", Refused: true, Text: err.Error(), Help: "leave runtime out for the best that is installed"}
	var known []string
	for _, n := range defaultRuntimes {
		if _, err := lookRuntime(n); err == nil {
			known = append(known, n)
		}
	}
	if len(known) > 0 {
		p.Help += "; known here: " + strings.Join(known, ", ")
	}
	return []schema.HostProblem{p}
}
