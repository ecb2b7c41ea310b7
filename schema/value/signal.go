package value

import (
	"strconv"
	"strings"
)

// signalNames are Linux's signals by number, the same on amd64, arm64, arm, riscv64, ppc64le and s390x. The table of
// the host is not used: a manifest means the same wherever it is read.
var signalNames = [...]string{
	1: "HUP", 2: "INT", 3: "QUIT", 4: "ILL", 5: "TRAP", 6: "ABRT", 7: "BUS", 8: "FPE", 9: "KILL", 10: "USR1",
	11: "SEGV", 12: "USR2", 13: "PIPE", 14: "ALRM", 15: "TERM", 16: "STKFLT", 17: "CHLD", 18: "CONT", 19: "STOP",
	20: "TSTP", 21: "TTIN", 22: "TTOU", 23: "URG", 24: "XCPU", 25: "XFSZ", 26: "VTALRM", 27: "PROF", 28: "WINCH",
	29: "IO", 30: "PWR", 31: "SYS",
}

// Second names of the same signals.
var signalAliases = map[string]int{"IOT": 6, "CLD": 17, "POLL": 29, "UNUSED": 31}

// The real-time signals that glibc leaves to programs.
const (
	sigRTMin = 34
	sigRTMax = 64
)

// SignalSyntax is the syntax of stop-signal: a number from 1 to 64, or a name with or without SIG in any case.
func SignalSyntax() Parser[Signal] {
	words := make([]string, 0, len(signalNames))
	for _, n := range signalNames[1:] {
		words = append(words, "SIG"+n)
	}
	return Parser[Signal]{
		Parse: ParseSignal, Format: func(s Signal) string { return s.Name },
		Schema: func() jsonSchema {
			offset := numbers(0, sigRTMax-sigRTMin)
			return orNumber(1, sigRTMax, `^`+either(signed(1, sigRTMax), anyCase("SIG")+`?`+either(
				anyCase(signalNames[1:]...), anyCase("IOT", "CLD", "POLL", "UNUSED"),
				anyCase("RTMIN")+`(\+`+offset+`)?`, anyCase("RTMAX")+`(-`+offset+`)?`,
			))+`$`)
		},
		Syntax: "a name with or without SIG, SIGRTMIN+n, or a number from 1 to 64", Words: words,
	}
}

// ParseSignal reads a signal's name or number.
func ParseSignal(s string) (Signal, error) {
	if n, err := strconv.Atoi(s); err == nil {
		if !holds(n, "min=1,max=64") {
			return Signal{}, bad("%s is no signal", s).fix("signals are numbered from 1 to 64")
		}
		return Signal{Number: n, Name: signalName(n)}, nil
	}
	name := strings.TrimPrefix(upper(s), "SIG")
	if n := signalNumber(name); n > 0 {
		return Signal{Number: n, Name: signalName(n)}, nil
	}
	return Signal{}, bad("there is no signal %q", s).from("SIG"+name, SignalSyntax().Words)
}

// upper writes the letters of ASCII large; strings.ToUpper makes an I of other letters, too.
func upper(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, s)
}

func signalNumber(name string) int {
	if n := signalAliases[name]; n > 0 {
		return n
	}
	for n := 1; n < len(signalNames); n++ {
		if signalNames[n] == name {
			return n
		}
	}
	base, rest := 0, ""
	switch {
	case strings.HasPrefix(name, "RTMIN"):
		base, rest = sigRTMin, strings.TrimPrefix(name, "RTMIN")
	case strings.HasPrefix(name, "RTMAX"):
		base, rest = sigRTMax, strings.TrimPrefix(name, "RTMAX")
	default:
		return 0
	}
	if rest == "" {
		return base
	}
	offset, err := strconv.Atoi(rest)
	if err != nil || (base == sigRTMin) != (rest[0] == '+') || (base == sigRTMax) != (rest[0] == '-') {
		return 0
	}
	if n := base + offset; n >= sigRTMin && n <= sigRTMax {
		return n
	}
	return 0
}

// signalName is what docker prints: SIGTERM, SIGRTMIN+3, SIGRTMAX-14.
func signalName(n int) string {
	switch {
	case n < len(signalNames):
		return "SIG" + signalNames[n]
	case n < sigRTMin: // 32 and 33 are the C library's own
		return strconv.Itoa(n)
	case n == sigRTMin:
		return "SIGRTMIN"
	case n <= sigRTMin+15:
		return "SIGRTMIN+" + strconv.Itoa(n-sigRTMin)
	case n == sigRTMax:
		return "SIGRTMAX"
	}
	return "SIGRTMAX-" + strconv.Itoa(sigRTMax-n)
}
