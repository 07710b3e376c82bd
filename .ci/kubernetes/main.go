// Kubernetes is a control plane of Kubernetes for tests of jobs, in one program: its
// own API server, its own job controller, and a stand-in for the kubelets that runs
// pods as processes of this machine.
//
//	kubernetes apiserver FLAG...                 as kube-apiserver takes them
//	kubernetes job-controller SERVER TOKEN       until it is terminated
//	kubernetes kubelet SERVER TOKEN NODE.json    see kubelet.go; as root, in a mount namespace of its own
//
// SERVER is the address of the API server, TOKEN a bearer token for it. It is a
// module of its own, since audit needs nothing of it; .ci/kubernetes/build builds it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
	"k8s.io/kubernetes/pkg/controller/job"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "apiserver" {
		os.Args = append([]string{"kube-apiserver"}, os.Args[2:]...)
		os.Exit(cli.Run(app.NewAPIServerCommand()))
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "kubernetes:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) < 3 {
		return fmt.Errorf("%d arguments; see the top of main.go", len(args))
	}
	client, err := kubernetes.NewForConfig(&rest.Config{
		Host: args[1], BearerToken: args[2], TLSClientConfig: rest.TLSClientConfig{Insecure: true}, QPS: 100, Burst: 200,
	})
	if err != nil {
		return err
	}
	switch {
	case args[0] == "job-controller" && len(args) == 3:
		return control(ctx, client)
	case args[0] == "kubelet" && len(args) == 4:
		return serve(ctx, client, args[3])
	}
	return fmt.Errorf("%q is no part of this program; see the top of main.go", args)
}

// control runs the job controller, as kube-controller-manager starts it.
func control(ctx context.Context, client kubernetes.Interface) error {
	factory := informers.NewSharedInformerFactory(client, time.Hour)
	controller, err := job.NewController(ctx, factory.Core().V1().Pods(), factory.Batch().V1().Jobs(), client)
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	controller.Run(ctx, 5)
	return nil
}
