package docker

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestNormalise: what two containers cannot share is gone, what they must share stays.
func TestNormalise(t *testing.T) {
	in := strings.Join([]string{
		"status CapEff:\t00000000a80425fb",
		"mount 812 700 0:55 / / rw,relatime master:31 - overlay overlay rw,lowerdir=/a:/b,upperdir=/c",
		"mount 820 812 254:0 /var/lib/x/hosts /etc/hosts rw,relatime - ext4 /dev/vda rw",
		"mount 821 812 0:60 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k,mode=755",
		"proc /proc/self/cgroup:4:memory:/docker/0123456789ab",
		"env HOSTNAME=0123456789ab",
		"addr eth0 inet 172.17.0.2/16 brd 172.17.255.255 scope global eth0",
		"ns net net:[1]",
	}, "\n") + "\n"
	want := []string{
		"addr eth0 inet ADDRESS brd ADDRESS scope global eth0",
		"env HOSTNAME=ID",
		"mount / overlay relatime,rw of / rw master:N",
		"mount /dev tmpfs nosuid,rw of / mode=755,rw,size=65536k",
		"mount /etc/hosts bind relatime,rw of ...",
		"ns net host",
		"proc /proc/self/cgroup:4:memory:/GROUP",
		"status CapEff: 00000000a80425fb",
	}
	if got := normalise(in, "net:[1]"); !slices.Equal(got, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestMissing(t *testing.T) {
	got := missing([]string{"a", "b", "b", "c"}, []string{"b", "c", "d"})
	if want := []string{"a", "b"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestExplains(t *testing.T) {
	e := &entry{sign: "+", cases: regexp.MustCompile("-u "), fact: regexp.MustCompile("^(?:device .*)$")}
	list := &differences{entries: []*entry{e}}
	for _, c := range []struct {
		sign, options, fact string
		want                bool
	}{
		{"-", "runc -u alice", "device /dev/null", false},
		{"+", "runc --init", "device /dev/null", false},
		{"+", "runc -u alice", "mount device /dev/null", false},
		{"+", "runc -u alice", "device /dev/null", true},
	} {
		if got := list.explains(c.sign, c.options, c.fact); got != c.want {
			t.Errorf("%s [%s] %s: %t", c.sign, c.options, c.fact, got)
		}
	}
	if !e.used {
		t.Error("an entry that explained something counts as unused")
	}
}

// TestLists: the lists of cases and differences can be read.
func TestLists(t *testing.T) {
	if n := len(readCases(t, "testdata/cases.txt")); n < 50 {
		t.Errorf("%d cases", n)
	}
	if n := len(readDifferences(t, "testdata/differences.txt").entries); n < 10 {
		t.Errorf("%d differences", n)
	}
}
