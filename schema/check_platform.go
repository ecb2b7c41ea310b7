package schema

import (
	"strconv"
	"strings"

	"github.com/runfile/runfile/schema/value"
)

// platform refuses options of another operating system than the container's.
func (k *checker) platform(c *Container) {
	target := c.OS()
	for i := range rows {
		o := &rows[i].Option
		if o.OS == "" || o.OS == target {
			continue
		}
		v, ok := given(c, o.Name)
		if !ok {
			continue
		}
		d := k.diags.Errorf(CodePlatform, v.At, "%s: %s is only for %s containers, and this one's platform is %s",
			who(c), o.Name, osTitle(o.OS), platformText(c))
		if p := c.Image.Platform; p.Set {
			d.Also(p.At, "the platform")
		}
		d.WithHelp("remove %s", o.Name)
	}
	if i := c.Windows.Isolation; target == linux && i.Set && i.Value != "default" {
		k.diags.Errorf(CodePlatform, i.At, "%s: isolation %s is only for Windows containers; Linux has default alone", who(c), i.Value).
			WithHelp("write %s, or remove it", assign(i.At, "isolation", "default"))
	}
	for _, m := range c.Mounts.Mounts {
		if m.Value.Type == value.Pipe && target == linux {
			k.diags.Errorf(CodePlatform, m.At, "%s: a mount of the type npipe is only for Windows containers", who(c)).WithHelp("remove it")
		}
	}
	for _, o := range c.Security.Options {
		if o.Value.Key == "credentialspec" && target == linux {
			k.diags.Errorf(CodePlatform, o.At, "%s: credentialspec is only for Windows containers", who(c)).WithHelp("remove it")
		}
	}
}

func osTitle(os string) string { return strings.ToUpper(os[:1]) + os[1:] }

func platformText(c *Container) string {
	if p := c.Image.Platform.Value; p != "" {
		return p
	}
	return linux
}

// windows relates the processor's limits of Windows containers, of which Windows takes one: docker's order of
// precedence is count, shares, percent (reference, cpu-percent). Docker refuses cpus beside the last two, and a count goes
// before it.
func (k *checker) windows(c *Container) {
	if c.OS() != windows {
		return
	}
	var first Value
	winner := ""
	for _, name := range []string{"cpu-count", "cpus", "cpu-shares", "cpu-percent"} {
		v, ok := given(c, name)
		switch {
		case !ok || v.Text == "0":
		case winner == "":
			winner, first = name, v
		case winner == "cpus":
			k.conflict(c, winner, first.At, name, v.At, "Windows takes one limit of the processor").WithHelp("keep one of them")
		default:
			k.diags.Warnf(CodeNoEffect, v.At, "%s: %s has no effect beside %s, which goes before it", who(c), name, winner).
				Also(first.At, "%s", winner).WithHelp("remove %s", name)
		}
	}
	if s := c.Resources.CPUShares; s.Value > 10000 {
		k.diags.Errorf(CodeBadValue, s.At, "%s, cpu-shares: Windows takes 1 to 10000 (got %d)", who(c), s.Value).
			WithHelp("write a smaller number")
	}
}

// cpu relates the real-time limits.
func (k *checker) cpu(c *Container) {
	period, runtime := c.Resources.CPURTPeriod, c.Resources.CPURTRuntime
	if period.Value > 0 && runtime.Value > period.Value {
		k.conflict(c, "cpu-rt-runtime", runtime.At, "cpu-rt-period", period.At, "there is not more time in a period than the period").
			WithHelp("write %s or less", spellingAt(runtime.At).pair("cpu-rt-runtime", strconv.FormatInt(period.Value, 10)))
	}
}
