//go:build unix

package rebuild

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// ownGroup makes a command the leader of a process group of its own.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// stopGroup asks a process and all that it has started to stop.
func stopGroup(leader *os.Process) error { return syscall.Kill(-leader.Pid, syscall.SIGTERM) }

// endGroup ends what is left of a process group whose leader has ended. The
// members of a cancelled one got SIGTERM and have until then to do it;
// other children have no business to outlive their parent.
func endGroup(group int, until time.Time) {
	for time.Now().Before(until) {
		if errors.Is(syscall.Kill(-group, 0), syscall.ESRCH) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	_ = syscall.Kill(-group, syscall.SIGKILL) // ESRCH: none is left, as it should be
}
