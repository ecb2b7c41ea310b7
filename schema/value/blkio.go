package value

import (
	"path"
	"strconv"
	"strings"
)

// DeviceWeight is a blkio-weight-device entry. Weight 0 means the default.
type DeviceWeight struct {
	Path   string // clean and absolute, below /dev
	Weight uint16 // 0, or 10 to 1000
}

// DeviceRate is a limit of a block device: bytes or operations per second. 0 means no limit.
type DeviceRate struct {
	Path string // clean and absolute, below /dev
	Rate int64
}

func deviceName() jsonSchema { return butNot(`^/dev/[^:\x00]+$`, `^/dev/+(\.\.?)?/*$`) }

// belowDev is the schema of a device's limit: docker takes paths below /dev only.
func belowDev(limit string) jsonSchema {
	return butNot(`^/dev/[^:\x00]+:`+limit+`$`, `^/dev/+(\.\.?)?/*:`)
}

// DeviceWeightSyntax is the syntax of blkio-weight-device: /dev/PATH:WEIGHT.
func DeviceWeightSyntax() Parser[DeviceWeight] {
	return Parser[DeviceWeight]{
		Parse: func(s string) (DeviceWeight, error) {
			dev, text, err := cutDevice(s, "WEIGHT")
			if err != nil {
				return DeviceWeight{}, err
			}
			n, err := BlkioWeight().Parse(text)
			return DeviceWeight{Path: dev, Weight: uint16(n)}, err //nolint:gosec // at most 1000
		},
		Format: func(w DeviceWeight) string { return w.Path + ":" + strconv.Itoa(int(w.Weight)) },
		Schema: func() jsonSchema { return belowDev(either(`[+-]?0+`, signed(10, 1000))) },
		Entry:  func() (jsonSchema, jsonSchema) { return deviceName(), BlkioWeight().Schema() },
		Syntax: "/dev/PATH:WEIGHT, WEIGHT 0 or from 10 to 1000",
	}
}

// BlkioWeight is a relative weight of block I/O: 0 for the default, else 10 to 1000.
func BlkioWeight() Parser[int64] {
	return zeroOr(10, 1000, "")
}

// DeviceBytesSyntax is the syntax of device-read-bps and device-write-bps: /dev/PATH:SIZE, bytes per second.
func DeviceBytesSyntax() Parser[DeviceRate] {
	return rateSyntax("SIZE", size, formatSize, func() string { return `\+?` + mantissa + exponent + sizeUnit },
		"/dev/PATH:SIZE, SIZE bytes per second with b, k, m or g; 0 = no limit")
}

// maxIOPS is the most the kernel keeps; more would wrap to nothing.
const maxIOPS = 1<<32 - 1

// DeviceOpsSyntax is the syntax of device-read-iops and device-write-iops: /dev/PATH:NUMBER, operations per second.
func DeviceOpsSyntax() Parser[DeviceRate] {
	number := func(s string) (int64, error) {
		n, err := strconv.ParseUint(s, 10, 64)
		switch {
		case err != nil:
			return 0, bad("%q is not a whole number of operations per second", s).fix("write a number without a unit")
		case n > maxIOPS:
			return 0, bad("%s is more than the kernel keeps (%d)", s, uint64(maxIOPS)).fix("write a smaller number, or 0 for no limit")
		}
		return int64(n), nil
	}
	return rateSyntax("NUMBER", number, func(n int64) string { return strconv.FormatInt(n, 10) }, func() string { return numbers(0, maxIOPS) },
		"/dev/PATH:NUMBER, NUMBER operations per second; 0 = no limit")
}

func rateSyntax(word string, parse func(string) (int64, error), format func(int64) string, expr func() string, syntax string) Parser[DeviceRate] {
	return Parser[DeviceRate]{
		Parse: func(s string) (DeviceRate, error) {
			dev, text, err := cutDevice(s, word)
			if err != nil {
				return DeviceRate{}, err
			}
			n, err := parse(text)
			return DeviceRate{Path: dev, Rate: n}, err
		},
		Format: func(r DeviceRate) string { return r.Path + ":" + format(r.Rate) },
		Schema: func() jsonSchema { return belowDev(expr()) },
		Entry: func() (jsonSchema, jsonSchema) {
			return deviceName(), anyOf(map[string]any{"type": "number", "minimum": int64(0)}, pattern(`^`+expr()+`$`))
		},
		Syntax: syntax,
	}
}

// cutDevice splits /dev/PATH:REST.
func cutDevice(s, word string) (dev, rest string, err error) {
	dev, rest, ok := strings.Cut(s, ":")
	switch {
	case !ok || rest == "" || strings.Contains(rest, ":"):
		return "", "", bad("%q is not /dev/PATH:%s", s, word)
	case !strings.HasPrefix(dev, "/dev/") || path.Clean(dev) == "/dev" || !strings.HasPrefix(path.Clean(dev), "/dev/"):
		return "", "", bad("%q is not a path below /dev", dev).fix("write /dev/NAME:%s", rest)
	}
	return path.Clean(dev), rest, noNUL(s)
}
