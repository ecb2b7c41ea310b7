package differential

import (
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/moby/moby/api/types/blkiodev"
	"github.com/moby/moby/api/types/container"

	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

var (
	limitedDevices = words("/dev/vda: /dev/mapper/a: /dev/../a: /dev/./a: /dev/: /dev: dev/a: /DEV/a: : /dev/a /dev/a:: ''")
	rateTexts      = all(each(limitedDevices, words("0 10 1mb ''")),
		each(text("/dev/vda:"), words(`
			1 1k 1K 1kb 1kib 1.5m 1g 1gb 1t +1 -1 -0 x 1x 1.5 1e3 0x10 010 4294967295 4294967296 18446744073709551615
			18446744073709551616 8192p 1:2`)),
		[]string{"/dev/vda: 1", "/dev/vda:1 ", "/dev/vda:1 m", " /dev/vda:1"})
)

// leadingZeros are those of a device's major number.
var leadingZeros = regexp.MustCompile(` 0+([0-9])`)

// rate is an option that limits a device.
func rate(name string, docker func(*container.HostConfig) []*blkiodev.ThrottleDevice,
	runfile func(*schema.Blkio) schema.Items[value.DeviceRate],
) syntax {
	return syntax{
		name: name, args: option(name), texts: rateTexts,
		docker: func(r *request) (string, error) {
			d := docker(r.HostConfig)[0]
			return path.Clean(d.Path) + " " + strconv.FormatUint(d.Rate, 10), nil
		},
		runfile: func(c *schema.Container) (string, error) {
			d := runfile(&c.Blkio)[0].Value
			return d.Path + " " + number(d.Rate), nil
		},
	}
}

var deviceSyntaxes = []syntax{
	{
		name: "device", args: option("device"),
		texts: all(
			each(words("/dev/a /dev/../b dev/a ''"), words("'' : :/dev/c :/x/../c :c"), words("'' : :r :w :rw :rwm :mwr :rr :x :rwx :ro :R :r:w")),
			each(words("vendor.com/gpu vendor/class v1.a-b/c_d /gpu vendor.com/ vendor vendor.com/gpu/x 1v/c v/1c v/c v_/c v-/c"),
				words("=0 =all =a:b =a.b-c_d = =_a =a_ =a: =a/b =a=b")),
			[]string{"/dev/a ", " /dev/a", "/dev/a:/dev/b c:r", "/dev/a=b", "/"}),
		docker: func(r *request) (string, error) {
			if len(r.HostConfig.DeviceRequests) > 0 {
				return "CDI " + strings.Join(r.HostConfig.DeviceRequests[0].DeviceIDs, " "), nil
			}
			d := r.HostConfig.Devices[0]
			return path.Clean(d.PathOnHost) + " " + path.Clean(d.PathInContainer) + " " + d.CgroupPermissions, nil
		},
		runfile: func(c *schema.Container) (string, error) {
			d := c.Devices.Devices[0].Value
			if d.CDI() {
				return "CDI " + d.Source, nil
			}
			return d.Source + " " + d.Target + " " + d.Permissions, nil
		},
	},
	{
		name: "device-cgroup-rule", args: option("device-cgroup-rule"),
		texts: all(
			each(words("a b c d A ''"), text(" "),
				words("1:3 *:* 1:* *:3 1 -1:3 1:x 01:3 4294967295:0 4294967296:0 99999999999999999999:0"), text(" "),
				words("r w m rwm mr rr rwmr x ''")),
			[]string{"c  1:3 r", "c 1:3  r", "c 1:3", "c\t1:3 r", " c 1:3 r", "c 1:3 r ", "c1:3r", "c 1:3 r\n", ""}),
		docker: func(r *request) (string, error) {
			return leadingZeros.ReplaceAllString(r.HostConfig.DeviceCgroupRules[0], " $1"), nil
		},
		runfile: func(c *schema.Container) (string, error) {
			return value.DeviceRuleSyntax().Text(c.Devices.Rules[0].Value), nil
		},
	},
	rate("device-read-bps", func(h *container.HostConfig) []*blkiodev.ThrottleDevice { return h.BlkioDeviceReadBps },
		func(b *schema.Blkio) schema.Items[value.DeviceRate] { return b.ReadBps }),
	rate("device-write-bps", func(h *container.HostConfig) []*blkiodev.ThrottleDevice { return h.BlkioDeviceWriteBps },
		func(b *schema.Blkio) schema.Items[value.DeviceRate] { return b.WriteBps }),
	rate("device-read-iops", func(h *container.HostConfig) []*blkiodev.ThrottleDevice { return h.BlkioDeviceReadIOps },
		func(b *schema.Blkio) schema.Items[value.DeviceRate] { return b.ReadIOps }),
	rate("device-write-iops", func(h *container.HostConfig) []*blkiodev.ThrottleDevice { return h.BlkioDeviceWriteIOps },
		func(b *schema.Blkio) schema.Items[value.DeviceRate] { return b.WriteIOps }),
	{
		name: "blkio-weight-device", args: option("blkio-weight-device"),
		texts: all(each(limitedDevices, words("0 200 ''")), each(text("/dev/vda:"), words("9 10 1000 1001 +10 -1 010 0x10 10k 1.5 65536 10:20"))),
		docker: func(r *request) (string, error) {
			d := r.HostConfig.BlkioWeightDevice[0]
			return path.Clean(d.Path) + " " + number(d.Weight), nil
		},
		runfile: func(c *schema.Container) (string, error) {
			d := c.Blkio.WeightDevice[0].Value
			return d.Path + " " + number(d.Weight), nil
		},
	},
	{
		name: "gpus", args: option("gpus"),
		texts: all(
			words(`
				all 1 2 0 -1 +1 010 x ALL '' count=2 count=all count= count=x device=0 device=GPU-1,driver=nvidia device=
				driver=nvidia driver= capabilities=compute options=a=b options=a foo=1 all,all 1,2 1,count=2 count=1,count=2`),
			words(`
				1,device=0 device=0,count=1 all,capabilities=utility device=0,device=1 "device=0,1"
				"capabilities=compute,utility",device=0 "options=a=b,c=d",2 "device=0 2,"options=a=b" options==b COUNT=1`),
			[]string{"all,", ",all", "1, driver=x", " all", "all ", `"device=0,1",driver=x,"capabilities=a,b","options=k=v,l=w"`, "all\nx", `"""device""=0"`}),
		docker: func(r *request) (string, error) {
			g := r.HostConfig.DeviceRequests[0]
			// The client adds the capability that hooks look for; so does the engine of runfile.
			names := strings.TrimSuffix(strings.TrimSuffix(strings.Join(g.Capabilities[0], ","), "gpu"), ",")
			return gpus(g.Count, g.DeviceIDs, g.Driver, names, g.Options), nil
		},
		runfile: func(c *schema.Container) (string, error) {
			g := c.Devices.GPUs.Value
			return gpus(g.Count, g.Devices, g.Driver, strings.Join(g.Capabilities, ","), mapOf(g.Options)), nil
		},
	},
}

func gpus(count int, devices []string, driver, capabilities string, options map[string]string) string {
	return strings.Join([]string{number(count), strings.Join(devices, ","), driver, capabilities, pairs(options)}, " | ")
}
