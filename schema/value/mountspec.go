package value

import (
	"encoding/csv"
	"slices"
	"strconv"
	"strings"
)

// MountSpec is a mount entry: docker's structured form of volume and tmpfs.
type MountSpec struct {
	Type        MountType
	Source      string // host path (made absolute by schema), volume's name, image, or "" = anonymous volume
	Target      string // absolute and clean
	ReadOnly    bool
	Propagation string // of a bind: "", rprivate, private, rshared, shared, rslave, slave
	Recursive   string // of a bind: "", enabled, disabled, writable, readonly
	CreateSrc   bool   // of a bind: make the source if it does not exist
	NoCopy      bool   // of a volume
	Labels      []KeyValue
	Driver      string
	DriverOpts  []KeyValue
	Subpath     string // of a volume or image: relative, without ..
	TmpfsSize   int64  // bytes; 0 = the kernel's default
	TmpfsMode   string // octal; "" = 1777
}

// mountAliases are docker's other words for keys of a mount.
var mountAliases = map[string]string{"src": "source", "dst": "target", "destination": "target", "ro": "readonly"}

// mountTypes says which keys go with which types of mount; keys that are not here go with all.
var mountTypes = map[string][]MountType{
	"bind-propagation": {Bind}, "bind-recursive": {Bind}, nonRecursive: {Bind}, "bind-create-src": {Bind},
	"volume-nocopy": {Volume}, "volume-label": {Volume}, "volume-driver": {Volume}, "volume-opt": {Volume},
	"volume-subpath": {Volume}, "image-subpath": {ImageMount}, "tmpfs-size": {TmpfsMount}, "tmpfs-mode": {TmpfsMount},
}

var (
	mountKeys = []string{
		"type", "source", "target", "readonly", "bind-propagation", "bind-recursive", "bind-create-src", "volume-nocopy",
		"volume-label", "volume-driver", "volume-opt", "volume-subpath", "image-subpath", "tmpfs-size", "tmpfs-mode",
		"consistency",
	}
	mountSwitches  = []string{"readonly", "bind-create-src", "volume-nocopy"}
	mountTypeWords = []string{"bind", "volume", "tmpfs", "image", "npipe"}
	recursiveWords = []string{"enabled", "disabled", "writable", "readonly"}
	consistencies  = []string{"consistent", "cached", "delegated"} // all mean what is the case on Linux anyway
	propagations   = []string{"rprivate", "private", "rshared", "shared", "rslave", "slave"}
)

// MountSyntax is the syntax of mount: KEY=VALUE pairs separated by commas, quoted as in CSV, or a map.
func MountSyntax() Parser[MountSpec] {
	return Parser[MountSpec]{
		Parse: parseMount, Fields: mountFields, Format: formatMount,
		Schema: func() jsonSchema {
			return butNot(mountPattern(), `^([^"]*,)?(target|dst|destination)=`+rootExpr+`(,[^"]*)?$`)
		},
		FieldsSchema: mountForm,
		Syntax:       "type=bind|volume|tmpfs|image,source=SOURCE,target=TARGET[,readonly][,KEY=VALUE...]",
		Words:        []string{"type=bind,source=", "type=volume,source=", "type=tmpfs,target=", "type=image,source="},
	}
}

// mountPattern is what the text of a mount looks like: pairs with a target, which is a path but for a pipe's, or, with quotes
// of CSV, anything. Which keys go with which type is left to the parser.
func mountPattern() string {
	const v, pair, flag = `=[^,"\x00]+`, `=[^,="\x00]+(=[^,"\x00]*)?`, `(=(true|false|0|1))?`
	kinds := anyCase("target", "dst", "destination")
	target := kinds + `=/[^,"\x00]*`
	keys := either(
		anyCase("source", "src", "volume-driver")+v, anyCase(append([]string{"ro", nonRecursive}, mountSwitches...)...)+flag,
		anyCase("bind-propagation")+`=`+anyCase(propagations...), anyCase("bind-recursive")+`=`+either(recursiveWords...),
		anyCase("consistency")+`=`+anyCase(consistencies...), anyCase("volume-label", "volume-opt")+pair,
		anyCase("volume-subpath", "image-subpath")+`=[^,"/\x00][^,"\x00]*`, anyCase("tmpfs-size")+`=\+?`+mantissa+exponent+sizeUnit,
		anyCase("tmpfs-mode")+`=0*[0-7]{1,4}`,
	)
	some := either(keys, target, anyCase("type")+`=`+anyCase(mountTypeWords...))
	onPipe := either(keys, kinds+v)
	pipe := anyCase("type") + `=` + anyCase("npipe")
	return `^` + either(`(`+some+`,)*`+target+`(,`+some+`)*`, `(`+onPipe+`,)*`+pipe+`(,`+onPipe+`)*`, `.*=.*".*`, `.*".*=.*`) + `$`
}

