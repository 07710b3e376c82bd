package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubernetes/third_party/forked/golang/expansion"
)

// A process is the container of a pod.
type process struct {
	cmd    *exec.Cmd
	began  time.Time
	done   chan struct{} // closed when it has ended
	mounts []string      // to be unmounted, the last first
	asked  bool          // to end
}

// run mounts what a pod's container sees and starts its program there, as the user and
// with the root file system that the pod asks for.
func (n *node) run(pod *core.Pod) (*process, error) {
	c := pod.Spec.Containers[0]
	env := environment(pod, c)
	img, ok := n.Images[c.Image]
	if !ok {
		return nil, fmt.Errorf("there is no image %s", c.Image)
	}
	program := c.Command
	if len(program) == 0 {
		program = img.Entrypoint
	}
	words := expand(slices.Concat(program, c.Args), env)
	p := &process{done: make(chan struct{})}
	root, err := n.mount(p, pod, img)
	if err != nil {
		p.clean()
		return nil, err
	}
	log, err := os.Create(filepath.Join(n.Dir, pod.Name+".log"))
	if err != nil {
		p.clean()
		return nil, err
	}
	defer log.Close()
	p.cmd = &exec.Cmd{Path: words[0], Args: words, Dir: filepath.Join("/", c.WorkingDir), Stdout: log, Stderr: log, SysProcAttr: &syscall.SysProcAttr{
		Chroot: root, Setsid: true, Credential: credential(pod),
	}}
	for name, value := range env {
		p.cmd.Env = append(p.cmd.Env, name+"="+value)
	}
	p.began = time.Now()
	if err := p.cmd.Start(); err != nil {
		p.clean()
		return nil, err
	}
	go func() {
		p.cmd.Wait() //nolint:errcheck // end reads the state
		close(p.done)
	}()
	return p, nil
}

// mount lays out the root file system of a container below the folder of the node: its
// image, volumes, /dev and /proc.
func (n *node) mount(p *process, pod *core.Pod, img image) (root string, err error) {
	c := pod.Spec.Containers[0]
	at := filepath.Join(n.Dir, string(pod.UID))
	root = filepath.Join(at, "root")
	if err := p.bind(img.Root, root); err != nil {
		return "", err
	}
	for _, m := range c.VolumeMounts {
		source, err := n.volume(pod, m.Name, filepath.Join(at, m.Name))
		if err != nil {
			return "", err
		}
		target := filepath.Join(root, m.MountPath)
		if err := p.bind(filepath.Join(source, m.SubPath), target); err != nil {
			return "", err
		}
		if m.ReadOnly {
			err = readOnly(target)
		}
		if err != nil {
			return "", err
		}
	}
	for _, system := range []string{"/dev", "/proc"} {
		if err := p.bind(system, filepath.Join(root, system)); err != nil {
			return "", err
		}
	}
	if s := c.SecurityContext; s != nil && s.ReadOnlyRootFilesystem != nil && *s.ReadOnlyRootFilesystem {
		return root, readOnly(root)
	}
	return root, nil
}

// volume returns the folder of a volume; the pod's group may write into it.
func (n *node) volume(pod *core.Pod, name, empty string) (string, error) {
	i := slices.IndexFunc(pod.Spec.Volumes, func(v core.Volume) bool { return v.Name == name })
	if i < 0 {
		return "", fmt.Errorf("there is no volume %s", name)
	}
	folder := empty
	if claim := pod.Spec.Volumes[i].PersistentVolumeClaim; claim != nil {
		var ok bool
		if folder, ok = n.Claims[claim.ClaimName]; !ok {
			return "", fmt.Errorf("there is no claim %s", claim.ClaimName)
		}
	} else if pod.Spec.Volumes[i].EmptyDir == nil {
		return "", fmt.Errorf("volume %s is of a kind that is unknown here", name)
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return "", err
	}
	if s := pod.Spec.SecurityContext; s != nil && s.FSGroup != nil {
		if err := os.Chown(folder, -1, int(*s.FSGroup)); err != nil {
			return "", err
		}
		return folder, os.Chmod(folder, 0o775|os.ModeSetgid)
	}
	return folder, nil
}

// bind mounts a folder at another, which is made.
func (p *process) bind(source, target string) error {
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(source, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("mounting %s at %s: %w", source, target, err)
	}
	p.mounts = append(p.mounts, target)
	return nil
}

func readOnly(target string) error {
	if err := unix.Mount("", target, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""); err != nil {
		return fmt.Errorf("making %s read-only: %w", target, err)
	}
	return nil
}

// clean unmounts what was mounted for a process.
func (p *process) clean() {
	for _, target := range slices.Backward(p.mounts) {
		unix.Unmount(target, unix.MNT_DETACH) //nolint:errcheck // the namespace takes the rest with it
	}
	p.mounts = nil
}

// environment is what the container's environment says, by name.
func environment(pod *core.Pod, c core.Container) map[string]string {
	env := map[string]string{"PATH": "/usr/local/bin:/usr/bin:/bin", "HOSTNAME": pod.Name}
	for _, e := range c.Env {
		env[e.Name] = e.Value
		if e.ValueFrom != nil && e.ValueFrom.FieldRef != nil {
			env[e.Name] = field(pod, e.ValueFrom.FieldRef.FieldPath)
		}
	}
	return env
}

// field is a field of a pod that an environment may name.
func field(pod *core.Pod, path string) string {
	for prefix, values := range map[string]map[string]string{"metadata.annotations['": pod.Annotations, "metadata.labels['": pod.Labels} {
		if key, ok := strings.CutPrefix(path, prefix); ok {
			return values[strings.TrimSuffix(key, "']")]
		}
	}
	return ""
}

// expand replaces $(NAME) in words, as the kubelet does.
func expand(words []string, env map[string]string) []string {
	mapping := expansion.MappingFuncFor(env)
	expanded := make([]string, len(words))
	for i, w := range words {
		expanded[i] = expansion.Expand(w, mapping)
	}
	return expanded
}

// credential is the user that a pod's container runs as; nil for root.
func credential(pod *core.Pod) *syscall.Credential {
	s := pod.Spec.SecurityContext
	if s == nil || s.RunAsUser == nil {
		return nil
	}
	who := &syscall.Credential{Uid: uint32(*s.RunAsUser)}
	if s.RunAsGroup != nil {
		who.Gid = uint32(*s.RunAsGroup)
	}
	if s.FSGroup != nil {
		who.Groups = []uint32{uint32(*s.FSGroup)}
	}
	return who
}

func (p *process) exited() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// end is how a process that has exited ended; one that a signal ended has the status
// that shells have for it.
func (p *process) end() core.ContainerState {
	status, _ := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	code := status.ExitStatus()
	if status.Signaled() {
		code = 128 + int(status.Signal())
	}
	return core.ContainerState{Terminated: &core.ContainerStateTerminated{
		ExitCode: int32(code), StartedAt: meta.NewTime(p.began), FinishedAt: meta.Now(),
	}}
}

// terminate asks a process to end, and makes it end at a deadline.
func (p *process) terminate(deadline time.Time) {
	switch {
	case time.Now().After(deadline):
		p.kill()
	case !p.asked:
		p.asked = true
		p.signal(syscall.SIGTERM)
	}
}

func (p *process) kill() { p.signal(syscall.SIGKILL) }

func (p *process) signal(s syscall.Signal) {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		fmt.Fprintln(os.Stderr, "kubelet:", err)
	}
}
