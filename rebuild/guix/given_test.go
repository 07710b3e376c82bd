package guix

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"audit/inspect/check"
	"audit/provenance"
	"audit/rebuild"
	"audit/rebuild/shell"
)

const (
	givenChannels = "(list (channel (name 'guix) (url \"https://git.guix.gnu.org/guix.git\") (commit \"230aa373f315f247852ee07dff34146e9b480aec\")))\n"
	givenManifest = "(specifications->manifest (list \"tiny\"))\n"
)

// withoutChannels is a recipe without channels, as that of a pack made without
// --save-provenance.
func withoutChannels() provenance.Recipe {
	pack := tinyPack()
	pack.NoProvenance = true
	r := recipeOf(pack)
	r.Status, r.Missing = provenance.Partial, []check.Message{check.Say("recipe/no-provenance")}
	return r
}

// given names files with these texts, "" for none.
func given(t *testing.T, channels, manifest string) rebuild.Settings {
	t.Helper()
	in, dir := rebuild.Settings{}, t.TempDir()
	for flag, text := range map[string]string{"guix-channels": channels, "guix-manifest": manifest} {
		if text != "" {
			file := filepath.Join(dir, flag+".scm")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			in[flag] = []string{file}
		}
	}
	return in
}

func givenPlan(t *testing.T, r provenance.Recipe, in rebuild.Settings) rebuild.Plan {
	t.Helper()
	p, err := System{}.Plan(image(), r, in)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// codes are those of reasons.
func codes(reasons []check.Message) (all []string) {
	for _, m := range reasons {
		all = append(all, m.Code)
	}
	return all
}

// What a user gives takes the place of what the image lacks, and of what it records.
func TestPlanOfGiven(t *testing.T) {
	elsewhere := guixChannel()
	elsewhere.URL = "https://mirror.example/guix.git"
	mixed := recipe(elsewhere)
	mixed.Status = provenance.Partial
	for _, tt := range []struct {
		name               string
		recipe             provenance.Recipe
		channels, manifest string
		reasons            []string
	}{
		{"nothing", withoutChannels(), "", "", []string{"plan/recipe-incomplete", "recipe/no-provenance"}},
		{"channels", withoutChannels(), givenChannels, "", nil},
		{"both", withoutChannels(), givenChannels, givenManifest, nil},
		{"packages, without channels", withoutChannels(), "", givenManifest, []string{"plan/not-expressible"}},
		{"packages, of channels that nobody trusts", mixed, "", givenManifest, []string{"plan/not-trusted", "plan/channel-elsewhere"}},
		{"channels, instead of some that nobody trusts", mixed, givenChannels, "", nil},
	} {
		p := givenPlan(t, tt.recipe, given(t, tt.channels, tt.manifest))
		if got := codes(p.Reasons); !slices.Equal(got, tt.reasons) {
			t.Errorf("%s: reasons %q, want %q", tt.name, got, tt.reasons)
		}
		files := details(t, p).Files()
		if tt.channels != "" && files[0].Text != tt.channels || tt.manifest != "" && files[1].Text != tt.manifest {
			t.Errorf("%s: files %q", tt.name, files)
		}
		if tt.name == "both" && (slices.Contains(p.Command, "--save-provenance") || len(p.Trust) != 2 || !p.Trust[0].Trusted || len(p.Local) != 2) {
			t.Errorf("command %q, trust %v, local %q", p.Command, p.Trust, p.Local)
		}
	}
}

// Files that cannot be programs for Guix are mistakes of the user.
func TestGivenMistakes(t *testing.T) {
	long := filepath.Join(t.TempDir(), "long")
	if err := os.WriteFile(long, []byte(strings.Repeat(";", maxGiven+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]rebuild.Settings{
		"no file":           {"guix-channels": {"/nowhere"}},
		"empty":             given(t, " \n", ""),
		"no text":           given(t, "", "a\x00b"),
		"too long":          {"guix-manifest": {long}},
		"mirror, no name":   {"channel-url": {"=https://a.example/"}},
		"mirror, no place":  {"channel-url": {"guix="}},
		"mirror, no pair":   {"channel-url": {"guix"}},
		"mirror, an option": {"channel-url": {"guix=ssh://-oProxyCommand=x"}},
		"mirror, twice":     {"channel-url": {"guix=https://a.example", "guix=https://b.example"}},
	} {
		if _, err := (System{}).Given(in); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if got, err := (System{}).Given(given(t, givenChannels, "")); !got || err != nil {
		t.Errorf("%t, %v", got, err)
	}
}

// A stored plan with programs is a stranger's: it is run where the user names files
// with the very same text.
func TestVetOfGiven(t *testing.T) {
	in := given(t, givenChannels, givenManifest)
	text, err := json.Marshal(givenPlan(t, withoutChannels(), in))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		in   rebuild.Settings
		want []string
	}{
		{"nothing", nil, []string{"plan/not-trusted", "plan/program-not-given", "plan/program-not-given"}},
		{"the same", in, nil},
		{"others", given(t, givenChannels+";", givenManifest), nil}, // which take their place
	} {
		var stored rebuild.Plan
		if err := json.Unmarshal(text, &stored); err != nil {
			t.Fatal(err)
		}
		p, err := System{}.Vet(stored, tt.in)
		if got := codes(p.Reasons); err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
}

// Guix gets the files as they were given, and differences from what the image records
// are notes where the recipe could be evaluated.
func TestBuildOfGiven(t *testing.T) {
	w := newWorld(t)
	w.change(func(d *Details) {
		d.Given = Given{Channels: strings.Replace(givenChannels, "230a", "0000", 1), Manifest: givenManifest}
	})
	result, err := w.build()
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{channelsFile: w.details().Given.Channels, manifestFile: givenManifest} {
		if got, _ := os.ReadFile(filepath.Join(w.dir, "seen", file)); string(got) != want {
			t.Errorf("%s: %q", file, got)
		}
	}
	var got []string
	for _, f := range result.Derivation.Findings {
		got = append(got, f.Code)
	}
	want := []string{"derivation/given-commit-differs", "derivation/given-lacks-package", "derivation/given-has-package"}
	if !slices.Equal(got, want) || result.Derivation.Status != check.Pass {
		t.Errorf("%s, findings %q, want %q", result.Derivation.Status, got, want)
	}
}

// Without Guix they are all that is known of the recipe.
func TestGivenWithoutGuix(t *testing.T) {
	w := newWorld(t)
	w.change(func(d *Details) { d.Given.Manifest = givenManifest })
	result, err := Builder{Program: filepath.Join(w.dir, "nowhere")}.Build(t.Context(), w.plan, w.job)
	if !errors.Is(err, rebuild.ErrNoBuilder) || result.Derivation.Status != check.Unknown || len(result.Derivation.Findings) != 2 {
		t.Errorf("%v, %+v", err, result.Derivation)
	}
}

// A mirror changes from where git fetches, and no word of channels.scm.
func TestChannelMirrors(t *testing.T) {
	elsewhere := guixChannel()
	elsewhere.URL = "https://gone.example/guix.git"
	other := provenance.Channel{Name: "more", URL: elsewhere.URL + "-more", Commit: elsewhere.Commit}
	in := rebuild.Settings{"channel-url": {"guix=https://user:secret@mirror.example/guix.git"}, "trust-channel": {other.URL}}
	p := givenPlan(t, recipe(elsewhere, other), in)
	if len(p.Reasons) > 0 || p.Trust[0].Reason.Code != "plan/channel-mirrored" || p.Trust[0].URL != "https://mirror.example/guix.git" {
		t.Errorf("reasons %q, trust %+v", p.Reasons, p.Trust[0])
	}
	text, err := json.Marshal(p)
	if err != nil || strings.Contains(string(text), "secret") || strings.Contains(string(Script(p)), "secret") {
		t.Errorf("%v: a secret in %s or %s", err, text, Script(p))
	}
	d := details(t, p)
	if files := d.Files(); !strings.Contains(files[0].Text, elsewhere.URL) || strings.Contains(files[0].Text, "mirror") {
		t.Errorf("channels.scm:\n%s", files[0].Text)
	}
	want := "[include]\n\tpath = \"/own\"\n[url \"https://user:secret@mirror.example/guix.git\"]\n\tinsteadOf = \"https://gone.example/guix.git\"\n" +
		"[url \"https://gone.example/guix.git-more\"]\n\tinsteadOf = \"https://gone.example/guix.git-more\"\n"
	if got := d.gitConfig("/own"); got != want {
		t.Errorf("configuration of git:\n%s", got)
	}
	in["channel-url"] = []string{"nobody=https://mirror.example/guix.git"}
	_, err = (System{}).Plan(image(), recipe(guixChannel()), in)
	if _, mistake := errors.AsType[*rebuild.UsageError](err); !mistake || !strings.Contains(err.Error(), "nobody: the recipe has no channel of that name; it has guix") {
		t.Errorf("a mirror of a channel that is not there: %v", err)
	}
	hostile := guixChannel()
	hostile.URL = "https://x.example\"\n[core]\n\tsshCommand = touch pwned\n#"
	in["channel-url"] = []string{"guix=https://mirror.example/guix.git"}
	if p := givenPlan(t, recipe(hostile), in); len(p.Reasons) == 0 {
		t.Error("an address that is none became a configuration of git")
	}
}

// The builder has git find its configuration in the job.
func TestBuildWithMirrors(t *testing.T) {
	w := newWorld(t)
	w.change(func(d *Details) { d.Mirrors = []Mirror{{"guix", "/srv/clone"}} })
	if _, err := w.build(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(w.dir, "seen", gitFolder, "git", "config"))
	if err != nil || !strings.Contains(string(text), "[url \"/srv/clone\"]\n\tinsteadOf = \"https://git.guix.gnu.org/guix.git\"") {
		t.Errorf("%s, %v", text, err)
	}
}

// The script of an incomplete recipe takes what is missing, and says so.
func TestScriptTakesFiles(t *testing.T) {
	w := newWorld(t)
	w.change(func(d *Details) { d.Channels = nil })
	w.plan.Reasons, w.plan.Takes = []check.Message{check.Say(codeIncomplete)}, []string{channelsFile, manifestFile}
	if _, stderr, err := w.runScript(Script(w.plan)); err == nil || !strings.Contains(stderr, "refused") {
		t.Errorf("%v, %s", err, stderr)
	}
	w.plan.Reasons = nil
	script := shell.Guarded(Script(w.plan), "something is missing", w.plan.Takes)
	if _, stderr, err := w.runScript(script); err == nil || !strings.Contains(stderr, "something is missing") {
		t.Errorf("%v, %s", err, stderr)
	}
	if _, stderr, err := w.runScript([]byte(strings.Replace(string(script), "\n", "\nAUDIT_ALLOW=yes\n", 1))); err == nil || !strings.Contains(stderr, "CHANNELS.SCM") {
		t.Errorf("%v, %s", err, stderr)
	}
	file := given(t, givenChannels, "").Text("guix-channels")
	_, stderr, err := w.runScript([]byte(strings.Replace(string(script), "\n", "\nset -- "+shell.Word(file)+"\n", 1)))
	if got, _ := os.ReadFile(filepath.Join(w.dir, "seen", channelsFile)); err != nil || string(got) != givenChannels {
		t.Errorf("%v, %s: %q", err, stderr, got)
	}
}
