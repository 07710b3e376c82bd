package sbom

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The official schemas are not part of this project: they are looked for in
// the folder that $AUDIT_TEST_SCHEMAS names, then beside the checkout.
func schemaFile(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range []string{os.Getenv("AUDIT_TEST_SCHEMAS"), "../../shared/schemas"} {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); dir != "" && err == nil {
			return path
		}
	}
	const why = "the official JSON schemas are not here: name their folder with AUDIT_TEST_SCHEMAS"
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
	return ""
}

// schema compiles a schema and those that it refers to, by their addresses.
func schema(t *testing.T, root string, files map[string]string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for address, name := range files {
		f, err := os.Open(schemaFile(t, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		doc, err := jsonschema.UnmarshalJSON(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource(address, doc); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Compile(root)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, document []byte) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(doc); err != nil {
		t.Errorf("%v", err)
	}
}

func TestSchemas(t *testing.T) {
	const (
		spdxURL = "http://spdx.org/rdf/terms/2.3"
		cdxURL  = "http://cyclonedx.org/schema/"
	)
	spdxSchema := schema(t, spdxURL, map[string]string{spdxURL: "spdx-2.3-schema.json"})
	cdxSchema := schema(t, cdxURL+"bom-1.6.schema.json", map[string]string{
		cdxURL + "bom-1.6.schema.json":  "cyclonedx-bom-1.6.schema.json",
		cdxURL + "spdx.schema.json":     "cyclonedx-spdx.schema.json",
		cdxURL + "jsf-0.82.schema.json": "cyclonedx-jsf-0.82.schema.json",
	})
	for name, b := range bills(t) {
		t.Run(name, func(t *testing.T) {
			validate(t, spdxSchema, writeSPDX(t, b))
			validate(t, cdxSchema, writeCycloneDX(t, b))
		})
	}
}
