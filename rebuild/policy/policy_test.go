package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"audit/inspect/check"
	"audit/rebuild"
	"audit/rebuild/compare"
)

var today = time.Date(2026, 11, 29, 10, 0, 0, 0, time.UTC)

const example = `{
  "require": "explained",
  "checks": {"closure": ["pass"], "signatures": ["pass", "unknown"]},
  "refuse": ["closure/setuid-file", "packages/", "integrity/ambiguous-"],
  "allow": [
    {"path": "/usr/lib/**/*.pyc", "cause": "embedded-date", "reason": "the time of the source", "expires": "2027-01-31"},
    {"path": "config:config.Labels.n", "cause": "content", "reason": "the number of the build", "expires": "2020-01-31"},
    {"path": "usr/bin/ping", "cause": "xattr", "reason": "a capability", "expires": "2027-11-29"}
  ]
}
`

// codes are those of findings, as far as these tests know them.
func codes() []string {
	return []string{"a/b", "closure/setuid-file", "closure/unexplained-file", "integrity/ambiguous-name", "packages/no-file", "rebuild/difference"}
}

func read(t testing.TB, text string) Policy {
	t.Helper()
	p, err := Read(strings.NewReader(text), today, codes())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestRead reads a policy, and writes and reads it again.
func TestRead(t *testing.T) {
	p := read(t, example)
	if p.Require != rebuild.RequireExplained || len(p.Checks) != 2 || p.Refuse[1] != "packages/" || p.Allow[0].Path != "usr/lib/**/*.pyc" ||
		p.Allow[0].Expires.String() != "2027-01-31" {
		t.Errorf("%+v", p)
	}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if again := read(t, string(text)); fmt.Sprint(again) != fmt.Sprint(p) {
		t.Errorf("written and read again it is %+v", again)
	}
	if p := read(t, "{}"); p.Require != rebuild.RequireConsistent {
		t.Errorf("an empty policy demands %v", p.Require)
	}
}

// TestReadErrors holds that what is wrong is named in one line, with its place.
func TestReadErrors(t *testing.T) {
	allow := func(path, cause, reason, expires string) string {
		return fmt.Sprintf(`{"allow": [{"path": %q, "cause": %q, "reason": %q, "expires": %q}]}`, path, cause, reason, expires)
	}
	for _, tc := range []struct{ text, want string }{
		{"", "the policy ends too early"},
		{"{", "the policy ends too early"},
		{"{\n\n x}", "line 3: invalid character"},
		{"{\"require\": \"explained\",\n}", "line 2: a comma stands before the end"},
		{`{"refuse": ["closure/setuid-file",]}`, "line 1: a comma stands before the end"},
		{"[]", "line 1: the whole is of the kind array, where a policy has an object"},
		{"null", "the policy: the whole is null"},
		{`{"require": null}`, "the policy: require is null"},
		{`{"refuse": ["a/", null]}`, "the policy: refuse is null"},
		{`{"allow": [{"path": null}]}`, "the policy: path is null"},
		{`{"allow": [{"Path": "a"}]}`, `the policy: unknown field "Path"`},
		{`{"refuse": ["closure/nope"]}`, `refuse[0]: there is no finding "closure/nope", so that nothing is refused`},
		{`{"refuse": ["a/", "closur/setuid-file"]}`, `refuse[1]: there is no finding "closur/setuid-file"`},
		{`{"refuse": ["closure/un-"]}`, `refuse[0]: there is no finding "closure/un-"`},
		{`{} {}`, "something follows the policy"},
		{`{"require": 3}`, "line 1: require is of the kind number, where a policy has a string"},
		{`{"require": "strict"}`, `require: there is no policy "strict" (there are consistent, explained,`},
		{`{"demand": "consistent"}`, `the policy: unknown field "demand"`},
		{`{"Require": "consistent"}`, `the policy: unknown field "Require"`},
		{`{"refuse": [], "refuse": ["a/"]}`, `the policy: the key "refuse" stands there twice`},
		{`{"checks": {"closure": ["pass"], "closure": ["fail"]}}`, `the policy: the key "closure" stands there twice`},
		{`{"checks": {"closure": ["good"]}}`, `checks.closure: there is no status "good" (there are pass, fail, unknown, skipped)`},
		{`{"checks": "pass"}`, "line 1: checks is of the kind string, where a policy has an object"},
		{`{"checks": {"closure": "pass"}}`, "line 1: checks is of the kind string, where a policy has an array"},
		{`{"refuse": "closure/setuid-file"}`, "line 1: refuse is of the kind string, where a policy has an array"},
		{"require: explained\n", "line 1: a policy is JSON, and begins with {"},
		{"\ufeff{\n\n x}", "line 3: invalid character"},
		{`{"checks": {"closure": []}}`, "checks.closure: no status is named"},
		{`{"checks": {"sanity": ["pass"]}}`, `checks.sanity: there is no check "sanity" (there are integrity,`},
		{`{"refuse": ["setuid"]}`, `refuse[0]: "setuid" is no code`},
		{`{"refuse": ["closure/setuid-file", "closure/set*"]}`, `refuse[1]: "closure/set*" is no code`},
		{`{"refuse": [` + strings.Repeat(`"a/",`, maxList) + `"a/"]}`, "more than 1000 elements in a list"},
		{`{"allow": [[[[[[]]]]]]}`, "the policy: values are nested deeper"},
		{strings.Repeat("[", 900_000), "the policy: values are nested deeper"},
		{strings.Repeat(" ", maxSize+1), "the policy has more than 1048576 bytes"},
		{allow("", "content", "x", "2027-01-01"), "allow[0]: path: it is empty"},
		{allow("/", "content", "x", "2027-01-01"), "allow[0]: path: it is empty"},
		{allow("config:", "content", "x", "2027-01-01"), "allow[0]: path: it is empty"},
		{allow(`a\`, "content", "x", "2027-01-01"), "allow[0]: path: it ends in a backslash"},
		{allow("**", "content", "x", "2027-01-01"), `allow[0]: path: "**" allows too much: begin with the folder that it is about`},
		{allow("**/*", "mode", "x", "2027-01-01"), `allow[0]: path: "**/*" allows too much: begin with the folder that it is about`},
		{allow("*a*", "content", "x", "2027-01-01"), `allow[0]: path: "*a*" allows too much`},
		{allow("?*/e*", "mode", "x", "2027-01-01"), `allow[0]: path: "?*/e*" allows too much`},
		{allow("**/*.*", "content", "x", "2027-01-01"), `allow[0]: path: "**/*.*" allows too much: begin with the folder that it is about`},
		{allow("config:*", "content", "x", "2027-01-01"), `allow[0]: path: "config:*" allows too much: begin with the folder that it is about`},
		{allow("usr/**", "owner", "x", "2027-01-01"), "allow[0]: path: no pattern can allow a difference of cause owner"},
		{allow("usr/bin/p?ng", "xattr", "x", "2027-01-01"), "allow[0]: path: no pattern can allow a difference of cause xattr"},
		{allow("dev/*", "device", "x", "2027-01-01"), "allow[0]: path: no pattern can allow a difference of cause device"},
		{allow("a", "cosmic", "x", "2027-01-01"), `allow[0]: cause: there is no cause "cosmic" (there are content,`},
		{allow("a", "derived", "x", "2027-01-01"), `allow[0]: cause: there is no cause "derived"`},
		{allow("a", "content", " ", "2027-01-01"), "allow[0]: reason: there is none"},
		{allow("a", "content", "x", "tomorrow"), `the policy: "tomorrow" is no day`},
		{allow("a", "content", "x", "2027-12-31"), "allow[0]: expires: 2027-12-31 is more than a year away"},
		{`{"allow": [{"path": "a", "cause": "content", "reason": "x"}]}`, "allow[0]: expires: there is no day"},
	} {
		_, err := Read(strings.NewReader(tc.text), today, codes())
		if err == nil || !strings.HasPrefix(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.60q: %v, want %s", tc.text, err, tc.want)
		}
	}
	if _, err := Read(brokenReader{}, today, codes()); err == nil || err.Error() != "reading the policy: broken" {
		t.Error(err)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

// TestSchema validates what Read takes, and some of what it does not.
func TestSchema(t *testing.T) {
	schema, err := os.Open("policy.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer schema.Close()
	doc, err := jsonschema.UnmarshalJSON(schema)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("policy.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("policy.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for text, valid := range map[string]bool{
		example: true, "{}": true, `{"require": "strict"}`: false, `{"refuse": ["x"]}`: false, `{"checks": {"closure": []}}`: false,
		`{"allow": [{"path": "a", "cause": "content", "reason": "x"}]}`: false, `{"other": 1}`: false,
	} {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(v); (err == nil) != valid {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

// facts are those of a rebuild that differs in two files and a label, of an image
// in which closure has found a setuid program.
func facts() Facts {
	setuid := check.Find(check.Problem, 1, "usr/bin/backdoor", "closure/setuid-file", "mode", "4755")
	other := check.Find(check.Undecided, 1, "opt/x", "closure/unexplained-file")
	shown := check.Find(check.Problem, 0, "usr/lib/a/x.pyc", "rebuild/difference", "cause", "embedded-date")
	all := []check.Check{
		{ID: check.Integrity, Status: check.Pass},
		{ID: check.Closure, Status: check.Unknown, Findings: []check.Finding{other, setuid}},
		{ID: check.Rebuild, Status: check.Fail, Findings: []check.Finding{shown}},
	}
	return Facts{
		Judged: rebuild.Facts{Checks: rebuild.StatusesOf(all), Result: compare.Different, Basis: rebuild.Basis{Items: []rebuild.Part{{Path: "/s/a", From: rebuild.Built}}}},
		Checks: all,
		Config: []compare.FieldDifference{{Field: "config.Labels.n", Cause: compare.Content}, {Field: "created", Cause: compare.Timestamp}},
		Differences: []compare.Difference{
			{Path: "usr/lib/a/x.pyc", Cause: compare.EmbeddedDate, Was: compare.TextValue("1"), Now: compare.TextValue("2")},
			{Path: "usr/bin/su", Cause: compare.Mode, Was: compare.TextValue("0755"), Now: compare.TextValue("4755"), Privileged: true},
			{Path: "usr/share/a", Cause: compare.Timestamp},
		},
	}
}

func text(j Judgement) string {
	var all []string
	for _, v := range j.Violations {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s: %s %s %s", v.Rule, v.Message.Code, v.Path, v.Finding.Code)))
	}
	for _, a := range j.Allowed {
		all = append(all, fmt.Sprintf("%s %d %v", a.Path, a.Count, a.Expired))
	}
	return strings.Join(all, "\n")
}

// TestJudge holds the same facts against one policy after the other.
func TestJudge(t *testing.T) {
	allow := func(rules ...string) string {
		var all []string
		for _, r := range rules {
			f := strings.Fields(r)
			all = append(all, fmt.Sprintf(`{"path": %q, "cause": %q, "reason": "x", "expires": %q}`, f[0], f[1], f[2]))
		}
		return `{"require": "equivalent", "allow": [` + strings.Join(all, ",") + "]}"
	}
	const pyc, label, su = "usr/lib/**/*.pyc embedded-date 2027-01-01", "config:config.Labels.* content 2027-01-01", "usr/bin/su mode 2027-01-01"
	for _, tc := range []struct{ name, policy, want string }{
		{"nothing demanded", "{}", "require: policy/verdict usr/bin/su difference/change"},
		{"all allowed", allow(pyc, label, su), "usr/lib/**/*.pyc 1 false\nconfig:config.Labels.* 1 false\nusr/bin/su 1 false"},
		{"one left", allow(label, su), "require: policy/verdict usr/lib/a/x.pyc difference/change\nconfig:config.Labels.* 1 false\nusr/bin/su 1 false"},
		{"the label left", allow(pyc, su), "require: policy/verdict\nusr/lib/**/*.pyc 1 false\nusr/bin/su 1 false"},
		{"a pattern allows no setuid", allow(pyc, label, "usr/bin/* mode 2027-01-01"),
			"require: policy/verdict usr/bin/su difference/change\nusr/lib/**/*.pyc 1 false\nconfig:config.Labels.* 1 false\nusr/bin/* 0 false"},
		{"expired", allow(label, su, "usr/lib/**/*.pyc embedded-date 2026-11-28"),
			"require: policy/verdict usr/lib/a/x.pyc difference/change\nallow: policy/allowance-expired\nconfig:config.Labels.* 1 false\nusr/bin/su 1 false\nusr/lib/**/*.pyc 1 true"},
		{"never more than equivalent", strings.Replace(allow(pyc, label, su), "equivalent", "reproducible", 1),
			"require: policy/verdict\nusr/lib/**/*.pyc 1 false\nconfig:config.Labels.* 1 false\nusr/bin/su 1 false"},
		{"closure", strings.Replace(allow(pyc, label, su), `"require": "equivalent"`, `"checks": {"closure": ["pass"], "sources": ["skipped"], "rebuild": ["pass"]}`, 1),
			"checks: policy/check-status usr/bin/backdoor closure/setuid-file\nusr/lib/**/*.pyc 1 false\nconfig:config.Labels.* 1 false\nusr/bin/su 1 false"},
		{"explained", strings.Replace(allow(pyc, label, su), "equivalent", "explained", 1),
			"require: policy/verdict usr/bin/backdoor closure/setuid-file\nusr/lib/**/*.pyc 1 false\nconfig:config.Labels.* 1 false\nusr/bin/su 1 false"},
		{"refused", strings.Replace(allow(pyc, label, su), `"require"`, `"refuse": ["closure/unexplained-", "rebuild/"], "require"`, 1),
			"refuse: policy/refused-finding opt/x closure/unexplained-file\nusr/lib/**/*.pyc 1 false\nconfig:config.Labels.* 1 false\nusr/bin/su 1 false"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.name == "closure" && !strings.Contains(fmt.Sprint(check.IDs()), "sources") {
				tc.policy = strings.Replace(tc.policy, `"sources": ["skipped"], `, "", 1)
			}
			if got := text(read(t, tc.policy).Judge(facts(), today)); got != tc.want {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
}

// TestHiddenDataIsNeverAllowed: what is about a layer as a whole has no path that
// could be allowed.
func TestHiddenDataIsNeverAllowed(t *testing.T) {
	f := facts()
	f.Config, f.Differences = nil, []compare.Difference{{Cause: compare.Content, Was: compare.TextValue("1030 bytes"), Now: compare.TextValue("1024 bytes, all zero")}}
	p := read(t, `{"allow": [{"path": "usr/*", "cause": "content", "reason": "x", "expires": "2027-01-01"}]}`)
	p.Allow[0].Path = "**"
	if got := text(p.Judge(f, today)); got != "require: policy/verdict  difference/change\n** 0 false" {
		t.Error(got)
	}
}

// TestAllowanceCannotMendTheRest: a build that failed, two builds that differ and a
// check that says no stay what they are.
func TestAllowanceCannotMendTheRest(t *testing.T) {
	p := read(t, `{"allow": [{"path": "usr/lib/a/x.pyc", "cause": "embedded-date", "reason": "x", "expires": "2027-01-01"}]}`)
	for name, change := range map[string]func(f *Facts){
		"failed":       func(f *Facts) { f.Judged.Failed = true },
		"unstable":     func(f *Facts) { f.Judged.Unstable = true },
		"contradicted": func(f *Facts) { f.Judged.Checks[check.Integrity] = check.Fail },
	} {
		f := facts()
		f.Config, f.Differences = nil, f.Differences[:1]
		if j := p.Judge(f, today); len(j.Violations) > 0 {
			t.Fatalf("%+v", j)
		}
		change(&f)
		if j := p.Judge(f, today); len(j.Violations) != 1 {
			t.Errorf("%s: %+v", name, j)
		}
	}
}

// FuzzRead holds that a policy that can be read can be written and read again, and
// that one that cannot has an error of one line.
func FuzzRead(f *testing.F) {
	f.Add(example)
	f.Add(`{"refuse": ["a/"]}`)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Read(strings.NewReader(text), today, codes())
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%q", err)
			}
			return
		}
		again, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if q, err := Read(bytes.NewReader(again), today, codes()); err != nil || fmt.Sprint(q) != fmt.Sprint(p) {
			t.Errorf("%s: %v", again, err)
		}
	})
}

// TestGravestIsShown: of several differences that of a file that lends rights is shown,
// whatever its cause and its place.
func TestGravestIsShown(t *testing.T) {
	f := facts()
	f.Config, f.Differences = nil, []compare.Difference{
		{Path: "etc/a", Cause: compare.Content}, {Path: "etc/shadow", Cause: compare.Content}, {Path: "opt/m2", Cause: compare.Extra, Privileged: true},
	}
	if j := read(t, `{"require": "equivalent"}`).Judge(f, today); len(j.Violations) != 1 || j.Violations[0].Path != "opt/m2" {
		t.Errorf("%+v", j.Violations)
	}
}

// TestConfigThatDecides: a field that decides what runs is the reason that is shown, before
// files that lend no rights; it has to be named to be allowed.
func TestConfigThatDecides(t *testing.T) {
	f := facts()
	f.Config = append(f.Config, compare.FieldDifference{Field: "config.User", Was: `"1000"`, Now: `"0"`, Cause: compare.Content})
	const end = `"cause": "content", "reason": "x", "expires": "2027-01-01"}`
	su := []compare.Difference{f.Differences[1]}
	files := []compare.Difference{f.Differences[0], {Path: "etc/cron.daily/x", Cause: compare.Extra, Layer: 2}}
	for _, tc := range []struct {
		differences []compare.Difference
		allow, want string
	}{
		{nil, `{"path": "config:config.*", ` + end, "require: policy/verdict  rebuild/config-difference\nconfig:config.* 1 false"},
		{files, `{"path": "config:config.*", ` + end, "require: policy/verdict  rebuild/config-difference\nconfig:config.* 1 false"},
		{files, `{"path": "config:config.User", ` + end, "require: policy/verdict etc/cron.daily/x difference/change\nconfig:config.User 1 false"},
		{su, `{"path": "config:config.*", ` + end, "require: policy/verdict usr/bin/su difference/change\nconfig:config.* 1 false"},
		{nil, `{"path": "config:config.*", ` + end + `, {"path": "config:config.User", ` + end, "config:config.* 1 false\nconfig:config.User 1 false"},
	} {
		f.Differences = tc.differences
		if got := text(read(t, `{"require": "equivalent", "allow": [`+tc.allow+`]}`).Judge(f, today)); got != tc.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tc.allow, got, tc.want)
		}
	}
	open := compare.Difference{Path: "etc/x", Cause: compare.Mode, Was: compare.Permissions(0o755), Now: compare.Permissions(0o777)}
	f.Config, f.Differences = nil, []compare.Difference{open}
	p := read(t, `{"require": "equivalent", "allow": [{"path": "etc/*", "cause": "mode", "reason": "x", "expires": "2027-01-01"}]}`)
	if got := text(p.Judge(f, today)); got != "require: policy/verdict etc/x difference/change\netc/* 0 false" {
		t.Error(got)
	}
}

// TestRenamedFolderNeedsAll: a folder under another name is allowed where each file in it
// is, under both names; one that decides who has rights has to be named.
func TestRenamedFolderNeedsAll(t *testing.T) {
	one := func(names ...string) Facts {
		f := facts()
		f.Config, f.Differences = nil, []compare.Difference{{
			Path: "old", Cause: compare.Renamed, Evidence: []check.Message{check.Say("difference/renamed-folder", "to", "etc", "names", names)},
		}}
		return f
	}
	allow := `{"path": "old/**", "cause": "missing", "reason": "x", "expires": "2027-01-01"}, {"path": "etc/**", "cause": "extra", "reason": "x", "expires": "2027-01-01"}`
	for _, c := range []struct {
		facts Facts
		want  int
	}{{one("a", "b/c"), 0}, {one("a", "shadow"), 1}} {
		if j := read(t, `{"require": "equivalent", "allow": [`+allow+`]}`).Judge(c.facts, today); len(j.Violations) != c.want {
			t.Errorf("%+v, want %d", j.Violations, c.want)
		}
	}
}

// TestRenamedFolderByItsPath: a folder that was renamed is allowed under the path that the
// report has; where it moved elsewhere its new path has to be allowed too.
func TestRenamedFolderByItsPath(t *testing.T) {
	renamed := func(paths ...string) string {
		var all []string
		for _, p := range paths {
			all = append(all, fmt.Sprintf(`{"path": %q, "cause": "renamed", "reason": "x", "expires": "2027-01-01"}`, p))
		}
		return `{"require": "equivalent", "allow": [` + strings.Join(all, ", ") + "]}"
	}
	for _, tc := range []struct {
		from, to string
		allow    []string
		want     int
	}{
		{"opt/app-1.0", "opt/app-1.1", []string{"opt/app-1.0"}, 0},
		{"opt/app-1.0", "opt/app-1.1", []string{"opt/app-*"}, 0},
		{"opt/app-1.0", "opt/app-1.1", []string{"opt/app-1.1"}, 1},
		{"opt/app-1.0", "srv/app-1.0", []string{"opt/app-1.0"}, 1},
		{"opt/app-1.0", "srv/app-1.0", []string{"opt/app-1.0", "srv/app-1.0"}, 0},
		{"usr/x", "usr/bin", []string{"usr/x"}, 1},
		{"usr/lib/a1", "usr/lib/a2", []string{"usr/lib/a1"}, 0},
	} {
		f := facts()
		f.Config, f.Differences = nil, []compare.Difference{{
			Path: tc.from, Cause: compare.Renamed, Evidence: []check.Message{check.Say("difference/renamed-folder", "to", tc.to, "names", []string{"a", "b/c"})},
		}}
		if j := read(t, renamed(tc.allow...)).Judge(f, today); len(j.Violations) != tc.want {
			t.Errorf("%s → %s with %q: %+v, want %d", tc.from, tc.to, tc.allow, j.Violations, tc.want)
		}
	}
}

// TestRenamedNeedsBoth: a file under another name is allowed where both names are.
func TestRenamedNeedsBoth(t *testing.T) {
	f := facts()
	f.Config, f.Differences = nil, []compare.Difference{{
		Path: "usr/a", Cause: compare.Renamed, Evidence: []check.Message{check.Say("difference/renamed", "to", "etc/b")},
	}}
	one := `{"path": "usr/a", "cause": "missing", "reason": "x", "expires": "2027-01-01"}`
	other := `{"path": "etc/b", "cause": "extra", "reason": "x", "expires": "2027-01-01"}`
	both := strings.NewReplacer("missing", "renamed", "extra", "renamed").Replace(one + ", " + other)
	for text, want := range map[string]int{one: 1, other: 1, one + ", " + other: 0, both: 0} {
		if j := read(t, `{"require": "equivalent", "allow": [`+text+`]}`).Judge(f, today); len(j.Violations) != want {
			t.Errorf("%s: %+v, want %d", text, j.Violations, want)
		}
	}
}
