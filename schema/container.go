// Package schema turns the located tree of a manifest into typed containers, driven by one table.
//
// The option table (Options) is the heart: one row per option of docker run and per key of our own. Decoding, the flags
// of `runfile run`, runfile.schema.json, the reference page, completion, did-you-mean and the planner's edges are loops
// over it. Rules that need more than one option are a short list of named functions (rules.go).
package schema

import (
	"strings"
	"time"

	"github.com/runfile/runfile/manifest/diag"
	"github.com/runfile/runfile/schema/value"
)

// Opt is an option that may be given once: its value, whether it was given, and where.
type Opt[T any] struct {
	Value T          `json:"value"`
	Set   bool       `json:"set"`
	At    diag.Range `json:"at"`
}

// IsZero makes encoding/json's omitzero leave out what was not given.
func (o Opt[T]) IsZero() bool { return !o.Set }

// Or returns the value, or def where the option was not given.
func (o Opt[T]) Or(def T) T {
	if o.Set {
		return o.Value
	}
	return def
}

// Item is one entry of a repeatable option.
type Item[T any] struct {
	Value T          `json:"value"`
	At    diag.Range `json:"at"`
}

// Items is a repeatable option in file order.
type Items[T any] []Item[T]

// Values returns the entries without their positions.
func (l Items[T]) Values() []T {
	out := make([]T, len(l))
	for i, it := range l {
		out[i] = it.Value
	}
	return out
}

// Container is one container as declared, before it is merged with its image's configuration.
type Container struct {
	Key string     `json:"key"` // its key in the file, unique in the project
	At  diag.Range `json:"at"`  // where that key stands

	Image      Image      `json:"image,omitzero"`
	Process    Process    `json:"process,omitzero"`
	Resources  Resources  `json:"resources,omitzero"`
	Blkio      Blkio      `json:"blkio,omitzero"`
	Devices    Devices    `json:"devices,omitzero"`
	Namespaces Namespaces `json:"namespaces,omitzero"`
	Security   Security   `json:"security,omitzero"`
	Network    Network    `json:"network,omitzero"`
	Mounts     Mounts     `json:"mounts,omitzero"`
	Logging    Logging    `json:"logging,omitzero"`
	Health     Health     `json:"health,omitzero"`
	Lifecycle  Lifecycle  `json:"lifecycle,omitzero"`
	Stdio      Stdio      `json:"stdio,omitzero"`
	Metadata   Metadata   `json:"metadata,omitzero"`
	Windows    Windows    `json:"windows,omitzero"`
}

// Image says what to run.
type Image struct {
	Ref      Opt[value.ImageRef] `json:"ref,omitzero"`
	Pull     Opt[string]         `json:"pull,omitzero"` // always, missing, never
	Platform Opt[string]         `json:"platform,omitzero"`
	// PullRetries is how often a failed pull is tried again.
	PullRetries Opt[int64] `json:"pullRetries,omitzero"`
	// DisableContentTrust is true by default: signatures are not checked.
	DisableContentTrust Opt[bool] `json:"disableContentTrust,omitzero"`
}

// Process is what PID 1 is and as whom it runs.
type Process struct {
	Command    Opt[[]string]         `json:"command,omitzero"`
	Entrypoint Opt[[]string]         `json:"entrypoint,omitzero"` // set and empty: drop the image's
	Env        Items[value.KeyValue] `json:"env,omitempty"`
	EnvFile    Items[string]         `json:"envFile,omitempty"` // absolute paths
	// EnvFromFiles is what the env-files said when the manifest was read, in order.
	EnvFromFiles []value.KeyValue      `json:"envFromFiles,omitempty"`
	User         Opt[value.User]       `json:"user,omitzero"`
	Workdir      Opt[string]           `json:"workdir,omitzero"`
	GroupAdd     Items[string]         `json:"groupAdd,omitempty"` // names or numbers, as written
	Init         Opt[bool]             `json:"init,omitzero"`
	InitPath     Opt[string]           `json:"initPath,omitzero"` // absolute, on the host
	Ulimits      Items[value.Ulimit]   `json:"ulimits,omitempty"`
	Sysctls      Items[value.KeyValue] `json:"sysctls,omitempty"`
	Runtime      Opt[string]           `json:"runtime,omitzero"`
	Umask        Opt[int64]            `json:"umask,omitzero"` // 0 to 0777
}

