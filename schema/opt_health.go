package schema

import (
	"fmt"
	"strings"
	"time"

	"github.com/runfile/runfile/schema/value"
)

var healthOptions = []row[Container]{
	command(Option{
		Name: "health-cmd", Group: GroupHealth, Arg: "string", Example: "nc -z 127.0.0.1 80",
		Help: "Command to run to check health",
		Doc:  "Text runs in the container's shell, a list without one.",
	}, func(c *Container) *Opt[[]string] { return &c.Health.Cmd }, healthWords),
	opt(Option{
		Name: "health-interval", Group: GroupHealth, Arg: "duration", Default: "0s", Example: "10s",
		Help: "Time between running the check (ns|us|ms|s|m|h)",
		Doc:  "0 and without it, the image's, else 30s.",
	}, func(c *Container) *Opt[time.Duration] { return &c.Health.Interval }, value.HealthDuration()),
	opt(Option{
		Name: "health-retries", Group: GroupHealth, Arg: "int", Example: "5",
		Help: "Consecutive failures needed to report unhealthy",
		Doc:  "0 and without it, the image's, else 3.",
	}, func(c *Container) *Opt[int64] { return &c.Health.Retries }, value.Int("min=0,max=2147483647")),
	opt(Option{
		Name: "health-timeout", Group: GroupHealth, Arg: "duration", Default: "0s", Example: "3s",
		Help: "Maximum time to allow one check to run (ns|us|ms|s|m|h)",
		Doc:  "0 and without it, the image's, else 30s.",
	}, func(c *Container) *Opt[time.Duration] { return &c.Health.Timeout }, value.HealthDuration()),
	opt(Option{
		Name: "health-on-failure", Group: GroupHealth, Arg: "action", Example: "restart", Own: true, NoFlag: true,
		Help: "What happens to a container that gets unhealthy: none, restart, stop or kill",
	}, func(c *Container) *Opt[string] { return &c.Health.OnFailure }, value.Word("oneof=none restart stop kill")),
	opt(Option{
		Name: "health-start-interval", Group: GroupHealth, Arg: "duration", Default: "0s", Example: "1s",
		Help: "Time between running the check during the start period (ms|s|m|h)",
		Doc:  "0 and without it, the image's, else 5s.",
	}, func(c *Container) *Opt[time.Duration] { return &c.Health.StartInterval }, value.HealthDuration()),
	opt(Option{
		Name: "health-start-period", Group: GroupHealth, Arg: "duration", Default: "0s", Example: "30s",
		Help: "Start period for the container to initialize before starting health-retries countdown (ms|s|m|h)",
		Doc:  "Until the first success, failures of this time do not count. 0 and without it, the image's, else none.",
	}, func(c *Container) *Opt[time.Duration] { return &c.Health.StartPeriod }, value.HealthDuration()),
	toggle(Option{
		Name: "no-healthcheck", Group: GroupHealth, Example: "true",
		Help: "Disable any container-specified HEALTHCHECK",
	}, func(c *Container) *Opt[bool] { return &c.Health.Disable }),
}

// composeTest refuses the words with which compose begins the list of a test; a container would look for programs of these
// names.
func composeTest(l []string) error {
	problem := fmt.Sprintf("%s is a word of compose's healthcheck, not a program", l[0])
	switch {
	case l[0] == "NONE" && len(l) == 1:
		return &value.Error{Problem: problem, Fix: "write no-healthcheck instead"}
	case l[0] == "CMD-SHELL" && len(l) == 2:
		return &value.Error{Problem: problem, Fix: "write the text alone: " + quoted(l[1])}
	case l[0] == "CMD" && len(l) > 1:
		rest := make([]string, 0, len(l))
		for _, word := range l[1:] {
			rest = append(rest, quoted(word))
		}
		return &value.Error{Problem: problem, Fix: "write the rest alone: [" + strings.Join(rest, ", ") + "]"}
	}
	return nil
}

// healthWords keeps the check as docker does: the first word says whether a shell runs the rest.
var healthWords = wording{
	text: func(s string) ([]string, error) { return []string{"CMD-SHELL", s}, nil },
	list: func(l []string) ([]string, error) {
		if l[0] == "" {
			return nil, &value.Error{Problem: "the list begins with an empty text"}
		}
		if err := composeTest(l); err != nil {
			return nil, err
		}
		return append([]string{"CMD"}, l...), nil
	},
	tree: func(l []string) any {
		if l[0] == "CMD-SHELL" {
			return l[1]
		}
		return texts(l[1:])
	},
	syntax: "text for the container's shell, or a list of arguments",
}