func parseMount(s string) (MountSpec, error) {
	r := csv.NewReader(strings.NewReader(s))
	parts, err := r.Read()
	if err != nil || strings.ContainsAny(s, "\r\n") {
		return MountSpec{}, bad("%q is not KEY=VALUE pairs separated by commas", s)
	}
	var fields []Field
	for _, p := range parts {
		k, v, ok := strings.Cut(p, "=")
		k = plainMountKey(strings.ToLower(k))
		switch {
		case !ok && (contains(mountSwitches, k) || k == nonRecursive):
			v = "true"
		case v == "":
			return MountSpec{}, bad("%q has no value", p).fix("write KEY=VALUE, separated by commas")
		}
		fields = append(fields, Field{Name: k, Text: v})
	}
	m, err := mountFields(fields)
	if e, ok := err.(*Error); ok { //nolint:errorlint // made two lines above, never wrapped
		e.Field = "" // the text has one position
	}
	return m, err
}

// nonRecursive is the switch that docker had before bind-recursive.
const nonRecursive = "bind-nonrecursive"

// withoutOldWord writes bind-nonrecursive as bind-recursive.
func withoutOldWord(f Field) (Field, error) {
	if f.Name != nonRecursive || f.Null {
		return f, nil
	}
	off, err := mountSwitch(f.Text)
	f.Name, f.Text = "bind-recursive", map[bool]string{true: "disabled", false: "enabled"}[off]
	return f, err
}

func plainMountKey(k string) string {
	if full := mountAliases[k]; full != "" {
		return full
	}
	return k
}

func mountFields(fields []Field) (MountSpec, error) {
	var m MountSpec
	var single []Field
	for _, f := range fields {
		f.Name = plainMountKey(f.Name)
		f, err := withoutOldWord(f)
		if err != nil {
			return m, inField(err, nonRecursive)
		}
		if f.Null || f.Name != "volume-label" && f.Name != "volume-opt" {
			single = append(single, f)
			continue
		}
		kv := cutPair(f.Text)
		switch {
		case kv.Key == "":
			return m, bad("%q is not KEY=VALUE", f.Text).in(f.Name)
		case f.Name == "volume-label":
			m.Labels = append(m.Labels, kv)
		default:
			m.DriverOpts = append(m.DriverOpts, kv)
		}
	}
	get, err := take(single, mountKeys...)
	if err != nil {
		return m, err
	}
	if err := m.setType(get["type"], fields); err != nil {
		return m, err
	}
	if err := m.setPlaces(get["source"], get["target"]); err != nil {
		return m, err
	}
	if err := m.setSwitches(get); err != nil {
		return m, err
	}
	return m, m.setWords(get)
}

// setType reads the type, which is volume where it is not given, and refuses keys of other types.
func (m *MountSpec) setType(word string, fields []Field) error {
	if m.Type = MountType(strings.ToLower(word)); word == "" {
		m.Type = Volume
	}
	if !contains(mountTypeWords, string(m.Type)) {
		return bad("%q is not a type of mount", word).from(word, mountTypeWords).in("type")
	}
	for _, f := range fields {
		name := plainMountKey(f.Name)
		if types := mountTypes[name]; types != nil && !slices.Contains(types, m.Type) {
			return bad("%s is for mounts of the type %s, and this is a %s", name, types[0], m.Type).in(name)
		}
	}
	return nil
}

func (m *MountSpec) setPlaces(source, target string) (err error) {
	if target == "" {
		return bad("the target is missing").fix("add target=/PATH")
	}
	if m.Source = source; m.Type == Pipe {
		m.Target = target
		return noNUL(source + target)
	}
	if m.Target, err = mountTarget(target); err != nil {
		return inField(err, "target")
	}
	if err := checkMountSource(m.Type, source); err != nil {
		return err
	}
	return noNUL(source)
}