// Resources are cgroup limits. Sizes are bytes.
type Resources struct {
	Memory     Opt[int64]  `json:"memory,omitzero"`
	MemorySwap Opt[int64]  `json:"memorySwap,omitzero"` // memory plus swap; -1 = unlimited swap
	NanoCPUs   Opt[int64]  `json:"nanoCPUs,omitzero"`   // cpus, in units of 1e-9 CPU
	CPUShares  Opt[int64]  `json:"cpuShares,omitzero"`
	CPUSetCPUs Opt[string] `json:"cpusetCPUs,omitzero"`
	PidsLimit  Opt[int64]  `json:"pidsLimit,omitzero"` // <= 0 = unlimited

	MemoryReservation Opt[int64]  `json:"memoryReservation,omitzero"`
	MemorySwappiness  Opt[int64]  `json:"memorySwappiness,omitzero"` // 0 to 100; -1 = inherit
	KernelMemory      Opt[int64]  `json:"kernelMemory,omitzero"`     // no kernel of today has it
	OOMKillDisable    Opt[bool]   `json:"oomKillDisable,omitzero"`
	OOMScoreAdj       Opt[int64]  `json:"oomScoreAdj,omitzero"`
	CPUPeriod         Opt[int64]  `json:"cpuPeriod,omitzero"`    // microseconds; 0 = default
	CPUQuota          Opt[int64]  `json:"cpuQuota,omitzero"`     // microseconds; <= 0 = unlimited
	CPURTPeriod       Opt[int64]  `json:"cpuRTPeriod,omitzero"`  // microseconds; 0 = default
	CPURTRuntime      Opt[int64]  `json:"cpuRTRuntime,omitzero"` // microseconds; 0 = none
	CPUSetMems        Opt[string] `json:"cpusetMems,omitzero"`
	CgroupParent      Opt[string] `json:"cgroupParent,omitzero"` // absolute and clean
}

// Blkio are limits of block devices. Rates are per second; entries of 0 limit nothing.
type Blkio struct {
	Weight       Opt[int64]                `json:"weight,omitzero"` // 10 to 1000; 0 = default
	WeightDevice Items[value.DeviceWeight] `json:"weightDevice,omitempty"`
	ReadBps      Items[value.DeviceRate]   `json:"readBps,omitempty"` // bytes
	WriteBps     Items[value.DeviceRate]   `json:"writeBps,omitempty"`
	ReadIOps     Items[value.DeviceRate]   `json:"readIOps,omitempty"` // operations
	WriteIOps    Items[value.DeviceRate]   `json:"writeIOps,omitempty"`
}

// Windows are the limits that only Windows containers have.
type Windows struct {
	CPUCount       Opt[int64]  `json:"cpuCount,omitzero"`
	CPUPercent     Opt[int64]  `json:"cpuPercent,omitzero"`
	IOMaxBandwidth Opt[int64]  `json:"ioMaxBandwidth,omitzero"` // bytes per second
	IOMaxIOps      Opt[int64]  `json:"ioMaxIOps,omitzero"`      // operations per second
	Isolation      Opt[string] `json:"isolation,omitzero"`      // default, process, hyperv
}

// Devices are host devices shown inside.
type Devices struct {
	Devices Items[value.Device]     `json:"devices,omitempty"`
	Rules   Items[value.DeviceRule] `json:"rules,omitempty"`
	GPUs    Opt[value.GPURequest]   `json:"gpus,omitzero"`
}

// Namespaces says which namespaces are shared.
type Namespaces struct {
	PID        Opt[value.NamespaceMode] `json:"pid,omitzero"`
	IPC        Opt[value.NamespaceMode] `json:"ipc,omitzero"`
	UTS        Opt[value.NamespaceMode] `json:"uts,omitzero"`
	UserNS     Opt[value.NamespaceMode] `json:"userns,omitzero"`
	CgroupNS   Opt[value.NamespaceMode] `json:"cgroupns,omitzero"`
	Hostname   Opt[string]              `json:"hostname,omitzero"`
	Domainname Opt[string]              `json:"domainname,omitzero"`
	// Remap is the policy's userns-remap where the container follows it, which is without userns: host. At is where the
	// policy says so, and nowhere if the environment does.
	Remap Opt[string] `json:"remap,omitzero"`
}

