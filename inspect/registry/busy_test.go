package registry

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// A registry that is asked too often says so in words of its own, and the status stays.
func TestBusy(t *testing.T) {
	err := plainer(&transport.Error{StatusCode: http.StatusTooManyRequests})
	refusal, ok := errors.AsType[*transport.Error](err)
	if !ok || refusal.StatusCode != http.StatusTooManyRequests || !strings.Contains(err.Error(), "asked too often") {
		t.Errorf("%v", err)
	}
}
