package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func schema(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("report.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// compiled is the schema as a validator sees it.
func compiled(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema(t)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("report.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("report.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func asJSON(t testing.TB, r *Report) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := WriteJSON(&buf, r); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func validate(t testing.TB, s *jsonschema.Schema, doc []byte) error {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

func TestReportsAreValid(t *testing.T) {
	s := compiled(t)
	for name, in := range inputs(t) {
		if err := validate(t, s, asJSON(t, New(in))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	least := Input{Image: opened(t, "tiny.tar.gz")}
	if err := validate(t, s, asJSON(t, New(least))); err != nil {
		t.Errorf("a report of an image alone: %v", err)
	}
}

func TestSchemaIsStrict(t *testing.T) {
	s := compiled(t)
	good := asJSON(t, New(hostileInput(t)))
	for name, edit := range map[string]func(map[string]any){
		"an unknown key":           func(r map[string]any) { r["more"] = 1 },
		"an unknown key deep down": func(r map[string]any) { r["image"].(map[string]any)["x"] = "" },
		"a missing key":            func(r map[string]any) { delete(r, "comparison") },
		"six checks":               func(r map[string]any) { r["checks"] = r["checks"].([]any)[:6] },
		"checks in another order":  func(r map[string]any) { slices.Reverse(r["checks"].([]any)) },
		"a null list":              func(r map[string]any) { r["storeItems"] = nil },
		"no reason of a check":     func(r map[string]any) { r["checks"].([]any)[0].(map[string]any)["summary"] = []any{} },
		"a short digest":           func(r map[string]any) { r["image"].(map[string]any)["configDigest"] = "sha256:00" },
		"a broken escape":          func(r map[string]any) { r["image"].(map[string]any)["reference"] = `bytes:\n` },
		"an invented verdict":      func(r map[string]any) { r["verdict"] = "fine" },
		"another version":          func(r map[string]any) { r["schemaVersion"] = "3" },
	} {
		var doc map[string]any
		if err := json.Unmarshal(good, &doc); err != nil {
			t.Fatal(err)
		}
		edit(doc)
		bad, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		if validate(t, s, bad) == nil {
			t.Errorf("%s is valid", name)
		}
	}
}

// TestSchemaAndStructsAgree walks both: the same keys, all of them required,
// nothing beside them, and lists where the structs have lists.
func TestSchemaAndStructsAgree(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(schema(t), &root); err != nil {
		t.Fatal(err)
	}
	defs := root["$defs"].(map[string]any)
	used := map[string]bool{}
	walkSchema(t, root, defs, used, reflect.TypeFor[Report](), "report")
	for name := range defs {
		if !used[name] && !slices.Contains([]string{"text", "digest", "claimed", "size", "layerIndex", "compression", "checkID", "cause", "knownName", "code", "arguments"}, name) {
			t.Errorf("the schema defines %s, which no struct has", name)
		}
	}
}

func walkSchema(t *testing.T, node, defs map[string]any, used map[string]bool, typ reflect.Type, at string) {
	node = resolve(node, defs, used)
	switch {
	case typ.Kind() == reflect.Pointer:
		walkSchema(t, node["oneOf"].([]any)[1].(map[string]any), defs, used, typ.Elem(), at)
	case typ == reflect.TypeFor[time.Time]():
		if node["format"] != "date-time" {
			t.Errorf("%s is a time, the schema says %v", at, node)
		}
	case typ.Kind() == reflect.Slice:
		items, ok := node["items"].(map[string]any)
		if !ok { // the checks: each has its place
			items = node["prefixItems"].([]any)[0].(map[string]any)["allOf"].([]any)[0].(map[string]any)
		}
		walkSchema(t, items, defs, used, typ.Elem(), at+"[]")
	case typ.Kind() == reflect.Map:
		if node["type"] != "object" || node["additionalProperties"] == nil {
			t.Errorf("%s is a map, the schema says %v", at, node)
		}
	case typ.Kind() == reflect.Struct:
		props := node["properties"].(map[string]any)
		keys := jsonKeys(typ)
		if got := slices.Sorted(maps.Keys(props)); !slices.Equal(got, slices.Sorted(maps.Keys(keys))) {
			t.Errorf("%s has the keys %v, the schema %v", at, slices.Sorted(maps.Keys(keys)), got)
			return
		}
		if len(node["required"].([]any)) != len(props) || node["additionalProperties"] != false {
			t.Errorf("%s: the schema does not demand every key and no other", at)
		}
		for key, field := range keys {
			walkSchema(t, props[key].(map[string]any), defs, used, field, at+"."+key)
		}
	default:
		checkScalar(t, node, typ, at)
	}
}

func checkScalar(t *testing.T, node map[string]any, typ reflect.Type, at string) {
	want := map[reflect.Kind]string{reflect.Bool: "boolean", reflect.Int: "integer", reflect.Int64: "integer", reflect.Float64: "number", reflect.String: "string"}[typ.Kind()]
	if _, isText := reflect.Zero(typ).Interface().(interface{ MarshalText() ([]byte, error) }); isText {
		want = "string"
	}
	got := node["type"]
	if got == nil && (node["enum"] != nil || node["const"] != nil) {
		got = "string"
	}
	if fmt.Sprint(got) != want {
		t.Errorf("%s is %s, the schema says %v", at, want, got)
	}
}

func resolve(node, defs map[string]any, used map[string]bool) map[string]any {
	for {
		ref, ok := node["$ref"].(string)
		if !ok {
			return node
		}
		name := strings.TrimPrefix(ref, "#/$defs/")
		used[name] = true
		node = defs[name].(map[string]any)
	}
}

func jsonKeys(typ reflect.Type) map[string]reflect.Type {
	keys := map[string]reflect.Type{}
	for i := range typ.NumField() {
		f := typ.Field(i)
		if f.IsExported() {
			keys[f.Tag.Get("json")] = f.Type
		}
	}
	return keys
}

// TestDesignedKeys pins the keys that other programs were promised.
func TestDesignedKeys(t *testing.T) {
	var doc map[string]any
	if err := json.Unmarshal(asJSON(t, New(unreproducibleInput(t, 1))), &doc); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"schemaVersion", "tool", "image.reference", "image.transport", "image.configDigest", "image.manifestDigest.origin",
		"image.platform", "image.platforms", "image.archiveDigest", "image.created", "image.layers.0.index", "image.layers.0.mediaType", "image.layers.0.compression",
		"image.layers.0.digest", "image.layers.0.diffID", "image.layers.0.size", "image.layers.0.uncompressedSize",
		"image.layers.0.entries", "image.layers.0.storeItems", "recipe.system", "recipe.status", "recipe.packer",
		"recipe.channels.0.name", "recipe.channels.0.url", "recipe.channels.0.branch", "recipe.channels.0.commit",
		"recipe.channels.0.introduction.commit", "recipe.channels.0.introduction.fingerprint",
		"recipe.packages.0.name", "recipe.packages.0.version", "recipe.packages.0.output", "recipe.packages.0.path",
		"recipe.packages.0.channel", "recipe.evidence.0.layer", "recipe.evidence.0.path", "recipe.evidence.0.digest",
		"recipe.missing.0.code", "storeItems.0.path", "storeItems.0.layer", "storeItems.0.narHash", "storeItems.0.narSize",
		"storeItems.0.references", "checks.6.id", "checks.6.status", "checks.6.summary.0.code", "checks.6.findings.0.code", "checks.6.findings.0.arguments",
		"coverage.total", "rebuild.builder", "rebuild.command.0", "rebuild.status", "rebuild.log", "rebuild.items.built.0",
		"rebuild.items.reused.0", "rebuild.items.substituted.0", "comparison.config.0.field", "comparison.config.0.was",
		"comparison.config.0.now", "comparison.layers.0.index", "comparison.layers.0.original",
		"comparison.layers.0.rebuilt", "comparison.layers.0.equal", "comparison.differences.0.path",
		"comparison.differences.0.layer", "comparison.differences.0.cause", "comparison.differences.0.was",
		"comparison.differences.0.now", "comparison.differences.0.evidence.0.code", "comparison.result", "rebuild.basis.items.0.from", "verdict", "run.date", "run.host",
		"run.durations.0", "run.tools.0",
	} {
		if !has(doc, strings.Split(path, ".")) {
			t.Errorf("the report has no %s", path)
		}
	}
}

func has(v any, path []string) bool {
	if len(path) == 0 {
		return true
	}
	switch v := v.(type) {
	case map[string]any:
		child, ok := v[path[0]]
		return ok && has(child, path[1:])
	case []any:
		var i int
		_, err := fmt.Sscan(path[0], &i)
		return err == nil && i < len(v) && has(v[i], path[1:])
	}
	return false
}
