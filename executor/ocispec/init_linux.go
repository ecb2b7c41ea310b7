package ocispec

import (
	"debug/elf"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// InitTarget is where the init program appears in a container with init: true.
const InitTarget = "/sbin/docker-init"

// hasInit says whether process 1 is an init. With a shared PID namespace it is another container's or the host's, of
// which the rules have warned.
func (b *builder) hasInit() bool { return b.c.Process.Init.Value && b.ownPID() }

// initSource is the host's file that becomes the init.
func (b *builder) initSource() string {
	if p := b.c.Process.InitPath.Value; p != "" {
		return p
	}
	return b.in.InitPath
}

// initProgram refuses an init that would not run in any image.
func (b *builder) initProgram() error {
	switch path := b.c.Process.InitPath; {
	case !b.hasInit():
	case b.initSource() == "":
		return refuse("init", "no init program is available")
	case path.Value != "":
		if why := unfitInit(path.Value); why != "" {
			b.refuses("init-path", "", "name a static program that can be executed, or remove init-path: runfile has an init of its own",
				"%s %s", path.Value, why)
		}
	}
	return nil
}

// unfitInit says why a file cannot be the init of containers; "" = it can. The image need not have the libraries or the
// interpreter of a program of the host, so it must need none.
func unfitInit(path string) string {
	info, err := os.Stat(path)
	switch {
	case os.IsNotExist(err):
		return "does not exist on this host"
	case err != nil:
		return "cannot be read"
	case !info.Mode().IsRegular():
		return "is not a file"
	case info.Mode()&0o111 == 0:
		return "is not executable"
	}
	f, err := elf.Open(path)
	if err != nil {
		return "is not a program"
	}
	defer f.Close() // read only
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return "is not static: it needs shared libraries, which an image need not have"
		}
	}
	return ""
}

// initMount shows the init program inside.
func (b *builder) initMount() specs.Mount {
	return specs.Mount{
		Destination: InitTarget, Type: "bind", Source: b.initSource(), Options: []string{"bind", "ro", "rprivate"},
	}
}
