package native

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"

	"github.com/runfile/runfile/executor/ocispec"
)

// defaultProfile is what AppArmor keeps containers from that name no other profile: the same things as docker's profile
// of that name, without which a host with docker would treat containers differently before and after docker's start.
// It includes no other file, so that the parser alone is enough.
const defaultProfile = `
profile ` + ocispec.DefaultProfile + ` flags=(attach_disconnected, mediate_deleted) {
  network,
  capability,
  file,
  umount,
  pivot_root,
  unix,

  # Sockets of the kernel's crypto API: a seccomp filter does not see those made by 32 bit programs (socketcall).
  deny network alg,

  # Whoever manages the container may end and trace its processes; among themselves they may do both.
  signal (receive) peer=unconfined,
  signal (receive) peer=crun,
  signal (receive) peer=runc,
  signal (send, receive) peer=` + ocispec.DefaultProfile + `,
  ptrace (readby, tracedby) peer=unconfined,
  ptrace (read, readby, trace, tracedby) peer=` + ocispec.DefaultProfile + `,

  deny mount,

  # What belongs to the host. Of the settings in /proc/sys those stay writable that namespaces have for themselves.
  deny /proc/* w,
  deny /proc/{acpi,bus,driver,fs,irq,scsi,tty}/** wl,
  deny /proc/{kcore,sysrq-trigger} rwklx,
  deny /proc/sys/{abi,crypto,debug,dev,sunrpc,user,vm}/** wl,
  deny /proc/sys/fs/{[^m]*,m[^q]*}{,/**} wl,
  deny /proc/sys/kernel/[^dhmns]*{,/**} wl,
  deny /proc/sys/kernel/{dmesg*,hotplug,hung*,max*,mod*,ngroups*,nmi*,numa*,sched*,seccomp/*,soft*,spin*,split*,stack*,sys*} wl,
  deny /sys/{block,bus,class,dev,devices,hypervisor,kernel,module,power}/** wkl,
  deny /sys/fs/{[^c]*,c[^g]*}{,/**} wkl,
  deny /sys/{firmware,devices/virtual/powercap,kernel/security}/** rwkl,
}
`

// profileLoader is the program that gives profiles to the kernel; "" = it is not installed.
func profileLoader() string {
	path, err := lookRuntime("apparmor_parser")
	if err != nil {
		return ""
	}
	return path
}

// loadProfile brings the default profile into the kernel if a container wants it and nobody has done so since boot. It
// stays there, as docker's does: containers of other projects use it, too.
func (s *starting) loadProfile(host ocispec.Host) error {
	name := s.spec.Process.ApparmorProfile
	if name != ocispec.DefaultProfile || host.HasProfile(name) {
		return nil
	}
	cmd := exec.CommandContext(s.ctx, profileLoader(), "--skip-cache", "--replace")
	cmd.Stdin = strings.NewReader(defaultProfile)
	cmd.Env = []string{"PATH=" + strings.Join(systemPath, ":")}
	out, err := cmd.CombinedOutput()
	if err != nil && s.ctx.Err() == nil {
		return fmt.Errorf("load the AppArmor profile %s: %w: %s", name, err, cleanMessage(string(bytes.TrimSpace(out))))
	}
	return context.Cause(s.ctx)
}
