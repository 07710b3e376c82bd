package compare

import (
	"strings"
	"testing"

	"audit/inspect"
)

// TestCreation holds that only a time is excused, and only where one belongs.
func TestCreation(t *testing.T) {
	w := newWalk(&inspect.Image{}, &inspect.Image{})
	const year = `"2024-01-01T00:00:00Z"`
	for _, tc := range []struct {
		field    string
		was, now string
		want     Cause
	}{
		{"created", year, `"1970-01-01T00:00:01Z"`, Timestamp},
		{"created", year, "", Timestamp},
		{"created", "null", year, Timestamp},
		{"created", year, `"evil"`, Content},
		{"created", year, `["x"]`, Content},
		{"history[12].created", year, "", Timestamp},
		{"history[1].created_by", year, `"1970-01-01T00:00:01Z"`, Content},
		{"history[x].created", year, `"1970-01-01T00:00:01Z"`, Content},
		{"config.created", year, "", Missing},
		{"rootfs.diff_ids[0]x", year, "1", Content},
	} {
		f := FieldDifference{Field: tc.field, Was: tc.was, Now: tc.now}
		if got := w.configCause(&f); got != tc.want {
			t.Errorf("%s %s → %s: %s, want %s", tc.field, tc.was, tc.now, got, tc.want)
		}
	}
}

// TestConfigCauses compares images that differ by their configs only.
func TestConfigCauses(t *testing.T) {
	l := layer(t, f("a", "1"))
	plain := config(`"Env":["PATH=/bin"]`, l)
	other := strings.Repeat("0", 64)
	id := strings.Split(strings.Split(plain, "sha256:")[1], `"`)[0]
	for _, tc := range []struct {
		name, was, now string
		want           string
		equivalent     bool
	}{
		{"LD_PRELOAD", plain, strings.Replace(plain, `"PATH=/bin"`, `"LD_PRELOAD=/evil.so","PATH=/bin"`, 1), `config config.Env[0] extra:  → "LD_PRELOAD=/evil.so"`, false},
		{"a label with the date", strings.Replace(plain, `"config":{`, `"config":{"Labels":{"at":"2024-01-02"},`, 1), strings.Replace(plain, `"config":{`, `"config":{"Labels":{"at":"2025-01-02"},`, 1), `config config.Labels.at embedded-date: "2024-01-02" → "2025-01-02"`, false},
		{"a label with the date and more", strings.Replace(plain, `"config":{`, `"config":{"Labels":{"at":"2024-01-02 1"},`, 1), strings.Replace(plain, `"config":{`, `"config":{"Labels":{"at":"2025-01-02 2"},`, 1), `config config.Labels.at content: "2024-01-02 1" → "2025-01-02 2"`, false},
		{"the order of variables", plain, strings.Replace(plain, `"PATH=/bin"`, `"A=1","PATH=/bin"`, 1), `config config.Env[0] extra:  → "A=1"`, false},
		{"a field less", plain, strings.Replace(plain, `"os":"linux",`, "", 1), `config os missing: "linux" → `, false},
		{"entry point", plain, strings.Replace(plain, `"config":{`, `"config":{"Entrypoint":["/x"],`, 1), `config config.Entrypoint extra:  → ["/x"]`, false},
		{"created", `{"created":"1970-01-01T00:00:01Z",` + plain[1:], `{"created":"2024-01-01T00:00:00+00:00",` + plain[1:], `config created timestamp: "1970-01-01T00:00:01Z" → "2024-01-01T00:00:00+00:00"`, true},
		{"history", `{"history":[{"created":"1970-01-01T00:00:01Z"}],` + plain[1:], `{"history":[{"created":"1970-01-01T00:00:02Z"}],` + plain[1:], `config history[0].created timestamp: "1970-01-01T00:00:01Z" → "1970-01-01T00:00:02Z"`, true},
		{"false diffID", plain, strings.Replace(plain, id, other, 1), `config rootfs.diff_ids[0] content: "sha256:` + id + `" → "sha256:` + other + `"`, false},
		{"a diffID too many", plain, strings.Replace(plain, `"]}}`, `","sha256:`+other+`"]}}`, 1), `config rootfs.diff_ids[1] extra:  → "sha256:` + other + `"`, false},
		{"the last of two keys is obeyed", strings.Replace(plain, `"config":{`, `"config":{"User":"root"},"Config":{"User":"nobody",`, 1), `{"Config":{"User":"nobody","Env":["PATH=/bin"]},"config":{"User":"root"},` + plain[1:strings.Index(plain, `"config"`)] + plain[strings.Index(plain, `"rootfs"`):], `config config content: {"architecture":"amd64","created":`, false},
		{"the root to start in", plain, strings.Replace(plain, `"config":{`, `"config":{"WorkingDir":"/",`, 1), `config config.WorkingDir packaging:  → "/"`, true},
		{"a folder to start in", plain, strings.Replace(plain, `"config":{`, `"config":{"WorkingDir":"/a",`, 1), `config config.WorkingDir extra:  → "/a"`, false},
		{"the root by another key", plain, strings.Replace(plain, `"config":{`, `"config":{"workingdir":"/a",`, 1), `config config.workingdir extra:  → "/a"`, false},
		{"spacing", plain, strings.Replace(plain, `"os":`, `"os": `, 1), `-1 "config.json" packaging: 34 22 2c`, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := Images(open(t, archive(t, tc.was, l), nil), open(t, archive(t, tc.now, l), nil), nil)
			if got := strings.TrimSpace(show(c)); !strings.HasPrefix(got, strings.TrimSpace(tc.want)) || strings.Contains(got, "\nconfig") {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			if c.Equivalent() != tc.equivalent || c.Identical() {
				t.Errorf("equivalent %v, identical %v", c.Equivalent(), c.Identical())
			}
		})
	}
}

