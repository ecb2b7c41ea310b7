package value

import (
	"math"
	"path"
	"regexp"
	"strings"
)

// mountModes are the words behind the target of a volume, each with the group of which only one may be given.
var mountModes = map[string]string{
	"ro": "access", "rw": "access", "z": "label", "Z": "label", "nocopy": "copy",
	"rprivate": "propagation", "private": "propagation", "rshared": "propagation", "shared": "propagation",
	"rslave": "propagation", "slave": "propagation",
	// Docker Desktop's words; on Linux all three mean what is the case anyway.
	"consistent": "consistency", "cached": "consistency", "delegated": "consistency",
}

var mountModeWords = []string{
	"ro", "rw", "z", "Z", "nocopy", "rprivate", "private", "rshared", "shared", "rslave", "slave",
	"consistent", "cached", "delegated",
}

var volumeKeys = []string{"type", "source", "target", "read-only", "propagation", "selinux", "nocopy"}

var drivePath = lazy(`^[A-Za-z]:(\\|/[^:]*:/)`) // no volume's name has one letter

var volumeName = lazy(namePattern)

// VolumeSyntax is the syntax of volume on Linux: [SOURCE:]TARGET[:OPTIONS], or a map. A SOURCE that begins with a
// slash or a dot is a path, any other a volume's name, none an anonymous volume.
func VolumeSyntax() Parser[Mount] {
	return Parser[Mount]{
		Parse: parseVolume, Fields: volumeFields, Format: formatVolume, FormatFields: formatVolumeFields,
		Schema:       volumeSchema,
		FieldsSchema: volumeForm,
		Syntax:       "[host-src:]container-dest[:<options>], options [rw|ro], [z|Z], [[r]shared|[r]slave|[r]private], [nocopy]",
	}
}

// volumeSchema is the schema of a volume's text.
func volumeSchema() jsonSchema {
	const path, target = `[/.][^:\x00]*`, `/[^:\x00]+`
	var ofPaths, ofNames []string
	groups := map[string][]string{}
	for _, word := range mountModeWords {
		group := mountModes[word]
		groups[group] = append(groups[group], word)
		if group != "copy" {
			ofPaths = append(ofPaths, word)
		}
		if group != "propagation" {
			ofNames = append(ofNames, word)
		}
	}
	not := []string{`^([^:]*:)?` + rootExpr + `(:[^:/][^:]*)?$`}
	for _, group := range []string{"access", "label", "copy", "propagation", "consistency"} {
		one := either(groups[group]...)
		not = append(not, `:([^:/]*,)?`+one+`,([^:/]*,)?`+one+`(,[^:/]*)?$`)
	}
	return butNot(`^`+either(target, path+`:`+target+`(:`+each(either(ofPaths...))+`)?`,
		namePart+`:`+target+`(:`+each(either(ofNames...))+`)?`)+`$`, either(not...))
}

func parseVolume(s string) (Mount, error) {
	if drivePath().MatchString(s) {
		e := bad("%q is a path of Windows, and this container runs Linux", s).fix("write /c/dir or ./dir")
		e.Windows = true
		return Mount{}, e
	}
	parts := strings.Split(s, ":")
	for _, p := range parts {
		if p == "" {
			return Mount{}, bad("%q has nothing between two colons or at an end", s).fix("write [SOURCE:]TARGET[:OPTIONS]")
		}
	}
	switch len(parts) {
	case 1:
		return mount("", parts[0], "")
	case 2:
		if isMode(parts[1]) && !strings.HasPrefix(parts[1], "/") {
			return Mount{}, bad("%q has options but no source", s).fix("write SOURCE:%s:%s", parts[0], parts[1])
		}
		return mount(parts[0], parts[1], "")
	case 3:
		return mount(parts[0], parts[1], parts[2])
	}
	return Mount{}, bad("%q has more than three parts", s).fix("write [SOURCE:]TARGET[:OPTIONS]")
}

func isMode(s string) bool {
	for word := range strings.SplitSeq(s, ",") {
		if mountModes[word] == "" {
			return false
		}
	}
	return true
}

func mount(source, target, options string) (Mount, error) {
	m := Mount{Source: source}
	var err error
	if m.Type, err = sourceType(source); err != nil {
		return m, err
	}
	if m.Target, err = mountTarget(target); err != nil {
		return m, err
	}
	if options != "" {
		if err := m.setModes(options); err != nil {
			return m, err
		}
	}
	return m, m.checkModes()
}

