package differential

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/container"
	apimount "github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/v2/daemon/names"
	"github.com/moby/moby/v2/daemon/volume/mounts"
	"github.com/moby/sys/mount"

	"github.com/runfile/runfile/schema"
	"github.com/runfile/runfile/schema/value"
)

var mountSyntaxes = []syntax{
	{
		name: "volume", args: option("volume"),
		texts: all(
			each(words("'' /h: ./h: ../h: .: ..: vol: v: a/b: ~/h: .hidden: _vol: Vol.1-x: : /a/../h: c:\\h:"),
				words("/c / c /a/../m/./n/ ''"),
				words("'' : :ro :rw :z :ro,Z :rshared :slave :nocopy :cached :RO :bogus")),
			each(text("/h:/c:"), words(`
				ro,rw ro,ro z,Z ro,z,rprivate rprivate,rshared private shared rslave consistent delegated cached,delegated ro,nocopy
				ro, ,ro rro rbind :ro ro:z U exec`)),
			each(text("vol:/c:"), words("nocopy,ro nocopy,nocopy private Z,nocopy ro,rw volume-nocopy")),
			words("/m:ro /m:rw /m:z,ro /m:/n:/o:/p a b ab \\c c: c:\\d"),
			[]string{"/h:/c d", "/h :/c", "vol :/c", " /h:/c", "/h:/c:ro ", "é:/c", "/h:/é"}),
		docker: dockerVolume,
		runfile: func(c *schema.Container) (string, error) {
			m := c.Mounts.Volumes[0].Value
			return volume(string(m.Type), m.Source, m.Target, m.ReadOnly, propagation(m.Type == value.Bind, m.Propagation), m.Relabel, m.NoCopy), nil
		},
	},
	{
		name: "volumes-from", args: option("volumes-from"),
		texts: all(each(words("db 0a ''"), words(`
			'' : :ro :rw :z :Z :ro,z :z,ro :rw,Z :ro,rw :z,Z :ro,ro :nocopy :rshared :RO :bogus :cached :ro,cached :ro:z :ro,`)), words("db,db")),
		docker: func(r *request) (string, error) {
			id, mode, err := mounts.NewLinuxParser().ParseVolumesFrom(r.HostConfig.VolumesFrom[0])
			if err == nil && id == "" {
				err = errors.New("names no container") // the daemon looks it up
			}
			return fmt.Sprintf("%s ro=%v %q", id, !mounts.NewLinuxParser().ReadWrite(mode), relabel(mode)), err
		},
		runfile: func(c *schema.Container) (string, error) {
			v := c.Mounts.VolumesFrom[0].Value
			return fmt.Sprintf("%s ro=%v %q", v.Container, v.ReadOnly, v.Relabel), nil
		},
	},
	{
		name: "tmpfs", args: option("tmpfs"),
		texts: all(
			each(words("/run /a/../b run / ''"), words("'' : :ro")),
			each(text("/run:"), words(`
				rw noexec,nosuid,nodev size=64m size=64K size=50% size=50 size= size=abc size=1.5m size=-1 size=1t size mode=1777
				mode=755 mode=9 mode=0755 mode=17777 mode=u+x uid=0 uid=1000,gid=1000 uid=x uid=-1 uid=4294967294 uid=4294967295
				nr_inodes=1k nr_inodes=x nr_blocks=10 mpol=default mpol=bind:0 mpol= exec,noexec ro,rw ro,,rw , huge=always tmpcopyup
				noswap RO private rshared unbindable defaults atime strictatime sync mand bind remount size=1m,size=2m x=y`)),
			[]string{"/run:size=64m:ro", "/run: ro", " /run", "/run:ro ", "/a b:ro", "/run:size = 1m"}),
		docker: func(r *request) (string, error) { return dockerTmpfs(r.HostConfig) },
		runfile: func(c *schema.Container) (string, error) {
			m := c.Mounts.Tmpfs[0].Value
			return fmt.Sprintf("%q %q", m.Target, strings.Join(m.Options, ",")), nil
		},
	},
	{
		name: "mount", args: option("mount"), texts: mountTexts,
		docker: dockerMount,
		runfile: func(c *schema.Container) (string, error) {
			if err := checked(c); err != nil { // types of other systems
				return "", err
			}
			m := c.Mounts.Mounts[0].Value
			mode := ""
			if m.TmpfsMode != "" && strings.Trim(m.TmpfsMode, "0") != "" {
				mode = strings.TrimLeft(m.TmpfsMode, "0")
			}
			return mounted(string(m.Type), m.Source, m.Target, m.ReadOnly, propagation(m.Type == value.Bind, m.Propagation), m.Recursive, m.CreateSrc,
				m.NoCopy, m.Subpath, m.Driver, mapOf(m.Labels), mapOf(m.DriverOpts), m.TmpfsSize, mode), nil
		},
	},
	{
		name: "storage-opt", args: option("storage-opt"),
		texts:   all(each(words("size= Size= foo= = size ''"), words("10m 1g 0 -1 x '' 1.5g")), []string{"size =1g", " size=1g", "size= 1g"}),
		docker:  func(r *request) (string, error) { return pairs(r.HostConfig.StorageOpt), nil },
		runfile: func(c *schema.Container) (string, error) { return pairs(mapOf(c.Mounts.StorageOpts.Values())), nil },
	},
}

