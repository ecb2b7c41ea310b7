package ocispec

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/runfile/runfile/schema/value"
)

// devices: everything is denied except docker's list and what was asked for; the runtimes add pts, ptmx and mknod.
func (b *builder) devices() error {
	l := b.spec.Linux
	if b.privileged() {
		nodes, err := b.in.Host.Devices()
		if err != nil {
			return err
		}
		l.Devices = nodes
		l.Resources.Devices = []specs.LinuxDeviceCgroup{{Allow: true, Access: "rwm"}}
	} else {
		l.Resources.Devices = defaultDeviceRules()
	}
	for _, d := range b.c.Devices.Devices.Values() {
		if b.privileged() && d.Source == d.Target {
			continue // it is there already
		}
		b.addDevice(d)
	}
	for _, r := range b.c.Devices.Rules.Values() {
		rule := specs.LinuxDeviceCgroup{Allow: true, Type: r.Type, Access: r.Access}
		if r.Major >= 0 {
			rule.Major = &r.Major
		}
		if r.Minor >= 0 {
			rule.Minor = &r.Minor
		}
		l.Resources.Devices = append(l.Resources.Devices, rule)
	}
	return nil
}

func (b *builder) addDevice(d value.Device) {
	nodes, err := resolveDevice(d)
	if err != nil {
		b.refuses("device", value.DeviceSyntax().Text(d), "", "%v", err)
		return
	}
	access := d.Permissions
	if access == "" {
		access = "rwm"
	}
	l := b.spec.Linux
	for _, n := range nodes {
		l.Devices = slices.DeleteFunc(l.Devices, func(have specs.LinuxDevice) bool { return have.Path == n.Path })
		l.Devices = append(l.Devices, n)
		if b.privileged() {
			continue
		}
		major, minor := n.Major, n.Minor
		l.Resources.Devices = append(l.Resources.Devices,
			specs.LinuxDeviceCgroup{Allow: true, Type: n.Type, Major: &major, Minor: &minor, Access: access})
	}
}

// resolveDevice finds the node, or all nodes below a directory.
func resolveDevice(d value.Device) ([]specs.LinuxDevice, error) {
	target := d.Target
	if target == "" {
		target = d.Source
	}
	real, err := filepath.EvalSymlinks(d.Source)
	if err != nil {
		return nil, fmt.Errorf("%s: no such device on this host", d.Source)
	}
	st, err := os.Stat(real)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Source, err)
	}
	if !st.IsDir() {
		dev, err := deviceAt(real, path.Clean(target))
		if err != nil {
			return nil, fmt.Errorf("%s is not a device", d.Source)
		}
		return []specs.LinuxDevice{dev}, nil
	}
	nodes, err := devicesBelow(real, path.Clean(target), nil)
	if err == nil && len(nodes) == 0 {
		err = fmt.Errorf("there is no device below %s", d.Source)
	}
	return nodes, err
}

// defaultDeviceRules is what docker puts into the specification: null, zero, full, random, urandom, tty, console.
func defaultDeviceRules() []specs.LinuxDeviceCgroup {
	rules := []specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}}
	for _, n := range [][2]int64{{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 1}} {
		rules = append(rules, specs.LinuxDeviceCgroup{Allow: true, Type: "c", Major: &n[0], Minor: &n[1], Access: "rwm"})
	}
	return rules
}
