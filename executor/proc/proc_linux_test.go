package proc_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/runfile/runfile/executor/proc"
)

func TestAlive(t *testing.T) {
	self, err := proc.Of(os.Getpid())
	if err != nil || self.StartTime == 0 || self.BootID == "" {
		t.Fatalf("this process is %+v, %v", self, err)
	}
	earlier, reboot, none := self, self, self
	earlier.StartTime--
	reboot.BootID = "another boot"
	none.PID = 1 << 30
	for name, x := range map[string]struct {
		id   proc.ID
		want bool
	}{
		"this process":                  {self, true},
		"an earlier one of this number": {earlier, false},
		"one of an earlier boot":        {reboot, false},
		"never started":                 {proc.ID{}, false},
		"no such process":               {none, false},
	} {
		if got := x.id.Alive(); got != x.want {
			t.Errorf("%s: alive %v", name, got)
		}
	}
}

// A process that nobody has waited for yet has ended.
func TestZombieIsNotAlive(t *testing.T) {
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	id, err := proc.Of(cmd.Process.Pid)
	if err != nil || !id.Alive() {
		t.Errorf("the child is %+v, %v", id, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for id.Alive() {
	}
	if fields, err := proc.Stat(id.PID); err != nil || fields[0] != "Z" {
		t.Errorf("stat = %v, %v", fields, err)
	}
	if _, err := proc.Of(id.PID); err == nil {
		t.Error("a zombie can be identified")
	}
}