// mountTexts begin with a type and places that exist on every host, since the daemon looks.
var mountTexts = all(
	each(words("type=bind,src=/etc,dst=/b type=volume,src=vol,dst=/b type=tmpfs,dst=/b type=image,src=alpine,dst=/b"), words(`
		'' ,readonly ,ro=true ,readonly=1 ,readonly=0 ,readonly=yes ,readonly=T ,readonly= ,READONLY ,bind-propagation=rshared
		,bind-propagation=RSLAVE ,bind-propagation=x ,bind-recursive=disabled ,bind-recursive=enabled ,bind-recursive=writable
		,bind-recursive=readonly ,bind-recursive=Disabled ,bind-recursive ,bind-nonrecursive ,bind-nonrecursive=true
		,bind-create-src ,bind-create-src=false ,volume-nocopy ,volume-nocopy=false ,volume-nocopy=0 ,volume-label=a=b
		,volume-label=a ,volume-label==b ,volume-driver=local ,volume-opt=o=ro ,volume-opt=a ,volume-subpath=a/b
		,volume-subpath=../a ,volume-subpath=/a ,volume-subpath=a/../b ,volume-subpath=a/../../b ,image-subpath=etc
		,image-subpath=/etc ,tmpfs-size=64m ,tmpfs-size=0 ,tmpfs-size=x ,tmpfs-size=-1 ,tmpfs-mode=1770 ,tmpfs-mode=0755
		,tmpfs-mode=0 ,tmpfs-mode=9 ,tmpfs-mode=17777 ,consistency=cached ,consistency=x ,foo=1 ,x ''`)),
	each(words("type=bind type=Bind type=volume type=tmpfs type=image type=npipe type=cluster type=foo type= type ''"),
		words("'' ,src=/etc ,source=vol ,source=v ,source=. ,source=a/b ,src="),
		words("'' ,dst=/b ,target=/b ,destination=/b ,dst=b ,dst=/ ,dst=/a/../b")),
	words(`
		type=bind,src=/etc,dst=/b,readonly,bind-recursive=writable type=bind,src=/etc,dst=/b,readonly,bind-recursive=readonly
		type=bind,src=/etc,dst=/b,readonly,bind-recursive=readonly,bind-propagation=rprivate
		type=bind,src=/etc,dst=/b,bind-recursive=writable,readonly`),
	words(`
		TYPE=tmpfs,DST=/b dst=/a,dst=/b src=a1,src=b1,dst=/c type=tmpfs,type=volume,dst=/b
		dst=/b,volume-label=a=b,volume-label=c=d dst=/b,volume-label=a=b,volume-label=a=c
		type=volume,src=vol,dst=/b,"volume-opt=o=a,b" "type=tmpfs",dst=/b type=tmpfs,dst="/b" dst=/b,readonly,readonly=false
		type=volume,dst=/b,volume-subpath=a`),
	[]string{
		" type=tmpfs,dst=/b ", "type=tmpfs, dst=/b", "type=tmpfs,dst= /b", "type=tmpfs,dst=/b c", "type=tmpfs ,dst=/b",
		"type=tmpfs,dst=/b\n", "type=tmpfs,dst=/b,", ",dst=/b", "dst=/b;ro", " ", ",",
	})