// Security is what the process may do.
type Security struct {
	CapAdd     Items[string]            `json:"capAdd,omitempty"`  // CAP_ names in upper case, or ALL
	CapDrop    Items[string]            `json:"capDrop,omitempty"` // likewise
	Privileged Opt[bool]                `json:"privileged,omitzero"`
	Options    Items[value.SecurityOpt] `json:"options,omitempty"`
	// SeccompProfile is the content of the file that security-opt seccomp=FILE names, compacted JSON.
	SeccompProfile string `json:"seccompProfile,omitempty"`
}

// Network is how the container is reached and what it can name.
type Network struct {
	Networks   Items[value.Network]     `json:"networks,omitempty"` // empty = bridge
	Aliases    Items[string]            `json:"aliases,omitempty"`
	Links      Items[value.Link]        `json:"links,omitempty"`
	Publish    Items[value.PortMapping] `json:"publish,omitempty"`
	PublishAll Opt[bool]                `json:"publishAll,omitzero"`
	Expose     Items[value.PortRange]   `json:"expose,omitempty"`
	AddHosts   Items[value.Host]        `json:"addHosts,omitempty"`
	DNS        Items[string]            `json:"dns,omitempty"`
	DNSOptions Items[string]            `json:"dnsOptions,omitempty"`
	DNSSearch  Items[string]            `json:"dnsSearch,omitempty"`
	IP         Opt[string]              `json:"ip,omitzero"`
	IP6        Opt[string]              `json:"ip6,omitzero"`
	MAC        Opt[string]              `json:"mac,omitzero"`
	LinkLocal  Items[string]            `json:"linkLocal,omitempty"`
}

// Mounts is the file system beyond the image.
type Mounts struct {
	Volumes     Items[value.Mount]       `json:"volumes,omitempty"`
	VolumesFrom Items[value.VolumesFrom] `json:"volumesFrom,omitempty"`
	Tmpfs       Items[value.Tmpfs]       `json:"tmpfs,omitempty"`
	ReadOnly    Opt[bool]                `json:"readOnly,omitzero"`
	ShmSize     Opt[int64]               `json:"shmSize,omitzero"`
	Mounts      Items[value.MountSpec]   `json:"mounts,omitempty"`
	Driver      Opt[string]              `json:"driver,omitzero"` // volume-driver
	StorageOpts Items[value.KeyValue]    `json:"storageOpts,omitempty"`
}

// Logging is where output goes.
type Logging struct {
	Driver  Opt[string]           `json:"driver,omitzero"`
	Options Items[value.KeyValue] `json:"options,omitempty"`
}

// Health is the periodic check.
type Health struct {
	Cmd      Opt[[]string]      `json:"cmd,omitzero"` // as docker keeps it: ["CMD-SHELL", "..."] or ["CMD", ...]
	Interval Opt[time.Duration] `json:"interval,omitzero"`
	Timeout  Opt[time.Duration] `json:"timeout,omitzero"`
	Retries  Opt[int64]         `json:"retries,omitzero"`
	Disable  Opt[bool]          `json:"disable,omitzero"`

	StartPeriod   Opt[time.Duration] `json:"startPeriod,omitzero"`
	StartInterval Opt[time.Duration] `json:"startInterval,omitzero"`
	OnFailure     Opt[string]        `json:"onFailure,omitzero"` // none, restart, stop, kill
}

