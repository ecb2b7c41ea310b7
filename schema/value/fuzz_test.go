package value

import "testing"

// One fuzz target for each syntax; their seeds are the tables of suites.

func FuzzSize(f *testing.F)           { fuzz(f, "size") }
func FuzzMemory(f *testing.F)         { fuzz(f, "memory") }
func FuzzMemorySwap(f *testing.F)     { fuzz(f, "memory-swap") }
func FuzzShmSize(f *testing.F)        { fuzz(f, "shm-size") }
func FuzzHealthDuration(f *testing.F) { fuzz(f, "health-duration") }
func FuzzDuration(f *testing.F)       { fuzz(f, "duration") }
func FuzzCpus(f *testing.F)           { fuzz(f, "cpus") }
func FuzzCpuset(f *testing.F)         { fuzz(f, "cpuset") }
func FuzzCpuShares(f *testing.F)      { fuzz(f, "cpu-shares") }
func FuzzPidsLimit(f *testing.F)      { fuzz(f, "pids-limit") }
func FuzzWord(f *testing.F)           { fuzz(f, "word") }
func FuzzUser(f *testing.F)           { fuzz(f, "user") }
func FuzzUlimit(f *testing.F)         { fuzz(f, "ulimit") }
func FuzzEnv(f *testing.F)            { fuzz(f, "env") }
func FuzzLabel(f *testing.F)          { fuzz(f, "label") }
func FuzzSysctl(f *testing.F)         { fuzz(f, "sysctl") }
func FuzzRestart(f *testing.F)        { fuzz(f, "restart") }
func FuzzSignal(f *testing.F)         { fuzz(f, "signal") }
func FuzzPublish(f *testing.F)        { fuzz(f, "publish") }
func FuzzExpose(f *testing.F)         { fuzz(f, "expose") }
func FuzzVolume(f *testing.F)         { fuzz(f, "volume") }
func FuzzVolumesFrom(f *testing.F)    { fuzz(f, "volumes-from") }
func FuzzTmpfs(f *testing.F)          { fuzz(f, "tmpfs") }
func FuzzDevice(f *testing.F)         { fuzz(f, "device") }
func FuzzNetwork(f *testing.F)        { fuzz(f, "network") }
func FuzzIpv4(f *testing.F)           { fuzz(f, "ipv4") }
func FuzzIpv6(f *testing.F)           { fuzz(f, "ipv6") }
func FuzzIp(f *testing.F)             { fuzz(f, "ip") }
func FuzzCidr(f *testing.F)           { fuzz(f, "cidr") }
func FuzzMac(f *testing.F)            { fuzz(f, "mac") }
func FuzzLink(f *testing.F)           { fuzz(f, "link") }
func FuzzAddHost(f *testing.F)        { fuzz(f, "add-host") }
func FuzzAlias(f *testing.F)          { fuzz(f, "alias") }
func FuzzDnsSearch(f *testing.F)      { fuzz(f, "dns-search") }
func FuzzDnsOption(f *testing.F)      { fuzz(f, "dns-option") }
func FuzzPid(f *testing.F)            { fuzz(f, "pid") }
func FuzzIpc(f *testing.F)            { fuzz(f, "ipc") }
func FuzzUts(f *testing.F)            { fuzz(f, "uts") }
func FuzzCapability(f *testing.F)     { fuzz(f, "capability") }
func FuzzSecurityOpt(f *testing.F)    { fuzz(f, "security-opt") }
func FuzzLogDriver(f *testing.F)      { fuzz(f, "log-driver") }
func FuzzLogOpt(f *testing.F)         { fuzz(f, "log-opt") }
func FuzzImage(f *testing.F)          { fuzz(f, "image") }
func FuzzPlatform(f *testing.F)       { fuzz(f, "platform") }
func FuzzDependency(f *testing.F)     { fuzz(f, "dependency") }
func FuzzHostname(f *testing.F)       { fuzz(f, "hostname") }
func FuzzName(f *testing.F)           { fuzz(f, "name") }
func FuzzProfile(f *testing.F)        { fuzz(f, "profile") }
func FuzzAbsPath(f *testing.F)        { fuzz(f, "abs-path") }
func FuzzHostPath(f *testing.F)       { fuzz(f, "host-path") }
func FuzzStream(f *testing.F)         { fuzz(f, "stream") }
func FuzzVolumeDriver(f *testing.F)   { fuzz(f, "volume-driver") }
func FuzzVolumeOpt(f *testing.F)      { fuzz(f, "volume-opt") }
