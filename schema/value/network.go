package value

import (
	"encoding/csv"
	"strconv"
	"strings"
	"unicode"
)

var networkKeys = []string{"name", "alias", "ip", "ip6", "mac-address", "link-local-ip", "driver-opt", "gw-priority"}

var networkWords = []string{"bridge", "none", "host", "container:"}

// NetworkSyntax is the syntax of network: a mode, a network's name, docker's name=NAME,alias=...,ip=... or a map.
func NetworkSyntax() Parser[Network] {
	return Parser[Network]{
		Parse: parseNetwork, Fields: networkFields, Format: formatNetwork,
		Schema:       networkSchema,
		FieldsSchema: networkForm,
		Syntax:       "bridge | none | host | container:<name|id> | <network-name>, or name=NAME,alias=NAME,ip=IP,...",
		Words:        networkWords,
	}
}

// networkSchema is the schema of a network's text. Blanks around words are trimmed, and quotes are those of CSV.
func networkSchema() jsonSchema {
	const blank = `[^!-~]*` // and more
	name := blank + `name` + blank + `=` + blank + either(`container:[^,"\n\x00]+`, keyPart) + blank
	pair := func(key, v string) string { return blank + key + blank + `=` + blank + v + blank }
	one := either(name, pair("alias", hostExpr), pair("ip", ipv4Expr), pair("ip6", ipv6Expr), pair("mac-address", macExpr),
		pair("link-local-ip", linkLocalExpr), pair("driver-opt", `[^,="\x00]+=[^,"\x00]*`), pair("gw-priority", `[+-]?[0-9]+`))
	var not []string
	for _, key := range []string{"name", "ip", "ip6", "mac-address", "gw-priority"} {
		not = append(not, `^([^"]*,)?`+blank+key+blank+`=[^"]*,`+blank+key+blank+`=[^"]*$`)
	}
	return bare(butNot(`^`+either(`container:[^\n\x00]+`, keyPart, `(`+one+`,)*`+name+`(,`+one+`)*`, `.*".*`)+`$`, either(not...)))
}

func parseNetwork(s string) (Network, error) {
	if !strings.Contains(s, "=") || strings.HasPrefix(s, "container:") {
		return networkMode(s)
	}
	parts, err := csv.NewReader(strings.NewReader(s)).Read()
	if err != nil || strings.ContainsAny(s, "\r\n") {
		return Network{}, bad("%q is not KEY=VALUE pairs separated by commas", s)
	}
	var fields []Field
	for _, part := range parts {
		k, v, ok := strings.Cut(part, "=")
		if !ok {
			return Network{}, bad("%q has no value", part).fix("write KEY=VALUE, separated by commas")
		}
		fields = append(fields, Field{Name: strings.TrimSpace(k), Text: strings.TrimSpace(v)})
	}
	n, err := networkFields(fields)
	if e, ok := err.(*Error); ok { //nolint:errorlint // made two lines above, never wrapped
		e.Field = "" // the text has one position
	}
	return n, err
}

func networkMode(s string) (Network, error) {
	name, isContainer := strings.CutPrefix(s, "container:")
	switch {
	case s == "":
		return Network{}, bad("there is no network's name")
	case isContainer:
		return Network{Mode: NetworkContainer, Name: name}, checkJoined(name)
	case s == "bridge" || s == "default":
		return Network{Mode: NetworkBridge}, nil
	case s == "none" || s == "host":
		return Network{Mode: NetworkMode(s)}, nil
	case !keyName().MatchString(s):
		return Network{}, bad("%q is not a network's name", s).fix("use letters, digits, _ . and -")
	}
	return Network{Mode: NetworkUser, Name: s}, nil
}

// checkJoined checks what stands behind container:, the container whose namespace is joined.
func checkJoined(name string) error {
	switch {
	case name == "":
		return bad("%q names no container", "container:").fix("write container:<name|id>")
	case strings.Contains(name, "\n"):
		return bad("no container is called %q", name).fix("write container:<name|id>")
	}
	return noNUL("container:" + name)
}

func networkFields(fields []Field) (Network, error) {
	var many Network
	var single []Field
	for _, f := range fields {
		taken, err := many.addField(f)
		if err != nil {
			return Network{}, inField(err, f.Name)
		}
		if !taken {
			single = append(single, f)
		}
	}
	get, err := take(single, networkKeys...)
	if err != nil {
		return Network{}, err
	}
	if _, ok := get["name"]; !ok {
		return Network{}, bad("the network's name is missing").fix(`write "name=NAME,..." as one quoted text, or a map with name`)
	}
	n, err := networkMode(get["name"])
	if err != nil {
		return n, inField(err, "name")
	}
	for _, f := range fields {
		if !n.Mode.takes(f.Name) {
			return n, bad("only a user-defined network takes %s", f.Name).in(f.Name)
		}
	}
	n.Aliases, n.LinkLocalIPs, n.DriverOpts = many.Aliases, many.LinkLocalIPs, many.DriverOpts
	return n, n.setAddresses(get)
}

