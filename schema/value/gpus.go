package value

import (
	"encoding/csv"
	"math"
	"strconv"
	"strings"
)

// GPURequest is the value of gpus: a number of GPUs, or certain ones.
type GPURequest struct {
	Count        int      // -1 = all; 0 where Devices says which
	Devices      []string // indexes or UUIDs
	Driver       string
	Capabilities []string
	Options      []KeyValue
}

var gpuKeys = []string{"count", "device", "driver", "capabilities", "options"}

// GPUSyntax is the syntax of gpus: all, a number, or KEY=VALUE pairs separated by commas, quoted as in CSV.
func GPUSyntax() Parser[GPURequest] {
	return Parser[GPURequest]{
		Parse: parseGPUs, Format: formatGPUs,
		Schema: func() jsonSchema {
			one := either(`(count=)?`+either(`all`, signed(1, math.MaxInt64)), `(device|driver|capabilities)=[^,"\x00]+`, `options=[^,"=\x00][^,"\x00]*`)
			return orNumber(1, math.MaxInt64, `^`+either(each(one), `.*".*`)+`$`)
		},
		Syntax: `all | NUMBER | device=ID[,driver=NAME][,"capabilities=NAME,NAME"]`,
		Words:  []string{"all", "device="},
	}
}

func parseGPUs(s string) (GPURequest, error) {
	var g GPURequest
	if strings.ContainsAny(s, "\r\n") {
		return g, bad("%q is not a request for GPUs", s)
	}
	parts, err := csv.NewReader(strings.NewReader(s)).Read()
	if err != nil {
		return g, bad("%q is not a request for GPUs", s).fix("write all, a number, or device=ID")
	}
	seen := map[string]bool{}
	for _, p := range parts {
		k, v, ok := strings.Cut(p, "=")
		if !ok {
			k, v = "count", p
		}
		switch {
		case !contains(gpuKeys, k):
			return g, bad("there is no key %q here", k).from(k, gpuKeys)
		case seen[k]:
			return g, bad("%s is given twice", k)
		}
		seen[k] = true
		if err := g.set(k, v); err != nil {
			return g, err
		}
	}
	if !seen["count"] && !seen["device"] {
		g.Count = 1
	}
	if len(g.Devices) > 0 && seen["count"] {
		return g, bad("count and device exclude each other").fix("keep one of them")
	}
	return g, noNUL(s)
}

func (g *GPURequest) set(key, v string) error {
	switch {
	case v == "":
		return bad("%s has no value", key)
	case key == "count" && v == "all":
		g.Count = -1
	case key == "count":
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return bad("%q is not a number of GPUs", v).fix("write all or a number of 1 or more")
		}
		g.Count = n
	case key == "device":
		g.Devices = strings.Split(v, ",")
	case key == "driver":
		g.Driver = v
	case key == "capabilities":
		g.Capabilities = strings.Split(v, ",")
	default:
		for o := range strings.SplitSeq(v, ",") {
			kv := cutPair(o)
			if kv.Key == "" {
				return bad("%q is not KEY=VALUE", o)
			}
			g.Options = append(g.Options, kv)
		}
	}
	return nil
}

func formatGPUs(g GPURequest) string {
	var parts []string
	switch {
	case g.Count < 0:
		parts = append(parts, "all")
	case g.Count > 0:
		parts = append(parts, strconv.Itoa(g.Count))
	}
	if len(g.Devices) > 0 {
		parts = append(parts, "device="+strings.Join(g.Devices, ","))
	}
	if g.Driver != "" {
		parts = append(parts, "driver="+g.Driver)
	}
	if len(g.Capabilities) > 0 {
		parts = append(parts, "capabilities="+strings.Join(g.Capabilities, ","))
	}
	if len(g.Options) > 0 {
		var list []string
		for _, kv := range g.Options {
			list = append(list, formatPair(kv))
		}
		parts = append(parts, "options="+strings.Join(list, ","))
	}
	return formatCSV(parts)
}