// Lifecycle is when the container starts, ends and starts again.
type Lifecycle struct {
	Detach      Opt[bool]                `json:"detach,omitzero"`
	Restart     Opt[value.RestartPolicy] `json:"restart,omitzero"`
	Remove      Opt[bool]                `json:"remove,omitzero"` // rm
	StopSignal  Opt[value.Signal]        `json:"stopSignal,omitzero"`
	StopTimeout Opt[int64]               `json:"stopTimeout,omitzero"` // seconds; -1 = wait for ever
	DependsOn   Items[value.Dependency]  `json:"dependsOn,omitempty"`
	Ready       Opt[value.Probe]         `json:"ready,omitzero"`
	Timeout     Opt[time.Duration]       `json:"timeout,omitzero"` // of a job
	Profiles    Items[string]            `json:"profiles,omitempty"`

	StartTimeout Opt[time.Duration]    `json:"startTimeout,omitzero"` // of a service, until it is ready
	Retries      Opt[value.Retries]    `json:"retries,omitzero"`
	SuccessCodes Items[int64]          `json:"successCodes,omitempty"` // empty = 0
	AllowFailure Opt[bool]             `json:"allowFailure,omitzero"`
	Replicas     Opt[int64]            `json:"replicas,omitzero"`
	Matrix       Opt[Matrix]           `json:"matrix,omitzero"`
	Artifacts    Items[value.Artifact] `json:"artifacts,omitempty"` // To is absolute
}

// Matrix makes several containers of one: one for each combination of the axes' values.
type Matrix struct {
	Axes        []Axis              `json:"axes,omitempty"` // in file order
	Include     []map[string]string `json:"include,omitempty"`
	Exclude     []map[string]string `json:"exclude,omitempty"`
	MaxParallel int64               `json:"maxParallel,omitempty"` // 0 = no limit
}

// Axis is a variable of a matrix and its values.
type Axis struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

// Stdio is who reads and writes the standard streams.
type Stdio struct {
	Attach      Items[string] `json:"attach,omitempty"` // stdin, stdout, stderr
	Interactive Opt[bool]     `json:"interactive,omitzero"`
	TTY         Opt[bool]     `json:"tty,omitzero"`
	SigProxy    Opt[bool]     `json:"sigProxy,omitzero"`   // true by default
	DetachKeys  Opt[string]   `json:"detachKeys,omitzero"` // docker's notation
}

// Metadata names and describes the container.
type Metadata struct {
	Name    Opt[string]           `json:"name,omitzero"`
	Labels  Items[value.KeyValue] `json:"labels,omitempty"`
	CIDFile Opt[string]           `json:"cidfile,omitzero"` // absolute path

	LabelFile Items[string] `json:"labelFile,omitempty"` // absolute paths
	// LabelsFromFiles is what the label-files said when the manifest was read, in order.
	LabelsFromFiles []value.KeyValue       `json:"labelsFromFiles,omitempty"`
	Annotations     Items[value.KeyValue]  `json:"annotations,omitempty"`
	Secrets         Items[value.SecretRef] `json:"secrets,omitempty"`
	Help            Opt[bool]              `json:"help,omitzero"` // print the options instead of running
}

// OS is the operating system of the container, linux unless its platform says otherwise.
func (c *Container) OS() string {
	os, _, _ := strings.Cut(c.Image.Platform.Value, "/")
	if os == "windows" {
		return "windows"
	}
	return "linux"
}

// IsService reports the role from docker's own words: a container that is detached, or restarted always or
// unless-stopped, is a service; any other is a job, which a run waits for (DESIGN.md 2).
func (c *Container) IsService() bool {
	r := c.Lifecycle.Restart.Value.Name
	return c.Lifecycle.Detach.Value || r == "always" || r == "unless-stopped"
}

// Project is a whole manifest, resolved and checked.
type Project struct {
	Name       string        `json:"name"`
	Dir        string        `json:"dir"`   // absolute directory of the first file
	Files      []string      `json:"files"` // as opened, the first is the main one
	Containers []*Container  `json:"containers"`
	Networks   []*NetworkDef `json:"networks,omitempty"`
	Volumes    []*VolumeDef  `json:"volumes,omitempty"`
	Secrets    []*SecretDef  `json:"secrets,omitempty"`
	Policy     Policy        `json:"policy,omitzero"`
}

// Container returns the container of that key, or nil.
func (p *Project) Container(key string) *Container {
	for _, c := range p.Containers {
		if c.Key == key {
			return c
		}
	}
	return nil
}