// takes reports whether a field goes with a mode: all with a network of one's own, a hardware address with the bridge.
func (m NetworkMode) takes(field string) bool {
	return m == NetworkUser || field == "name" || m == NetworkBridge && field == "mac-address"
}

// addField takes a field that may come several times.
func (n *Network) addField(f Field) (taken bool, err error) {
	if f.Null {
		return false, nil
	}
	switch f.Name {
	case "alias":
		_, err = dnsName(f.Text)
		n.Aliases = append(n.Aliases, f.Text)
	case "link-local-ip":
		var text string
		text, err = LinkLocal().Parse(f.Text)
		n.LinkLocalIPs = append(n.LinkLocalIPs, text)
	case "driver-opt":
		if k, _, ok := strings.Cut(f.Text, "="); !ok || k == "" {
			err = bad("%q is not KEY=VALUE", f.Text)
		} else {
			err = noNUL(f.Text)
		}
		n.DriverOpts = append(n.DriverOpts, f.Text)
	default:
		return false, nil
	}
	return true, err
}

func inField(err error, field string) error {
	if e, ok := err.(*Error); ok { //nolint:errorlint // errors of this package, never wrapped
		return e.in(field)
	}
	return err
}

func (n *Network) setAddresses(get map[string]string) error {
	var err error
	if s, ok := get["ip"]; ok {
		if n.IP, err = family(s, true); err != nil {
			return inField(err, "ip")
		}
	}
	if s, ok := get["ip6"]; ok {
		if n.IP6, err = family(s, false); err != nil {
			return inField(err, "ip6")
		}
	}
	if s, ok := get["mac-address"]; ok {
		if n.MAC, err = parseMAC(s); err != nil {
			return inField(err, "mac-address")
		}
	}
	if s, ok := get["gw-priority"]; ok {
		p, err := strconv.Atoi(s)
		if err != nil {
			return bad("%q is not a whole number", s).in("gw-priority")
		}
		n.GWPriority = p
	}
	return nil
}

func formatNetwork(n Network) string {
	name := n.Name
	switch n.Mode {
	case NetworkContainer:
		return "container:" + name
	case NetworkBridge, NetworkNone, NetworkHost:
		name = string(n.Mode)
	case NetworkUser:
	}
	parts := []string{"name=" + name}
	add := func(key, v string) { parts = append(parts, key+"="+v) }
	for _, a := range n.Aliases {
		add("alias", a)
	}
	if n.IP.IsValid() {
		add("ip", n.IP.String())
	}
	if n.IP6.IsValid() {
		add("ip6", n.IP6.String())
	}
	if n.MAC != "" {
		add("mac-address", n.MAC)
	}
	for _, ip := range n.LinkLocalIPs {
		add("link-local-ip", ip)
	}
	for _, o := range n.DriverOpts {
		add("driver-opt", o)
	}
	if n.GWPriority != 0 {
		add("gw-priority", strconv.Itoa(n.GWPriority))
	}
	if len(parts) == 1 {
		return name
	}
	return formatCSV(parts)
}

// LinkSyntax is the syntax of link: CONTAINER[:ALIAS].
func LinkSyntax() Parser[Link] {
	const noBlank, noBlankOrSlash = `[^:\t\n\v\f\r \x00]+`, `[^:/\t\n\v\f\r \x00]+`
	return Parser[Link]{
		Parse: func(s string) (Link, error) {
			name, alias, hasAlias := strings.Cut(s, ":")
			if bare, ok := strings.CutPrefix(name, "/"); ok { // docker inspect shows /CONTAINER:/SELF/ALIAS
				name, alias = bare, alias[strings.LastIndex(alias, "/")+1:]
			}
			switch {
			case strings.Contains(alias, ":"):
				return Link{}, bad("%q has more than one colon", s).fix("write CONTAINER[:ALIAS]")
			case name == "" || strings.Contains(name, "/"):
				return Link{}, bad("%q names no container", s).fix("write CONTAINER[:ALIAS]")
			case hasAlias && alias == "":
				return Link{}, bad("%q has no alias behind the colon", s).fix("write %s", name)
			}
			if alias == "" {
				alias = name
			}
			if strings.ContainsFunc(alias, unicode.IsSpace) {
				return Link{}, bad("the alias %q holds a space", alias)
			}
			return Link{Container: name, Alias: alias}, noNUL(s)
		},
		Format: func(l Link) string {
			if l.Alias == l.Container {
				return l.Container
			}
			return l.Container + ":" + l.Alias
		},
		Schema: func() jsonSchema {
			return bare(pattern(`^` + either(`[^:/\x00]+:`+noBlank, noBlankOrSlash, `/[^:/\x00]+:(`+textExpr+`/)?`+noBlankOrSlash, `/`+noBlankOrSlash) + `$`))
		},
		Syntax: "CONTAINER[:ALIAS]",
	}
}