// sourceType tells a path from a name, as docker's client does.
func sourceType(source string) (MountType, error) {
	switch {
	case source == "":
		return Volume, nil
	case strings.HasPrefix(source, "/"), strings.HasPrefix(source, "."):
		return Bind, noNUL(source)
	case strings.HasPrefix(source, "~"):
		return "", bad("%q is not expanded", source).fix("write the whole path, or ./ for the directory of the runfile")
	case strings.ContainsAny(source, `/\`):
		return "", bad("%q is neither an absolute path nor a volume's name", source).fix("write ./%s for a path below the runfile", source)
	case !volumeName().MatchString(source):
		return "", bad("%q is not a volume's name", source).
			fix("use letters, digits, _ . and -, at least two; a path begins with / or ./")
	}
	return Volume, nil
}

func mountTarget(target string) (string, error) {
	if !strings.HasPrefix(target, "/") {
		return "", bad("the target %q is not an absolute path", target).fix("%s", wholePath(target))
	}
	clean := path.Clean(target)
	if clean == "/" {
		return "", bad("the target cannot be /").fix("name a directory below /")
	}
	return clean, noNUL(target)
}

func (m *Mount) setModes(options string) error {
	given := map[string]string{}
	for word := range strings.SplitSeq(options, ",") {
		group := mountModes[word]
		if group == "" {
			return bad("%q is not an option of a volume", word).from(word, mountModeWords)
		}
		if before := given[group]; before != "" {
			return bad("%q and %q exclude each other", before, word).fix("keep one of them")
		}
		given[group] = word
	}
	m.ReadOnly = given["access"] == "ro"
	m.Relabel = given["label"]
	m.Propagation = given["propagation"]
	m.NoCopy = given["copy"] != ""
	return nil
}

func (m *Mount) checkModes() error {
	switch {
	case m.Type == Bind && m.NoCopy:
		return bad("nocopy is for volumes, and %q is a path", m.Source).fix("remove nocopy")
	case m.Type == Volume && m.Propagation != "":
		return bad("%s is for paths of the host, and this is a volume", m.Propagation).fix("remove %s", m.Propagation)
	}
	return nil
}

func volumeFields(fields []Field) (Mount, error) {
	get, err := take(fields, volumeKeys...)
	if err != nil {
		return Mount{}, err
	}
	if get["target"] == "" {
		return Mount{}, bad("target is missing")
	}
	m, err := mount(get["source"], get["target"], "")
	if err != nil {
		return m, err
	}
	if t := get["type"]; t != "" && t != string(m.Type) {
		if t != string(Bind) && t != string(Volume) {
			return m, bad("%q is not a type of mount", t).from(t, []string{"bind", "volume"}).in("type")
		}
		return m, bad("the source %q is not one of a %s mount", m.Source, t).in("source").
			fix("a path begins with / or ./; any other source is a volume's name")
	}
	if m.ReadOnly, err = boolField(get, "read-only"); err != nil {
		return m, err
	}
	if m.NoCopy, err = boolField(get, "nocopy"); err != nil {
		return m, err
	}
	m.Propagation, m.Relabel = get["propagation"], get["selinux"]
	if p := m.Propagation; p != "" && mountModes[p] != "propagation" {
		return m, bad("%q is not a propagation", p).in("propagation").
			from(p, []string{"rprivate", "private", "rshared", "shared", "rslave", "slave"})
	}
	if r := m.Relabel; r != "" && r != "z" && r != "Z" {
		return m, bad("%q is neither z nor Z", r).in("selinux")
	}
	return m, m.checkModes()
}

// boolField reads a switch of a map form, where only true and false are allowed; absent is false.
func boolField(get map[string]string, key string) (bool, error) {
	switch v, ok := get[key]; {
	case !ok || v == "false":
		return false, nil
	case v == "true":
		return true, nil
	default:
		return false, bad("%q is neither true nor false", v).in(key)
	}
}

func formatVolume(m Mount) string {
	var modes []string
	if m.ReadOnly {
		modes = append(modes, "ro")
	}
	for _, w := range []string{m.Relabel, m.Propagation} {
		if w != "" {
			modes = append(modes, w)
		}
	}
	if m.NoCopy {
		modes = append(modes, "nocopy")
	}
	s := m.Target
	if m.Source != "" {
		s = m.Source + ":" + s
	}
	if len(modes) > 0 {
		s += ":" + strings.Join(modes, ",")
	}
	return s
}

// formatVolumeFields is for what colons cannot separate: an anonymous volume with options, and paths with a colon.
func formatVolumeFields(m Mount) []Field {
	plain := m.Source != "" || !m.ReadOnly && !m.NoCopy && m.Relabel == ""
	if plain && !strings.Contains(m.Source+m.Target, ":") {
		return nil
	}
	out := []Field{{Name: "target", Text: m.Target}}
	for _, f := range []Field{
		{Name: "source", Text: m.Source}, {Name: "propagation", Text: m.Propagation}, {Name: "selinux", Text: m.Relabel},
	} {
		if f.Text != "" {
			out = append(out, f)
		}
	}
	if m.ReadOnly {
		out = append(out, Field{Name: "read-only", Text: "true"})
	}
	if m.NoCopy {
		out = append(out, Field{Name: "nocopy", Text: "true"})
	}
	return out
}

// VolumesFromSyntax is the syntax of volumes-from: CONTAINER[:MODE], MODE of ro|rw and z|Z.
func VolumesFromSyntax() Parser[VolumesFrom] {
	return Parser[VolumesFrom]{
		Parse: parseVolumesFrom,
		Format: func(v VolumesFrom) string {
			s := v.Container
			modes := strings.Trim(strings.Join([]string{map[bool]string{true: "ro"}[v.ReadOnly], v.Relabel}, ","), ",")
			if modes != "" {
				s += ":" + modes
			}
			return s
		},
		Schema: func() jsonSchema { return bare(pattern(`^[^:]+(:((ro|rw)(,[zZ])?|[zZ](,(ro|rw))?))?$`)) }, Syntax: "CONTAINER[:ro|rw][,z|Z]",
	}
}

func parseVolumesFrom(s string) (VolumesFrom, error) {
	name, mode, hasMode := strings.Cut(s, ":")
	if name == "" {
		return VolumesFrom{}, bad("%q names no container", s)
	}
	v := VolumesFrom{Container: name}
	if !hasMode {
		return v, nil
	}
	given := map[string]string{}
	for word := range strings.SplitSeq(mode, ",") {
		group := mountModes[word]
		if group != "access" && group != "label" {
			return v, bad("%q is not an option of volumes-from", word).from(word, []string{"ro", "rw", "z", "Z"})
		}
		if before := given[group]; before != "" {
			return v, bad("%q and %q exclude each other", before, word).fix("keep one of them")
		}
		given[group] = word
	}
	v.ReadOnly, v.Relabel = given["access"] == "ro", given["label"]
	return v, nil
}

// tmpfsFlags are the mount options that take no value.
var tmpfsFlags = []string{
	"ro", "rw", "exec", "noexec", "suid", "nosuid", "dev", "nodev", "sync", "async", "dirsync", "mand",
	"nomand", "atime", "noatime", "diratime", "nodiratime", "relatime", "norelatime", "strictatime",
	"nostrictatime", "private", "rprivate", "shared", "rshared", "slave", "rslave", "unbindable",
	"runbindable", "defaults",
}

// tmpfsValue is what the kernel takes for an option of tmpfs.
type tmpfsValue struct {
	expr   string
	whole  func() *regexp.Regexp
	syntax string
}

func tmpfsOf(expr, syntax string) tmpfsValue { return tmpfsValue{expr, lazy(`^` + expr + `$`), syntax} }

// tmpfsValues are the options with a value. The largest number of 32 bits is no user's or group's: it means none.
var tmpfsValues = map[string]tmpfsValue{
	"size":      tmpfsOf(`([0-9]+[kKmMgGtTpPeE]?|[0-9]+%)`, "bytes with k, m or g, or a percentage of the memory"),
	"mode":      tmpfsOf(`[0-7]{1,4}`, "an octal number"),
	"uid":       tmpfsOf(numbers(0, math.MaxUint32-1), "a number from 0 to 4294967294"),
	"gid":       tmpfsOf(numbers(0, math.MaxUint32-1), "a number from 0 to 4294967294"),
	"nr_inodes": tmpfsOf(`[0-9]+[kKmMgGtTpPeE]?`, "a number"),
	"nr_blocks": tmpfsOf(`[0-9]+[kKmMgGtTpPeE]?`, "a number"),
	"mpol":      tmpfsOf(`[a-z]+([:=][^,\n\x00]*)?`, "a memory policy"),
}

var tmpfsValueNames = []string{"size=", "mode=", "uid=", "gid=", "nr_inodes=", "nr_blocks=", "mpol="}

// TmpfsSyntax is the syntax of tmpfs: TARGET[:OPTION,...].
func TmpfsSyntax() Parser[Tmpfs] {
	return Parser[Tmpfs]{
		Parse: parseTmpfs,
		Format: func(t Tmpfs) string {
			return strings.TrimSuffix(t.Target+":"+strings.Join(t.Options, ","), ":")
		},
		Schema: tmpfsSchema, Entry: tmpfsEntry, Syntax: "TARGET[:OPTION,...], options as of mount(8) and size=, mode=, uid=, gid=",
	}
}

// tmpfsSchema is the schema of a tmpfs's text.
func tmpfsSchema() jsonSchema {
	return butNot(`^/[^:\x00]+(:`+tmpfsOptions()+`?)?$`, `^`+rootExpr+`(:|$)`)
}

func tmpfsEntry() (target, options jsonSchema) {
	return butNot(`^/[^:\x00]+$`, `^`+rootExpr+`$`), pattern(`^` + tmpfsOptions() + `?$`)
}

func tmpfsOptions() string {
	options := []string{either(tmpfsFlags...)}
	for _, name := range tmpfsValueNames {
		options = append(options, name+tmpfsValues[strings.TrimSuffix(name, "=")].expr)
	}
	return `(` + each(either(options...)) + `)`
}

func parseTmpfs(s string) (Tmpfs, error) {
	target, options, hasOptions := strings.Cut(s, ":")
	clean, err := mountTarget(target)
	if err != nil {
		return Tmpfs{}, err
	}
	t := Tmpfs{Target: clean}
	if !hasOptions || options == "" {
		return t, nil
	}
	for word := range strings.SplitSeq(options, ",") {
		if err := tmpfsOption(word); err != nil {
			return t, err
		}
		t.Options = append(t.Options, word)
	}
	return t, nil
}

func tmpfsOption(word string) error {
	name, v, hasValue := strings.Cut(word, "=")
	if !hasValue {
		if contains(tmpfsFlags, word) {
			return nil
		}
		return bad("%q is not an option of tmpfs", word).from(word, append(tmpfsFlags[:len(tmpfsFlags):len(tmpfsFlags)], tmpfsValueNames...))
	}
	rule, ok := tmpfsValues[name]
	if !ok {
		return bad("%q is not an option of tmpfs", word).from(name+"=", tmpfsValueNames)
	}
	if !rule.whole().MatchString(v) {
		return bad("%s of a tmpfs is %s, not %q", name, rule.syntax, v)
	}
	return nil
}

// VolumeDriver is the name of a volume driver: local, or a plugin.
func VolumeDriver() Parser[string] {
	p := matching(driverName, "the name of a driver")
	p.Schema = func() jsonSchema { return bare(pattern(driverName().String())) }
	p.Words = []string{"local"}
	return p
}

var driverName = lazy(`^[a-zA-Z0-9][a-zA-Z0-9_./:-]*$`)

var volumeOptNames = []string{"type", "device", "o"}

// VolumeOptSyntax is the syntax of the local driver's options: type, device and o as of mount(8).
func VolumeOptSyntax() Parser[KeyValue] {
	return Parser[KeyValue]{
		Parse: func(s string) (KeyValue, error) {
			kv := cutPair(s)
			switch {
			case kv.Key == "size":
				return kv, bad("runfile does not honour size of a volume yet").notYet()
			case !contains(volumeOptNames, kv.Key):
				return kv, bad("the driver local has no option %q", kv.Key).from(kv.Key, volumeOptNames)
			case kv.Value == "":
				return kv, bad("%q has no value", kv.Key).fix("write %s=VALUE", kv.Key)
			case strings.Contains(s, "\n"):
				return kv, bad("%q holds a line break", s)
			}
			return kv, noNUL(s)
		},
		Format: formatPair, Schema: func() jsonSchema { return pattern(`^(type|device|o)=.+`) },
		Entry: func() (jsonSchema, jsonSchema) {
			return pattern(`^(type|device|o)$`), map[string]any{"type": []any{"string", "number"}, "pattern": `.`}
		},
		Syntax: "type=TYPE, device=DEVICE, o=OPTIONS",
		Words:  withSuffix(volumeOptNames, "="),
	}
}
