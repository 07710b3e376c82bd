package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// A node is what runs the pods of a cluster here: pending ones are bound to it, started
// as processes, and reported on; those that are deleted are terminated, and killed after
// their grace period. It is no kubelet: it knows one container a pod, the volumes of
// [root.mount], and of a container's environment what names it.
type node struct {
	Name    string
	Images  map[string]image  // by their references
	Claims  map[string]string // a folder for each claim of a persistent volume
	Dir     string            // for roots, empty volumes and logs
	AtATime int               // pods

	client kubernetes.Interface
	pods   map[types.UID]*process
}

// An image is one that is there.
type image struct {
	Root       string // the folder of its files
	Entrypoint []string
}

// interval is how often a node looks at its pods.
const interval = 100 * time.Millisecond

// serve runs pods as the file of a node says, until it is told to stop.
func serve(ctx context.Context, client kubernetes.Interface, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	n := &node{client: client, pods: make(map[types.UID]*process)}
	if err := json.Unmarshal(text, n); err != nil {
		return fmt.Errorf("reading %s: %w", file, err)
	}
	for ctx.Err() == nil {
		if err := n.look(ctx); err != nil && ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "kubelet:", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(interval):
		}
	}
	for _, p := range n.pods {
		p.kill()
	}
	return nil
}

// look does what there is to do, once.
func (n *node) look(ctx context.Context) error {
	list, err := n.client.CoreV1().Pods(meta.NamespaceAll).List(ctx, meta.ListOptions{})
	if err != nil {
		return err
	}
	var failed []error
	for i := range list.Items {
		if err := n.attend(ctx, &list.Items[i]); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", list.Items[i].Name, err))
		}
	}
	return errors.Join(failed...)
}

func (n *node) attend(ctx context.Context, pod *core.Pod) error {
	p, deleted := n.pods[pod.UID], pod.DeletionTimestamp != nil
	switch {
	case p != nil && p.exited():
		if err := n.report(ctx, pod, p.end()); err != nil {
			return err
		}
		p.clean()
		delete(n.pods, pod.UID)
	case p != nil && deleted:
		p.terminate(pod.DeletionTimestamp.Time)
	case p == nil && deleted:
		return n.remove(ctx, pod)
	case p == nil && pod.Status.Phase == core.PodPending && len(n.pods) < n.AtATime:
		return n.start(ctx, pod)
	}
	return nil
}

// start binds a pod and starts its container. One that cannot be started is reported
// as failed, with the status that shells have for it.
func (n *node) start(ctx context.Context, pod *core.Pod) error {
	if pod.Spec.NodeName == "" {
		binding := &core.Binding{ObjectMeta: meta.ObjectMeta{Name: pod.Name, UID: pod.UID}, Target: core.ObjectReference{Kind: "Node", Name: n.Name}}
		if err := n.client.CoreV1().Pods(pod.Namespace).Bind(ctx, binding, meta.CreateOptions{}); err != nil {
			return err
		}
	}
	p, err := n.run(pod)
	if err != nil {
		fmt.Fprintf(os.Stderr, "kubelet: starting %s: %v\n", pod.Name, err)
		return n.report(ctx, pod, core.ContainerState{Terminated: &core.ContainerStateTerminated{ExitCode: 126, Reason: "StartError", Message: err.Error()}})
	}
	n.pods[pod.UID] = p
	return n.report(ctx, pod, core.ContainerState{Running: &core.ContainerStateRunning{StartedAt: meta.NewTime(p.began)}})
}

// report writes the state of a pod's container into its status.
func (n *node) report(ctx context.Context, pod *core.Pod, state core.ContainerState) error {
	c := pod.Spec.Containers[0]
	status := core.PodStatus{Phase: core.PodRunning, ContainerStatuses: []core.ContainerStatus{{
		Name: c.Name, Image: c.Image, ImageID: c.Image, Ready: state.Running != nil, State: state,
	}}}
	if p := n.pods[pod.UID]; p != nil {
		status.StartTime = &meta.Time{Time: p.began}
		status.ContainerStatuses[0].ContainerID = fmt.Sprintf("process://%d", p.cmd.Process.Pid)
	}
	if end := state.Terminated; end != nil {
		status.Phase = core.PodSucceeded
		if end.ExitCode != 0 {
			status.Phase = core.PodFailed
		}
	}
	patch, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		return err
	}
	_, err = n.client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, meta.PatchOptions{}, "status")
	return err
}

// remove takes away a pod that was deleted and runs no more.
func (n *node) remove(ctx context.Context, pod *core.Pod) error {
	if pod.DeletionGracePeriodSeconds != nil && *pod.DeletionGracePeriodSeconds == 0 {
		return nil // waits for whoever holds its finalizer
	}
	now := int64(0)
	return n.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, meta.DeleteOptions{GracePeriodSeconds: &now, Preconditions: &meta.Preconditions{UID: &pod.UID}})
}