// checkMountSource demands what the type of a mount takes for its source.
func checkMountSource(kind MountType, source string) error {
	switch kind {
	case TmpfsMount:
		if source != "" {
			return bad("a tmpfs has no source").in("source").fix("remove the source")
		}
	case Bind:
		if k, err := sourceType(source); err != nil || k != Bind {
			return bad("the source %q is not a path", source).in("source").fix("write an absolute path, or ./DIR for one below the runfile")
		}
	case ImageMount:
		if _, err := ParseImage(source); err != nil {
			return inField(err, "source")
		}
	case Volume:
		if source != "" && !volumeName().MatchString(source) {
			return bad("%q is not a volume's name", source).in("source").fix("use letters, digits, _ . and -, at least two; a path needs type=bind")
		}
	case Pipe:
	}
	return nil
}

func (m *MountSpec) setSwitches(get map[string]string) (err error) {
	for i, to := range []*bool{&m.ReadOnly, &m.CreateSrc, &m.NoCopy} {
		text, ok := get[mountSwitches[i]]
		if !ok {
			continue
		}
		if *to, err = mountSwitch(text); err != nil {
			return inField(err, mountSwitches[i])
		}
	}
	return nil
}

// mountSwitch reads a switch as docker does here: fewer words than elsewhere.
func mountSwitch(text string) (bool, error) {
	switch text {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, bad("%q is neither true nor false", text)
}

func (m *MountSpec) setWords(get map[string]string) error {
	m.Driver, m.Propagation = get["volume-driver"], strings.ToLower(get["bind-propagation"])
	if p := m.Propagation; p != "" && !contains(propagations, p) {
		return bad("%q is not a propagation", p).from(p, propagations).in("bind-propagation")
	}
	if err := m.setRecursive(get["bind-recursive"]); err != nil {
		return inField(err, "bind-recursive")
	}
	if word := strings.ToLower(get["consistency"]); word != "" && !contains(consistencies, word) {
		return bad("%q is not one of %s", word, oneOf(consistencies)).from(word, consistencies).in("consistency")
	}
	for _, name := range []string{"volume-subpath", "image-subpath"} {
		if err := m.setSubpath(get[name]); err != nil {
			return inField(err, name)
		}
	}
	if s := get["tmpfs-size"]; s != "" {
		n, err := size(s)
		if err != nil {
			return inField(err, "tmpfs-size")
		}
		m.TmpfsSize = n
	}
	if s := get["tmpfs-mode"]; s != "" {
		if n, err := strconv.ParseUint(s, 8, 32); err != nil || n > 0o7777 {
			return bad("%q is not an octal mode", s).in("tmpfs-mode").fix("write 1777")
		}
		m.TmpfsMode = s
	}
	return nil
}

func (m *MountSpec) setSubpath(s string) error {
	switch {
	case s == "":
		return nil
	case strings.HasPrefix(s, "/") || contains(strings.Split(s, "/"), ".."):
		return bad("%q is not a relative path without ..", s)
	case m.Source == "":
		return bad("a volume without a name has nothing below it yet").fix("name the volume: source=NAME")
	}
	m.Subpath = s
	return nil
}

func (m *MountSpec) setRecursive(word string) error {
	switch {
	case word == "":
	case !contains(recursiveWords, word):
		return bad("%q is not one of %s", word, oneOf(recursiveWords)).from(word, recursiveWords)
	case (word == "readonly" || word == "writable") && !m.ReadOnly:
		return bad("bind-recursive=%s needs readonly", word)
	case word == "readonly" && m.Propagation != "" && m.Propagation != "rprivate":
		return bad("bind-recursive=readonly needs bind-propagation=rprivate, which is the default")
	}
	m.Recursive = word
	return nil
}

func formatMount(m MountSpec) string {
	parts := []string{"type=" + string(m.Type)}
	add := func(key, v string) {
		if v != "" {
			parts = append(parts, key+"="+v)
		}
	}
	add("source", m.Source)
	add("target", m.Target)
	if m.ReadOnly {
		parts = append(parts, "readonly")
	}
	add("bind-propagation", m.Propagation)
	add("bind-recursive", m.Recursive)
	if m.CreateSrc {
		parts = append(parts, "bind-create-src")
	}
	if m.NoCopy {
		parts = append(parts, "volume-nocopy")
	}
	for _, kv := range m.Labels {
		add("volume-label", formatPair(kv))
	}
	add("volume-driver", m.Driver)
	for _, kv := range m.DriverOpts {
		add("volume-opt", formatPair(kv))
	}
	add(string(m.Type)+"-subpath", m.Subpath)
	if m.TmpfsSize > 0 {
		add("tmpfs-size", formatSize(m.TmpfsSize))
	}
	add("tmpfs-mode", m.TmpfsMode)
	return formatCSV(parts)
}
