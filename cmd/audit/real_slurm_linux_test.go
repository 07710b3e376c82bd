package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"audit/inspect/userfile"
)

// TestRealSlurm has Slurm audit a fleet as the file says that audit prints for it: an
// array of 8 tasks on two nodes, each of which is a slurmd in a PID namespace of its own,
// so that all of it can be killed at once. In the middle one node is killed and a task
// on the other is requeued. It needs root, and slurmctld, slurmd and munge.
func TestRealSlurm(t *testing.T) {
	if os.Getenv("AUDIT_TEST_REAL") != "slurm" {
		t.Skip("needs root, slurmctld, slurmd and munge: AUDIT_TEST_REAL=slurm says that they are there")
	}
	s := startSlurm(t)
	const shards, each = 8, fleetImages / 8
	s.run(t, fmt.Sprintf("cd share && audit batch --engine slurm --shards %d -o out images.txt >fleet.sh", shards))
	var holds []*hold
	for task := range 4 { // as many as there are processors: all run at once
		holds = append(holds, s.registry.hold(task*each+2))
	}
	s.job = s.run(t, "cd share && sh fleet.sh >&2 && squeue -h -r -o %F | sort -n | head -n 1")
	for task, h := range holds {
		eventually(t, fmt.Sprintf("task %d asks for its third image", task+1), h.isReached)
	}
	lost, requeued := s.split(t)
	s.kill(t, lost[0])
	s.run(t, fmt.Sprintf("scontrol requeue %s_%s", s.job, requeued))
	eventually(t, "the requeued task has stopped", func() bool { return s.state(t, requeued) == "PENDING" })
	s.registry.release()
	eventually(t, "the array and the summary end", func() bool {
		s.hurry(t)
		return s.run(t, "squeue -h -r -o %i") == ""
	})

	out := filepath.Join(s.share, "out")
	tries := s.whole(t, out, s.images)
	if want := triedTwice(3); fmt.Sprint(tries) != fmt.Sprint(want) { // two tasks on the node that was lost, and the requeued one
		t.Errorf("images were tried %v times, want %v", tries, want)
	}
	ended := s.ended(t)
	for task := range shards {
		if got := ended[fmt.Sprintf("%s_%d", s.job, task+1)]; got != "COMPLETED" {
			t.Errorf("task %d: %s", task+1, got)
		}
	}
	s.checkSummary(t, out)
	s.again(t, out)
	if !t.Failed() {
		fmt.Printf("real suite: slurm %d images in %d tasks, of which a lost node had %d and one was requeued, by %s\n",
			fleetImages, shards, len(lost)-1, s.run(t, "sinfo --version"))
	}
}

// checkSummary demands that the summary ran after the tasks.
func (l *fleetLab) checkSummary(t *testing.T, out string) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(out, "summary.html"))
	if err != nil || !strings.Contains(string(page), "lab/tool-39") {
		t.Errorf("the summary: %v\n%.1000s", err, page)
	}
}

// again runs two tasks again: both know what is there, and that they are two of 8.
func (s *slurm) again(t *testing.T, out string) {
	t.Helper()
	s.run(t, "cd share && sbatch --array=3,5 --output=again-%a.out fleet.sh")
	eventually(t, "two tasks end", func() bool { return s.run(t, "squeue -h -r -o %i") == "" })
	for _, task := range []string{"3", "5"} {
		text, err := userfile.Read(filepath.Join(s.share, "again-"+task+".out"), 1<<20)
		if err != nil || !strings.Contains(string(text), "5 images: 0 audited, 5 known, 0 unreadable, 0 not done") {
			t.Errorf("task %s again: %v\n%s", task, err, text)
		}
	}
	if tries := s.whole(t, out, s.images); fmt.Sprint(tries) != fmt.Sprint(triedTwice(3)) {
		t.Errorf("images were tried %v times", tries)
	}
}

// A slurm is a cluster of two nodes on this machine.
type slurm struct {
	*fleetLab
	job string // the array
}

