// Command runfile runs what a runfile declares: "docker run", written down.
package main

import (
	"os"

	"github.com/runfile/runfile/cmd/runfile/internal/cli"
	"github.com/runfile/runfile/executor/ocispec/initproc"
)

func main() {
	if initproc.Named(os.Args[0]) { // this program is PID 1 of a container with init: true
		initproc.Main()
	}
	os.Exit(cli.Main(os.Args[1:]))
}
