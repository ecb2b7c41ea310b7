// Package windows writes the OCI specification of Windows containers, for hcsshim's shim below containerd.
//
// The platform is data: the same specification comes out on every system, so it is tested where there is no Windows. It is
// a package of its own so that the shim's types stay out of binaries that have no engine for it.
package windows

import (
	"context"
	"fmt"

	"github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/options"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/pkg/oci"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/runfile/runfile/executor/ocispec"
	"github.com/runfile/runfile/schema"
)

// Runtime is containerd's name of the shim that the specification is written for.
const Runtime = "io.containerd.runhcs.v1"

// The technologies that keep containers apart.
const (
	Process = "process" // a job object: all containers share the host's kernel
	HyperV  = "hyperv"  // a utility virtual machine for each container
)

// Input is all that Build needs.
type Input struct {
	Container *schema.Container
	Effective *schema.Effective
	Hostname  string

	// CPUs is how many processors the host has. Windows limits shares of all of them, where cpus counts.
	CPUs int
	// Isolation is what the host does for isolation default: Process on a server, HyperV on any other Windows.
	Isolation string

	// RootPath is the mounted root file system, \\?\Volume{GUID}\; "" = the shim mounts LayerFolders itself.
	RootPath string
	// LayerFolders are the layers of the image, the topmost first, and then the folder that the container writes to.
	LayerFolders []string
	// Volumes are the host's directories of volumes: of named ones by name, of anonymous ones by target.
	Volumes map[string]string
	// NetworkNamespace is the id of an HCN namespace with the container's endpoints; "" = no network.
	NetworkNamespace string
	// CredentialSpec is the JSON text that credentialspec names; "" = none.
	CredentialSpec string
}

// builder collects the options that make the specification.
type builder struct {
	Input
	c    *schema.Container
	opts []oci.SpecOpts
}

func (b *builder) add(opts ...oci.SpecOpts) { b.opts = append(b.opts, opts...) }

// Build writes the specification.
func Build(in Input) (*specs.Spec, error) {
	b := &builder{Input: in, c: in.Container}
	for _, step := range []func() error{b.refusals, b.root, b.process, b.mounts, b.resources, b.devices, b.network} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	// The context, the client and the container are for options that look into containerd, of which there is none here.
	return oci.GenerateSpecWithPlatform(context.Background(), nil, "windows/amd64", &containers.Container{}, b.opts...)
}

// ShimOptions are the settings that containerd hands to the shim beside the specification.
func ShimOptions(spec *specs.Spec) *options.Options {
	if spec.Windows.HyperV != nil {
		return &options.Options{SandboxIsolation: options.Options_HYPERVISOR}
	}
	return &options.Options{SandboxIsolation: options.Options_PROCESS}
}

// hyperV says whether the container gets a virtual machine.
func (b *builder) hyperV() bool {
	if i := b.c.Windows.Isolation.Value; i == Process || i == HyperV {
		return i == HyperV
	}
	return b.Isolation == HyperV
}

// refusals names what the rules of manifests allow and a Windows container cannot have, or not from here.
func (b *builder) refusals() error {
	const notBuilt = "runfile does not give it to Windows containers yet"
	for _, r := range []struct {
		option string
		given  bool
		why    string
	}{
		{"read-only", b.Effective.ReadOnlyRoot, "the root file system of a Windows container cannot be read-only"},
		{"user", b.c.Process.User.Value.Group != "", "a user of Windows comes without a group"},
		{"mount", len(b.c.Mounts.Mounts) > 0, notBuilt},
		{"volumes-from", len(b.c.Mounts.VolumesFrom) > 0, notBuilt},
		{"storage-opt", len(b.c.Mounts.StorageOpts) > 0, notBuilt},
		{"secret", len(b.c.Metadata.Secrets) > 0, notBuilt},
		{"gpus", b.c.Devices.GPUs.Set, notBuilt},
	} {
		if r.given {
			return refuse(r.option, "%s", r.why)
		}
	}
	return nil
}

func refuse(option, format string, args ...any) error {
	return &ocispec.Error{Option: option, Err: fmt.Errorf(format, args...)}
}

// edit is an option of ours, for fields that containerd has none for.
func edit(change func(*oci.Spec)) oci.SpecOpts {
	return func(_ context.Context, _ oci.Client, _ *containers.Container, s *oci.Spec) error {
		change(s)
		return nil
	}
}

func (b *builder) root() error {
	b.add(oci.WithRootFSPath(b.RootPath), oci.WithHostname(b.Hostname))
	b.add(edit(func(s *oci.Spec) { s.Windows.LayerFolders = b.LayerFolders }))
	if b.hyperV() {
		b.add(oci.WithWindowsHyperV)
	}
	if b.CredentialSpec != "" {
		b.add(edit(func(s *oci.Spec) { s.Windows.CredentialSpec = b.CredentialSpec }))
	}
	for _, kv := range b.c.Metadata.Annotations.Values() {
		b.add(oci.WithAnnotations(map[string]string{kv.Key: kv.Value}))
	}
	return nil
}
