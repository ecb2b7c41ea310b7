package ocispec

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// seccompFile is docker's profile format: OCI's with conditions on capabilities, architecture and kernel.
type seccompFile struct {
	DefaultAction   specs.LinuxSeccompAction `json:"defaultAction"`
	DefaultErrnoRet *uint                    `json:"defaultErrnoRet"`
	Architectures   []specs.Arch             `json:"architectures"`
	ArchMap         []struct {
		Architecture     specs.Arch   `json:"architecture"`
		SubArchitectures []specs.Arch `json:"subArchitectures"`
	} `json:"archMap"`
	Flags    []specs.LinuxSeccompFlag `json:"flags"`
	Syscalls []seccompRule            `json:"syscalls"`
}

type seccompRule struct {
	Name     string                   `json:"name"` // the old form of Names
	Names    []string                 `json:"names"`
	Action   specs.LinuxSeccompAction `json:"action"`
	ErrnoRet *uint                    `json:"errnoRet"`
	Args     []specs.LinuxSeccompArg  `json:"args"`
	Includes seccompCondition         `json:"includes"`
	Excludes seccompCondition         `json:"excludes"`
}

type seccompCondition struct {
	Caps      []string `json:"caps"`
	Arches    []string `json:"arches"` // Go's names
	MinKernel string   `json:"minKernel"`
}

var seccompActions = []specs.LinuxSeccompAction{
	specs.ActKill, specs.ActKillProcess, specs.ActKillThread, specs.ActTrap, specs.ActErrno, specs.ActTrace,
	specs.ActAllow, specs.ActLog, specs.ActNotify,
}

// parseSeccomp reads a profile and resolves its conditions for caps, this machine and this kernel.
func parseSeccomp(data []byte, caps []string) (*specs.LinuxSeccomp, error) {
	var f seccompFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("not a seccomp profile: %w", err)
	}
	if len(f.Architectures) > 0 && len(f.ArchMap) > 0 {
		return nil, errors.New("architectures and archMap exclude each other")
	}
	out := &specs.LinuxSeccomp{
		DefaultAction: f.DefaultAction, DefaultErrnoRet: f.DefaultErrnoRet, Architectures: f.Architectures, Flags: f.Flags,
	}
	if !slices.Contains(seccompActions, f.DefaultAction) {
		return nil, fmt.Errorf("unknown defaultAction %q", f.DefaultAction)
	}
	for _, m := range f.ArchMap {
		if m.Architecture == nativeArch() {
			out.Architectures = append([]specs.Arch{m.Architecture}, m.SubArchitectures...)
		}
	}
	for i, r := range f.Syscalls {
		if r.Name != "" {
			r.Names = append(r.Names, r.Name)
		}
		if len(r.Names) == 0 || !slices.Contains(seccompActions, r.Action) {
			return nil, fmt.Errorf("syscalls[%d]: needs names and a known action (got %q)", i, r.Action)
		}
		use, err := r.applies(caps)
		if err != nil {
			return nil, fmt.Errorf("syscalls[%d]: %w", i, err)
		}
		if use {
			out.Syscalls = append(out.Syscalls, specs.LinuxSyscall{Names: r.Names, Action: r.Action, ErrnoRet: r.ErrnoRet, Args: r.Args})
		}
	}
	return out, nil
}

// applies: every include must hold and no exclude may.
func (r seccompRule) applies(caps []string) (bool, error) {
	in, ex := r.Includes, r.Excludes
	has := func(c string) bool { return slices.Contains(caps, c) }
	if slices.ContainsFunc(in.Caps, func(c string) bool { return !has(c) }) || slices.ContainsFunc(ex.Caps, has) {
		return false, nil
	}
	if len(in.Arches) > 0 && !slices.Contains(in.Arches, runtime.GOARCH) || slices.Contains(ex.Arches, runtime.GOARCH) {
		return false, nil
	}
	for want, min := range map[bool]string{true: in.MinKernel, false: ex.MinKernel} {
		if min == "" {
			continue
		}
		reached, err := kernelAtLeast(min)
		if err != nil || reached != want {
			return false, err
		}
	}
	return true, nil
}

// kernelAtLeast compares "5.12" with the running kernel.
func kernelAtLeast(version string) (bool, error) {
	major, minor, err := parseKernel(version)
	if err != nil {
		return false, err
	}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return false, fmt.Errorf("kernel version: %w", err)
	}
	haveMajor, haveMinor, err := parseKernel(unix.ByteSliceToString(u.Release[:]))
	return haveMajor > major || haveMajor == major && haveMinor >= minor, err
}

func parseKernel(text string) (major, minor int, err error) {
	parts := strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	if len(parts) < 2 {
		return 0, 0, fmt.Errorf("%q is not a kernel version", text)
	}
	major, err = strconv.Atoi(parts[0])
	if err == nil {
		minor, err = strconv.Atoi(parts[1])
	}
	return major, minor, err
}

// nativeArch is this machine's name in seccomp profiles.
func nativeArch() specs.Arch {
	return map[string]specs.Arch{
		"amd64": specs.ArchX86_64, "386": specs.ArchX86, "arm64": specs.ArchAARCH64, "arm": specs.ArchARM,
		"ppc64le": specs.ArchPPC64LE, "s390x": specs.ArchS390X, "riscv64": specs.ArchRISCV64,
		"mips64le": specs.ArchMIPSEL64, "loong64": specs.ArchLOONGARCH64,
	}[runtime.GOARCH]
}