// What a builder named for its own use differs between honest builds, and no
// container sees it; anything else in those fields is content.
func TestBuildersOwn(t *testing.T) {
	id, other := strings.Repeat("0a", 32), strings.Repeat("1b", 32)
	for _, tc := range []struct {
		field, was, now string
		want            Cause
	}{
		{"container", `"` + id + `"`, `"` + other + `"`, Packaging},
		{"container", `"` + id + `"`, `"something"`, Content},
		{"container_config.Hostname", `"` + id[:12] + `"`, `"` + other[:12] + `"`, Packaging},
		{"container_config.Image", `"sha256:` + id + `"`, `"sha256:` + other + `"`, Packaging},
		{"config.Image", `"sha256:` + id + `"`, `"sha256:` + other + `"`, Packaging},
		{"config.Image", `"debian:12"`, `"debian:11"`, Content},
		{"config.Hostname", `"` + id[:12] + `"`, `"` + other[:12] + `"`, Content},
		{"history[3].comment", `"FROM ` + id[:12] + `"`, `"FROM ` + other[:12] + `"`, Packaging},
		{"history[3].created_by", `"COPY file:` + id + ` in /a "`, `"COPY file:` + other + ` in /a "`, Packaging},
		{"container_config.Cmd[2]", `"#(nop) ADD dir:` + id + ` in / "`, `"#(nop) ADD dir:` + other + ` in / "`, Packaging},
		{"history[3].created_by", `"COPY file:` + id + ` in /a "`, `"COPY file:` + other + ` in /b "`, Content},
		{"history[3].created_by", `"COPY file:` + id + ` in /a "`, `"COPY dir:` + other + ` in /a "`, Content},
		{"config.Cmd[2]", `"file:` + id + ` in "`, `"file:` + other + ` in "`, Content},
		{"history[3].comment", `"FROM debian"`, `"FROM ` + other[:12] + `"`, Content},
	} {
		w := newWalk(&inspect.Image{}, &inspect.Image{})
		if got := w.configCause(&FieldDifference{Field: tc.field, Was: tc.was, Now: tc.now}); got != tc.want {
			t.Errorf("%s %s %s: %s, want %s", tc.field, tc.was, tc.now, got, tc.want)
		}
	}
}
