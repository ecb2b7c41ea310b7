package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runfile/runfile/cmd/runfile/internal/cli/format"
	"github.com/runfile/runfile/executor"
)

func (a *app) portVerb() *cobra.Command {
	return &cobra.Command{
		Use: "port NAME [PORT[/PROTO]]", Short: "Print where the ports of a container are published", GroupID: "containers",
		Args: someArgs("the name of a container"), ValidArgsFunction: a.completeContainer,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 2 {
				return usagef("runfile port takes a container and one port, got %d arguments", len(args))
			}
			return a.port(args[0], args[1:])
		},
	}
}

func (a *app) port(ref string, wanted []string) error {
	if err := needRoot("port"); err != nil {
		return err
	}
	var number uint64
	proto := "tcp"
	if len(wanted) > 0 {
		text, p, ok := strings.Cut(wanted[0], "/")
		if ok {
			proto = p
		}
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			return usagef("%q is no port; write a number from 1 to 65535, with /udp behind it if it is not tcp", wanted[0])
		}
		number = n
	}
	t, err := a.one(ref)
	if err != nil {
		return err
	}
	bindings := t.record.Status.Ports
	if t.record.State != executor.Running {
		bindings = nil // the record remembers the last run's
	}
	found := false
	for _, b := range bindings {
		switch {
		case number == 0:
			_, err = fmt.Fprintf(a.stdout, "%d/%s -> %s\n", b.ContainerPort, b.Proto, format.HostAddress(b))
		case uint64(b.ContainerPort) == number && b.Proto == proto:
			_, err = fmt.Fprintln(a.stdout, format.HostAddress(b))
			found = true
		}
		if err != nil {
			return err
		}
	}
	if number != 0 && !found {
		return (&failure{code: exitNotFound, err: fmt.Errorf("port %d/%s of %s is not published", number, proto, t.record.Name)}).
			next("see what is: runfile port %s", ref)
	}
	return nil
}
