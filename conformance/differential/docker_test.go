package differential

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime/debug"
	"testing"

	"github.com/docker/cli/cli/command"
	"github.com/docker/cli/cli/command/commands"
	"github.com/docker/cli/cli/flags"
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"
)

// request is what docker create asks of the daemon.
type request = client.ContainerCreateOptions

// daemon remembers the last request. Nothing but creating a container is asked of it.
type daemon struct {
	client.APIClient
	last *request
}

// Ping says that containers run on Linux.
func (*daemon) Ping(context.Context, client.PingOptions) (client.PingResult, error) {
	return client.PingResult{OSType: "linux"}, nil
}

// DaemonHost implements client.APIClient.
func (*daemon) DaemonHost() string { return "" }

// ClientVersion implements client.APIClient.
func (*daemon) ClientVersion() string { return client.MaxAPIVersion }

// ContainerCreate implements client.APIClient.
func (d *daemon) ContainerCreate(_ context.Context, r client.ContainerCreateOptions) (client.ContainerCreateResult, error) {
	d.last = &r
	return client.ContainerCreateResult{ID: "1"}, nil
}

// dockerCreate runs docker create with arguments and returns what the request means.
func dockerCreate(args []string, meaning func(*request) (string, error)) (string, error) {
	d := &daemon{}
	if err := execute(dockerCommand(d), append([]string{"create"}, args...)); err != nil {
		return "", err
	}
	if d.last == nil {
		return "", errors.New("nothing was asked of the daemon")
	}
	return meaning(d.last)
}

// execute runs a command. Docker panics over some texts, which refuses them, too.
func execute(c *cobra.Command, args []string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	c.SetArgs(args)
	return c.Execute()
}

// dockerCommand is the command line of docker, silent and connected to d. Flags keep their values, so it is good for
// one run.
func dockerCommand(d *daemon) *cobra.Command {
	cli, err := command.NewDockerCli(command.WithAPIClient(d), command.WithCombinedStreams(io.Discard))
	if err != nil {
		panic(err) // the same for all texts
	}
	if err := cli.Initialize(flags.NewClientOptions()); err != nil {
		panic(err)
	}
	root := &cobra.Command{Use: "docker", SilenceErrors: true, SilenceUsage: true}
	root.SetOut(io.Discard)
	root.SetErr(io.Discard)
	commands.AddCommands(root, cli)
	return root
}

// TestMain keeps the settings of whoever runs the test out of it.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "differential")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Clearenv()
	debug.SetGCPercent(400) // docker's commands are made anew for each text
	for name, v := range map[string]string{"HOME": dir, "DOCKER_CONFIG": dir, "TMPDIR": dir, "GIVEN": "from outside", "EMPTY": ""} {
		_ = os.Setenv(name, v) // names without = and NUL
	}
	status := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

// dockerVersion is the version of docker's code that is compared with.
func dockerVersion() string { return moduleVersion("github.com/docker/cli") }

// moduleVersion is the version of a module that the test links.
func moduleVersion(path string) string {
	mod, _ := os.ReadFile("go.mod") // without it there is no test
	version := regexp.MustCompile(regexp.QuoteMeta(path) + ` v([0-9.]+)`).FindSubmatch(mod)
	return string(version[1])
}
