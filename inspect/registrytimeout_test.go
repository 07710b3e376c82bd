package inspect

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"audit/fixtures"
	"audit/inspect/limit"
)

// silent is a registry that takes connections and says no word.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var open []net.Conn
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			open = append(open, c)
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
		for _, c := range open {
			c.Close()
		}
	})
	return "docker://" + l.Addr().String() + "/a/b:1"
}

// A registry that does not answer ends at the limit, or at the deadline that the
// caller has.
func TestSilentRegistry(t *testing.T) {
	limits := limit.DefaultLimits()
	limits.Idle = 50 * time.Millisecond
	_, err := Open(t.Context(), silent(t), Options{Stores: fixtures.Stores(), Limits: &limits})
	var over *LimitError
	if !errors.As(err, &over) || over.Name != "seconds without an answer" {
		t.Errorf("a registry that says nothing: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Open(ctx, silent(t), Options{Stores: fixtures.Stores()}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a deadline: %v", err)
	}
}

// So does one that stops in the midst of a layer.
func TestRegistryThatStops(t *testing.T) {
	layer := string(tarOf(t, regular("a", strings.Repeat("x", 1<<20))))
	config := configOf(t, layer)
	m := manifestOf(t, config, layer)
	release := make(chan struct{})
	defer close(release)
	reference := serve(t, layoutOf(indexOf(t, descriptorOf(manifestType, m)), m, config, layer), func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
		if !strings.HasSuffix(r.URL.Path, digestOf(layer)) || r.Method != http.MethodGet {
			honest.ServeHTTP(w, r)
			return
		}
		w.Write([]byte(layer[:1000]))
		w.(http.Flusher).Flush()
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	limits := limit.DefaultLimits()
	limits.Idle = 100 * time.Millisecond
	_, err := Open(t.Context(), "docker://"+reference+"/lab/image:1", Options{Stores: fixtures.Stores(), Limits: &limits})
	var over *LimitError
	if !errors.As(err, &over) || over.Name != "seconds without an answer" {
		t.Errorf("a registry that stops: %v", err)
	}
}
