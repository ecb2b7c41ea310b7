package network

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// Names of kernel objects. linkPrefix covers bridges and veths of all projects, so that one wildcard rule can; the hash
// keeps names within the kernel's 15 characters.
const (
	linkPrefix  = "rf"
	vethPrefix  = "rfv"
	bridgeHash  = 10
	tablePrefix = "runfile-"
	aliasPrefix = "runfile:"
)

func hash(n int, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])[:n]
}

// bridgeName is stable, so that a successor finds the bridge. The RunDir is part of it: two roots with a project of the
// same name share the kernel. Hex digits keep it apart from vethPrefix.
func (c Config) bridgeName(key string) string {
	return linkPrefix + hash(bridgeHash, "bridge", c.RunDir, c.Project, key)
}

func (c Config) tableName() string { return tablePrefix + hash(10, "table", c.RunDir, c.Project) }

var vethCounter atomic.Uint64

// vethName is unique over time: the kernel destroys the veths of a dropped namespace later, and until then a name that
// was used again would give EEXIST.
func (c Config) vethName(container, key string) string {
	now := fmt.Sprint(time.Now().UnixNano(), os.Getpid(), vethCounter.Add(1))
	return vethPrefix + hash(9, "veth", c.RunDir, c.Project, container, key, now)
}

// linkAlias names the owner of a link for people (`ip link`) and for the successor of a killed Manager.
func (c Config) linkAlias(container, key string) string {
	return aliasPrefix + c.Project + "/" + container + "/" + key
}

// splitAlias undoes linkAlias.
func (c Config) splitAlias(alias string) (container, key string, ok bool) {
	rest, ok := strings.CutPrefix(alias, aliasPrefix+c.Project+"/")
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, "/")
}

// hardwareAddr derives a MAC: 02 (locally administered, unicast) and five bytes that never change for the same names, so
// that neighbours' ARP entries stay right over restarts.
func (c Config) hardwareAddr(name, key string) net.HardwareAddr {
	sum := sha256.Sum256([]byte("mac\x00" + c.Project + "\x00" + name + "\x00" + key))
	return append(net.HardwareAddr{0x02}, sum[:5]...)
}