// ManifestDir is the directory of the project's manifest, "" if the project comes from a command line (`runfile run`).
func (p *Project) ManifestDir() string {
	if len(p.Files) == 0 {
		return ""
	}
	return p.Dir
}

// NetworkDef is an entry of the top-level networks section, or a user-defined network that a container names and that
// is then made with all defaults.
type NetworkDef struct {
	Key      string      `json:"key"`
	At       diag.Range  `json:"at"`
	Subnet   Opt[string] `json:"subnet,omitzero"`
	Gateway  Opt[string] `json:"gateway,omitzero"`
	Internal Opt[bool]   `json:"internal,omitzero"`
	IPv6     Opt[bool]   `json:"ipv6,omitzero"`
	MTU      Opt[int64]  `json:"mtu,omitzero"`
	ICC      Opt[bool]   `json:"icc,omitzero"` // containers may talk to each other; default true
	Implicit bool        `json:"implicit,omitempty"`
}

// VolumeDef is an entry of the top-level volumes section, or a named volume that a container names.
type VolumeDef struct {
	Key      string                `json:"key"`
	At       diag.Range            `json:"at"`
	Driver   Opt[string]           `json:"driver,omitzero"`
	Options  Items[value.KeyValue] `json:"options,omitempty"`
	Labels   Items[value.KeyValue] `json:"labels,omitempty"`
	External Opt[bool]             `json:"external,omitzero"` // exists already under exactly this name
	Implicit bool                  `json:"implicit,omitempty"`
}

// SecretDef is an entry of the top-level secrets section: exactly one source is given.
type SecretDef struct {
	Key  string      `json:"key"`
	At   diag.Range  `json:"at"`
	File Opt[string] `json:"file,omitzero"` // absolute path
	Var  Opt[string] `json:"var,omitzero"`  // variable of the manifest
	Env  Opt[string] `json:"env,omitzero"`  // variable of runfile's environment
}

// Policy is how a run as a whole behaves.
type Policy struct {
	MaxParallel   Opt[int64]         `json:"maxParallel,omitzero"`
	FailFast      Opt[bool]          `json:"failFast,omitzero"`
	Timeout       Opt[time.Duration] `json:"timeout,omitzero"`
	TeardownGrace Opt[time.Duration] `json:"teardownGrace,omitzero"`
	UsernsRemap   Opt[string]        `json:"usernsRemap,omitzero"` // default, USER[:GROUP] or UID[:GID]
}

// Effective is a container merged with its image's configuration: what will really run. The engine makes it at create.
type Effective struct {
	Args        []string          `json:"args"`                  // entrypoint + command
	ArgsEscaped bool              `json:"argsEscaped,omitempty"` // the first of Args is a command line of Windows
	Entrypoint  []string          `json:"entrypoint,omitempty"`
	Cmd         []string          `json:"cmd,omitempty"`
	Env         []string          `json:"env"`
	User        string            `json:"user,omitempty"`
	Workdir     string            `json:"workdir"`
	Hostname    string            `json:"hostname,omitempty"`
	StopSignal  value.Signal      `json:"stopSignal"`
	Labels      map[string]string `json:"labels,omitempty"`
	Expose      []value.PortRange `json:"expose,omitempty"`     // image ∪ expose ∪ published
	Volumes     []string          `json:"volumes,omitempty"`    // the image's VOLUME paths
	HealthTest  []string          `json:"healthTest,omitempty"` // nil or ["NONE"] = no check; else CMD / CMD-SHELL form
	HealthEvery time.Duration     `json:"healthEvery,omitempty"`
	HealthLimit time.Duration     `json:"healthLimit,omitempty"` // timeout of one probe
	HealthTries int               `json:"healthTries,omitempty"`
	HealthGrace time.Duration     `json:"healthGrace,omitempty"` // start period
	// HealthGraceEvery is the interval inside the start period.
	HealthGraceEvery time.Duration `json:"healthGraceEvery,omitempty"`
	ImageID          string        `json:"imageID"`   // sha256:... of the image configuration
	ImageName        string        `json:"imageName"` // as the user wrote it
	RuntimeName      string        `json:"runtimeName,omitempty"`
	ReadOnlyRoot     bool          `json:"readOnlyRoot,omitempty"`
}
