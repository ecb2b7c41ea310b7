package value

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/docker/go-units"
)

// LogDrivers are the log drivers that work; laterDrivers those of docker that do not yet.
var LogDrivers = []string{"json-file", "none"}

var laterDrivers = []string{
	"local", "syslog", "journald", "gelf", "fluentd", "splunk", "awslogs", "gcplogs", "etwlogs",
}

// LogDriverSyntax is the syntax of log-driver.
func LogDriverSyntax() Parser[string] {
	return Parser[string]{
		Parse: func(s string) (string, error) {
			switch {
			case contains(LogDrivers, s):
				return s, nil
			case contains(laterDrivers, s):
				return "", bad("runfile does not honour the log driver %q yet", s).notYet()
			}
			return "", bad("there is no log driver %q", s).from(s, LogDrivers)
		},
		Format: func(s string) string { return s },
		Schema: enum(LogDrivers...), Syntax: strings.Join(LogDrivers, " | "), Words: LogDrivers,
	}
}

var jsonFileOptions = []string{"max-size", "max-file", "compress", "labels", "labels-regex", "env", "env-regex", "tag"}

// laterLogOptions are options of every driver in docker that runfile does not honour yet.
var laterLogOptions = []string{"mode", "max-buffer-size", "cache-disabled", "cache-max-file", "cache-max-size", "cache-compress"}

// LogOptSyntax is the syntax of log-opt: KEY=VALUE. What the driver takes is CheckLogOption's business.
func LogOptSyntax() Parser[KeyValue] {
	return Parser[KeyValue]{
		Parse: func(s string) (KeyValue, error) {
			kv := cutPair(s)
			if kv.Key == "" || !kv.HasValue {
				return kv, bad("%q is not KEY=VALUE", s)
			}
			return kv, noNUL(s)
		},
		Format: formatPair, Schema: pattern(`^[^=]+=`), Syntax: "KEY=VALUE", Words: withSuffix(jsonFileOptions, "="),
	}
}

// CheckLogOption says what is wrong with an option of a driver. Docker finds out about most values only at start.
func CheckLogOption(driver string, kv KeyValue) error {
	switch {
	case driver == "none":
		return bad("the log driver none takes no options").fix("remove log-opt")
	case contains(laterLogOptions, kv.Key):
		return bad("runfile does not honour the log option %q yet", kv.Key).notYet()
	case !contains(jsonFileOptions, kv.Key):
		return bad("the log driver %s has no option %q", driver, kv.Key).from(kv.Key, jsonFileOptions)
	}
	switch v := kv.Value; kv.Key {
	case "max-size":
		// Decimal units here, unlike everywhere else: docker reads this one with FromHumanSize.
		if n, err := units.FromHumanSize(v); err != nil || n <= 0 {
			return bad("max-size %q is not a size", v).fix("write max-size=10m")
		}
	case "max-file":
		if n, err := strconv.Atoi(v); err != nil || n < 1 {
			return bad("max-file %q is not a whole number of 1 or more", v)
		}
	case "compress":
		_, err := Bool(v)
		return err
	case "tag":
		return checkLogTag(v)
	case "labels-regex", "env-regex":
		if _, err := regexp.Compile(v); err != nil {
			return bad("%s is not a regular expression: %v", kv.Key, err)
		}
	}
	return nil
}