func startSlurm(t *testing.T) *slurm {
	t.Helper()
	s := &slurm{fleetLab: newFleetLab(t)}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ = strings.Cut(host, ".")
	s.write(t, "slurm.conf", slurmConf(s.dir, host, ports(t, 4)))
	s.env = append(s.env, "SLURM_CONF="+s.dir+"/slurm.conf")
	s.run(t, "mkdir state log && (umask 077 && head -c 1024 /dev/urandom >munge.key)")
	s.daemon(t, "munged --foreground --force --key-file=$D/munge.key --socket=$D/munge.socket --pid-file=$D/munge.pid --log-file=$D/log/munge --seed-file=$D/munge.seed")
	s.run(t, "for n in $(seq 100); do [ -S munge.socket ] && exit 0; sleep 0.1; done; exit 1")
	s.daemon(t, "slurmctld -D -f $D/slurm.conf")
	for _, node := range []string{"n1", "n2"} {
		s.daemon(t, fmt.Sprintf("unshare --pid --fork --mount-proc --kill-child slurmd -D -N %s -f $D/slurm.conf", node))
		t.Cleanup(func() { s.try(killNode(node)) })
	}
	eventually(t, "two nodes are idle", func() bool {
		out, _, err := s.try("sinfo -h -o '%T %D'")
		return err == nil && strings.TrimSpace(out) == "idle 2"
	})
	return s
}

// ports are free ones, for the controller and each node.
func ports(t *testing.T, n int) []string {
	t.Helper()
	var all []string
	for range n {
		_, port, err := net.SplitHostPort(freeAddress(t))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, port)
	}
	return all
}

// slurmConf configures two nodes on one host, without accounting and without cgroups.
func slurmConf(dir, host string, ports []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `ClusterName=lab
SlurmctldHost=%[2]s(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=%[1]s/munge.socket
CryptoType=crypto/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
SlurmctldPidFile=%[1]s/slurmctld.pid
SlurmdPidFile=%[1]s/slurmd.%%n.pid
SlurmctldPort=%[3]s
SlurmdPort=%[4]s
StateSaveLocation=%[1]s/state
SlurmdSpoolDir=%[1]s/spool.%%n
SlurmctldLogFile=%[1]s/log/ctld
SlurmdLogFile=%[1]s/log/d.%%n
MpiDefault=none
SwitchType=switch/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=%[1]s/log/jobcomp
JobRequeue=1
SlurmdTimeout=20
KillWait=30
PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
`, dir, host, ports[0], ports[1])
	for i := range 2 {
		fmt.Fprintf(&b, "NodeName=n%d NodeHostname=%s NodeAddr=127.0.0.1 Port=%s CPUs=2 RealMemory=4000 State=UNKNOWN\n", i+1, host, ports[2+i])
	}
	return b.String()
}

// split chooses a node, returned with the tasks on it, and a task on the other.
func (s *slurm) split(t *testing.T) (lost []string, requeued string) {
	t.Helper()
	lost = []string{"n1"}
	for _, line := range strings.Split(s.run(t, "squeue -h -r -t R -o '%K %N'"), "\n") {
		task, node, _ := strings.Cut(line, " ")
		if node == lost[0] {
			lost = append(lost, task)
		} else {
			requeued = task
		}
	}
	if len(lost) != 3 || requeued == "" {
		t.Fatalf("on n1 and running: %v, elsewhere: %v", lost, requeued)
	}
	return lost, requeued
}

// kill ends a node and all that runs on it, as a power failure does.
func (s *slurm) kill(t *testing.T, node string) {
	t.Helper()
	s.run(t, killNode(node))
}

func killNode(node string) string {
	return fmt.Sprintf(`kill -KILL $(pgrep -f -- "^slurmd -D -N %s -f $D/slurm.conf")`, node)
}

func (s *slurm) state(t *testing.T, task string) string {
	t.Helper()
	return s.run(t, fmt.Sprintf("squeue -h -o %%T -j %s_%s", s.job, task))
}

// hurry starts those tasks now that Slurm lets wait for two minutes after a requeue.
func (s *slurm) hurry(t *testing.T) {
	t.Helper()
	s.try(`squeue -h -r -t PD -o '%F_%K %r' | sed -n 's/ BeginTime$//p' | while read -r task; do scontrol update JobId="$task" StartTime=now; done`)
}

// ended are the states in which tasks ended, the last of each.
func (s *slurm) ended(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "log/jobcomp"))
	if err != nil {
		t.Fatal(err)
	}
	states := make(map[string]string)
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		values := make(map[string]string)
		for _, word := range strings.Fields(line) {
			key, value, _ := strings.Cut(word, "=")
			values[key] = value
		}
		states[values["ArrayJobId"]+"_"+values["ArrayTaskId"]] = values["JobState"]
	}
	return states
}