// dockerVolume reads an entry as the daemon does: binds with its parser, anonymous volumes as bare paths.
func dockerVolume(r *request) (string, error) {
	for target := range r.Config.Volumes {
		return volume("volume", "", path.Clean(target), false, "", "", false), nil
	}
	m, err := mounts.NewLinuxParser().ParseMountRaw(r.HostConfig.Binds[0], "")
	if err != nil {
		return "", err
	}
	source := m.Source
	if m.Type == apimount.TypeVolume {
		if source = m.Name; !names.RestrictedNamePattern.MatchString(source) {
			return "", errors.New("not a volume's name") // as its driver says
		}
	}
	noCopy := m.Spec.VolumeOptions != nil && m.Spec.VolumeOptions.NoCopy
	return volume(string(m.Type), source, m.Destination, !m.RW, string(m.Propagation), relabel(m.Mode), noCopy), nil
}

func volume(kind, source, target string, readOnly bool, propagation, relabel string, noCopy bool) string {
	return fmt.Sprintf("%s %q %q ro=%v %q %q nocopy=%v", kind, source, target, readOnly, propagation, relabel, noCopy)
}

// relabel is the word of a mode that is about SELinux.
func relabel(mode string) string {
	for word := range strings.SplitSeq(mode, ",") {
		if strings.EqualFold(word, "z") {
			return word
		}
	}
	return ""
}

// propagation of a bind is rprivate where nothing is said.
func propagation(bind bool, word string) string {
	if bind && word == "" {
		return string(apimount.PropagationRPrivate)
	}
	return word
}

func dockerTmpfs(h *container.HostConfig) (string, error) {
	for target, options := range h.Tmpfs {
		if err := mounts.NewLinuxParser().ValidateTmpfsMountDestination(target); err != nil {
			return "", err
		}
		if options == "" {
			return fmt.Sprintf("%q %q", path.Clean(target), ""), nil
		}
		_, err := mount.MergeTmpfsOptions(strings.Split(options, ","))
		return fmt.Sprintf("%q %q", path.Clean(target), options), err
	}
	return "", errors.New("no tmpfs")
}

func dockerMount(r *request) (string, error) {
	m := r.HostConfig.Mounts[0]
	point, err := mounts.NewLinuxParser().ParseMountSpec(m)
	if err != nil {
		return "", err
	}
	if m.Type == apimount.TypeVolume && m.Source != "" && !names.RestrictedNamePattern.MatchString(m.Source) {
		return "", errors.New("not a volume's name")
	}
	bind, vol, tmpfs := orZero(m.BindOptions), orZero(m.VolumeOptions), orZero(m.TmpfsOptions)
	driver := orZero(vol.DriverConfig)
	mode := ""
	if tmpfs.Mode != 0 {
		mode = fmt.Sprintf("%o", tmpfs.Mode)
	}
	prop := ""
	if m.Type == apimount.TypeBind {
		prop = string(point.Propagation)
	}
	return mounted(string(m.Type), m.Source, point.Destination, m.ReadOnly, prop, recursive(bind), bind.CreateMountpoint,
		vol.NoCopy, vol.Subpath+orZero(m.ImageOptions).Subpath, driver.Name, vol.Labels, driver.Options, tmpfs.SizeBytes, mode), nil
}

// orZero is what p points to, or nothing.
func orZero[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func recursive(b apimount.BindOptions) string {
	words := []string{"", "disabled", "writable", "readonly"}
	return words[max(0, slices.Index([]bool{false, b.NonRecursive, b.ReadOnlyNonRecursive, b.ReadOnlyForceRecursive}, true))]
}

func mounted(kind, source, target string, readOnly bool, propagation, recursive string, create, noCopy bool, subpath, driver string,
	labels, options map[string]string, size int64, mode string,
) string {
	if recursive == "enabled" { // as without it
		recursive = ""
	}
	return fmt.Sprintf("%s %q %q ro=%v %s rec=%s create=%v nocopy=%v sub=%s driver=%s labels=%s opts=%s size=%d mode=%s", kind, source, target, readOnly,
		propagation, recursive, create, noCopy, subpath, driver, pairs(labels), pairs(options), size, mode)
}
