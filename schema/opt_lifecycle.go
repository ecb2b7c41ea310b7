package schema

import (
	"time"

	"github.com/runfile/runfile/schema/value"
)

var lifecycleOptions = []row[Container]{
	toggle(Option{
		Name: "allow-failure", Group: GroupLifecycle, Example: "true", Own: true, NoFlag: true, NoDiff: true, NotYet: notBuilt,
		Help: "A failure of the job does not fail the run",
	}, func(c *Container) *Opt[bool] { return &c.Lifecycle.AllowFailure }),
	list(Option{
		Name: "artifacts", Group: GroupLifecycle, Arg: "artifact", Example: "/out/report.xml:./reports/", Own: true, NoFlag: true, NoDiff: true, NotYet: notBuilt,
		Help: "Files that are copied out of the container when it has ended",
	}, func(c *Container) *Items[value.Artifact] { return &c.Lifecycle.Artifacts }, value.ArtifactSyntax()),
	keyed(Option{
		Name: "depends-on", Group: GroupLifecycle, Arg: "container", Example: "db", Own: true, NoFlag: true, NoDiff: true,
		Help: "Containers that have to be there first",
		Doc: "Without a condition: a job must have completed, a service with a check must be healthy or ready, any " +
			"other service must have started.",
	}, dependsOn, value.DependencySyntax(),
		mapForm{null: true, name: "container"}).
		referring("depends-on", names(dependsOn,
			func(d value.Dependency) string { return d.Container })).written(dependencyTree),
	toggle(Option{
		Name: "detach", Short: "d", Group: GroupLifecycle, Example: "true",
		Help: "Run container in background and print container ID",
		Doc:  "Makes the container a service: a run does not wait for its end.",
	}, func(c *Container) *Opt[bool] { return &c.Lifecycle.Detach }),
	matrixRow,
	list(Option{
		Name: "profiles", Group: GroupLifecycle, Arg: "name", Example: "debug", Own: true, NoFlag: true, NoDiff: true,
		Help: "Profiles that the container belongs to",
		Doc:  "A container with profiles takes part only if one of them is enabled or another container needs it.",
	}, func(c *Container) *Items[string] { return &c.Lifecycle.Profiles }, value.ProfileName()),
	opt(Option{
		Name: "ready", Group: GroupLifecycle, Arg: "probe", Example: "{tcp: 5432, timeout: 45s}", Own: true, NoFlag: true,
		Help: "When a service is ready for those that depend on it",
		Doc: "One of `tcp`, `http`, `log` and `exec`; probed every `interval` until it succeeds, for `timeout` at " +
			"most.",
	}, func(c *Container) *Opt[value.Probe] { return &c.Lifecycle.Ready }, value.ProbeSyntax()),
	opt(Option{
		Name: "replicas", Group: GroupLifecycle, Arg: "int", Default: "1", Example: "3", Own: true, NoFlag: true, NotYet: notBuilt,
		Help: "How many containers are made of the declaration",
	}, func(c *Container) *Opt[int64] { return &c.Lifecycle.Replicas }, value.Int("min=0,max=1000")),
	opt(Option{
		Name: "restart", Group: GroupLifecycle, Arg: "string", Default: "\"no\"", Example: "on-failure:3",
		Help: "Restart policy to apply when a container exits\n" +
			"Possible values are : no, on-failure[:max-retry], always, unless-stopped",
		Doc: "`always` and `unless-stopped` make the container a service.",
	}, func(c *Container) *Opt[value.RestartPolicy] { return &c.Lifecycle.Restart }, value.RestartSyntax()),
	opt(Option{
		Name: "retries", Group: GroupLifecycle, Arg: "int", Default: "0", Example: "2", Own: true, NoFlag: true, NoDiff: true, NotYet: notBuilt,
		Help: "How often a job that failed is run again",
	}, func(c *Container) *Opt[value.Retries] { return &c.Lifecycle.Retries }, value.RetriesSyntax()),
	toggle(Option{
		Name: "rm", Group: GroupLifecycle, Example: "true",
		Help: "Automatically remove the container when it exits",
	}, func(c *Container) *Opt[bool] { return &c.Lifecycle.Remove }),
	opt(Option{
		Name: "start-timeout", Group: GroupLifecycle, Arg: "duration", Default: "60s", Example: "2m", Own: true, NoFlag: true, NoDiff: true, NotYet: notBuilt,
		Help: "How long a service may take until it is ready",
	}, func(c *Container) *Opt[time.Duration] { return &c.Lifecycle.StartTimeout }, value.Duration()),
	opt(Option{
		Name: "stop-signal", Group: GroupLifecycle, Arg: "string", Default: "\"SIGTERM\"", Example: "SIGINT",
		Help: "Signal to stop a container, SIGTERM by default",
		Doc:  "Without it, the image's, else SIGTERM.",
	}, func(c *Container) *Opt[value.Signal] { return &c.Lifecycle.StopSignal }, value.SignalSyntax()),
	opt(Option{
		Name: "stop-timeout", Group: GroupLifecycle, Arg: "=10", Example: "30",
		Help: "Timeout (in seconds) to stop a container",
		Doc:  "-1 waits for ever, 0 kills at once. Without it, 10.",
	}, func(c *Container) *Opt[int64] { return &c.Lifecycle.StopTimeout }, value.TimeIn(time.Second, value.Int("min=-1,max=2147483647"))),
	list(Option{
		Name: "success-exit-codes", Group: GroupLifecycle, Arg: "code", Default: "[0]", Example: "3", Own: true, NoFlag: true, NoDiff: true, NotYet: notBuilt,
		Help: "Exit statuses of a job that count as success",
	}, func(c *Container) *Items[int64] { return &c.Lifecycle.SuccessCodes }, value.ExitCodeSyntax()),
	opt(Option{
		Name: "timeout", Group: GroupLifecycle, Arg: "duration", Example: "5m", Own: true,
		Help: "How long a job may run",
		Doc:  "A job that runs longer is stopped and counts as failed, with exit status 124.",
	}, func(c *Container) *Opt[time.Duration] { return &c.Lifecycle.Timeout }, value.Duration()),
}

func dependsOn(c *Container) *Items[value.Dependency] { return &c.Lifecycle.DependsOn }
