package conformance

import "testing"

// TestHonoured: what the page says of an option follows from how its scripts ended.
func TestHonoured(t *testing.T) {
	const because = "no swap on this host"
	for name, c := range map[string]struct {
		notYet string
		ended  map[string]string // script, outcome; "" = it was not run
		want   string
	}{
		"all pass":                    {ended: map[string]string{"proof": pass, "toml": pass, "error": pass}, want: "proved"},
		"an error script fails":       {ended: map[string]string{"proof": pass, "toml": pass, "error": fail}, want: "proved"},
		"a proof fails":               {ended: map[string]string{"proof": pass, "proof-oom": fail, "toml": pass}, want: "FAILS"},
		"the twin fails":              {ended: map[string]string{"proof": pass, "toml": fail}, want: "FAILS"},
		"nothing can be shown":        {ended: map[string]string{"proof": unpro, "toml": unpro}, want: "no: " + because},
		"one of two cannot be shown":  {ended: map[string]string{"proof": pass, "proof-swap": unpro, "toml": pass}, want: "proved, except: " + because},
		"the twin alone is no proof":  {ended: map[string]string{"proof": unpro, "toml": pass}, want: "no: " + because},
		"a script was not run":        {ended: map[string]string{"proof": pass, "toml": ""}, want: "not run"},
		"no script but errors":        {ended: map[string]string{"error": pass}, want: "not run"},
		"refused":                     {notYet: "not built", ended: map[string]string{"refused": pass, "error": pass}, want: "not yet"},
		"refused with scripts to run": {notYet: "not built", ended: map[string]string{"proof": ""}, want: "not yet"},
	} {
		t.Run(name, func(t *testing.T) {
			o := option{Name: "x", NotYet: c.notYet}
			m := &matrix{}
			m.results[1] = make(map[[2]string]result)
			for _, script := range []string{"error", "proof", "proof-oom", "proof-swap", "refused", "toml"} {
				outcome, there := c.ended[script]
				if !there {
					continue
				}
				o.scripts = append(o.scripts, script)
				if outcome == "" {
					continue
				}
				r := result{Subject: "x", Script: script, Outcome: outcome}
				if outcome == unpro {
					r.Reason = because
				}
				m.results[1][[2]string{"x", script}] = r
			}
			if got := m.honoured(o, 1); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