// HostSyntax is the syntax of add-host: NAME:IP or NAME=IP, or the word host-gateway for the IP.
func HostSyntax() Parser[Host] {
	const hostAddress = `(host-gateway|` + addressExpr + `)`
	return Parser[Host]{
		Parse: parseHost,
		Format: func(h Host) string {
			if h.Gateway {
				return h.Name + ":host-gateway"
			}
			return h.Name + ":" + h.IP.String()
		},
		Schema: func() jsonSchema {
			return pattern(`^` + hostExpr + `[:=]` + hostAddress + `$`)
		},
		Entry: func() (jsonSchema, jsonSchema) {
			return pattern(`^` + hostExpr + `$`), pattern(`^` + hostAddress + `$`)
		},
		Syntax: "NAME:IP, or NAME:host-gateway",
	}
}

func parseHost(s string) (Host, error) {
	name, ip, ok := strings.Cut(s, "=")
	if !ok {
		name, ip, ok = strings.Cut(s, ":")
	}
	if !ok || name == "" || ip == "" {
		return Host{}, bad("%q is not NAME:IP", s)
	}
	if _, err := dnsName(name); err != nil {
		return Host{}, err
	}
	if ip == "host-gateway" {
		return Host{Name: name, Gateway: true}, nil
	}
	a, err := parseIP(ip)
	return Host{Name: name, IP: a}, err
}

// Alias is a name that other containers resolve.
func Alias() Parser[string] {
	return Parser[string]{
		Parse: dnsName, Format: func(s string) string { return s },
		Schema: func() jsonSchema { return bare(pattern(`^` + hostExpr + `$`)) }, Syntax: "a host name",
	}
}

// dnsName accepts labels of letters, digits, - and _ as containers are named, at most 63 bytes each.
func dnsName(s string) (string, error) {
	if s == "" || len(s) > 253 {
		return "", bad("%q is not a host name", s)
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		if !dnsLabel().MatchString(label) {
			return "", bad("%q is not a host name", s).fix("use letters, digits, - and _ between dots")
		}
	}
	return s, nil
}

var dnsLabel = lazy(`^[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?$`)

// DNSSearch is a domain that the resolver appends, or a single dot for none.
func DNSSearch() Parser[string] {
	return Parser[string]{
		Parse: func(s string) (string, error) {
			if s == "." {
				return s, nil
			}
			if !searchExpr().MatchString(s) || len(s) > 255 || !strings.ContainsFunc(s, unicode.IsLetter) {
				return "", bad("%q is not a domain", s).fix("use letters, digits and - between dots, or . for no search list")
			}
			return strings.TrimSuffix(s, "."), nil
		},
		Format: func(s string) string { return s },
		Schema: func() jsonSchema { return butNot(searchPattern, `^[0-9-][0-9.-]*$`) }, Syntax: "a domain, or . for none",
	}
}

const searchPattern = `^(\.|([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)*[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.?)$`

var searchExpr = lazy(searchPattern)

// maxDots is the most that the resolver reads behind ndots.
const maxDots = 15

// DNSOption is an option of resolv.conf.
func DNSOption() Parser[string] {
	return Parser[string]{
		Parse: func(s string) (string, error) {
			name, v, hasValue := strings.Cut(s, ":")
			switch {
			case s == "" || strings.ContainsFunc(s, unicode.IsSpace):
				return "", bad("%q is not an option of resolv.conf", s)
			case name == "ndots" && (!hasValue || !isCount(v, maxDots)):
				return "", bad("ndots is a number from 0 to %d, not %q", maxDots, v).fix("write ndots:1")
			}
			return s, noNUL(s)
		},
		Format: func(s string) string { return s },
		Schema: func() jsonSchema {
			return anyOf(pattern(`^ndots:`+signed(0, maxDots)+`$`), bare(butNot(`^`+wordExpr+`$`, `^ndots(:|$)`)))
		},
		Syntax: "an option of resolv.conf: ndots:2",
		Words: []string{
			"ndots:", "timeout:", "attempts:", "rotate", "use-vc", "edns0", "trust-ad", "single-request",
			"single-request-reopen", "no-tld-query", "no-check-names", "inet6", "no-reload", "debug",
		},
	}
}

func isCount(s string, most int) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= 0 && n <= most
}

// NamespaceSyntax is the syntax of pid, ipc and uts: one of the given words, and container:<name|id> where joining is
// possible.
func NamespaceSyntax(join bool, words ...string) Parser[NamespaceMode] {
	syntax := strings.Join(words, " | ")
	expr := `^(` + strings.Join(words, "|") + `)$`
	all := words
	if join {
		syntax += " | container:<name|id>"
		expr = `^(` + strings.Join(words, "|") + `|container:[^\n\x00]+)$`
		all = append(append([]string{}, words...), "container:")
	}
	return Parser[NamespaceMode]{
		Parse: func(s string) (NamespaceMode, error) {
			name, isContainer := strings.CutPrefix(s, "container:")
			switch {
			case contains(words, s):
				return NamespaceMode{Mode: s}, nil
			case join && isContainer:
				return NamespaceMode{Mode: "container", Container: name}, checkJoined(name)
			}
			return NamespaceMode{}, bad("%q is not a mode of this namespace", s).from(s, all)
		},
		Format: func(m NamespaceMode) string {
			if m.Mode == "container" {
				return "container:" + m.Container
			}
			return m.Mode
		},
		Schema: func() jsonSchema { return pattern(expr) }, Syntax: syntax, Words: all,
	}
}
