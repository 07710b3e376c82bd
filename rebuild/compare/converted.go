package compare

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// converted says whether a field of the config differs as it does after a copy
// to another format, or after layers were joined: no engine acts on it.
//
// A converter (containers/image, manifest/docker_schema2.go) decodes the config
// by the OCI image-spec v1.1 and leaves out the empty values and the fields that
// only Docker has. A field that an engine does act on, such as Healthcheck, is
// never one of these unless it is empty.
func (w *walk) converted(f *FieldDifference) bool {
	switch {
	case isEmptyField(f.Was, f.Field) && isEmptyField(f.Now, f.Field):
		return true
	case strings.HasPrefix(f.Field, "history"):
		return len(w.a.img.Layers) != len(w.b.img.Layers)
	}
	return (isEmpty(f.Was) || isEmpty(f.Now)) && isV1Field(f.Field)
}

// structField is a field with a fixed name, whose empty value means what its
// absence means. The keys of Labels, Volumes and ExposedPorts are none, nor are
// the elements of lists.
var structField = regexp.MustCompile(`^([A-Za-z_]+|(config|container_config)\.[A-Za-z]+|config\.Healthcheck\.[A-Za-z]+|history\[[0-9]+\]\.[a-z_]+)$`)

// isEmptyField says whether a field of the config is absent or empty. The
// config itself is empty when all of its fields are.
func isEmptyField(text, field string) bool {
	if !structField.MatchString(field) {
		return false
	}
	var members map[string]json.RawMessage
	if field != "config" && field != "container_config" || json.Unmarshal([]byte(text), &members) != nil {
		return isEmpty(text)
	}
	for _, value := range members {
		if !isEmpty(string(value)) {
			return false
		}
	}
	return true
}

// isEmpty says whether a JSON text is the zero value of what it decodes to.
func isEmpty(text string) bool {
	return slices.Contains([]string{"", "null", `""`, "false", "0", "[]", "{}"}, text)
}

var (
	// v1Fields are those of the image store of Docker, of its classic builder
	// and of BuildKit (moby image/image.go, V1Image; BuildKit exptypes).
	v1Fields = regexp.MustCompile(`^(id|parent|parent_id|layer_id|container|docker_version|comment|throwaway|Size|size)$|` +
		`^container_config(\.|$)|^(\[")?moby\.buildkit\.`)
	// runFields are those of "docker run" that no engine takes from an image
	// (moby daemon/commit.go, merge).
	runFields = regexp.MustCompile(`^config\.(Hostname|Domainname|AttachStdin|AttachStdout|AttachStderr|Tty|OpenStdin|StdinOnce|MacAddress|Image)$`)
)

func isV1Field(field string) bool {
	return v1Fields.MatchString(field) || runFields.MatchString(field)
}

// obeyedConfig leaves out what no engine takes from an image, and a health
// check that is none.
func obeyedConfig(c v1.Config) v1.Config {
	c.Image, c.Hostname, c.Domainname, c.MacAddress = "", "", "", ""
	c.AttachStdin, c.AttachStdout, c.AttachStderr = false, false, false
	c.Tty, c.OpenStdin, c.StdinOnce = false, false, false
	if c.WorkingDir == "/" {
		c.WorkingDir = ""
	}
	if h := c.Healthcheck; h != nil && len(h.Test) == 0 && h.Interval == 0 && h.Timeout == 0 && h.StartPeriod == 0 && h.Retries == 0 {
		c.Healthcheck = nil
	}
	return c
}
