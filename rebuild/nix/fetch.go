package nix

import (
	"encoding/json"
	"strings"

	"audit/rebuild"
	"audit/rebuild/drv"
)

// fetch returns how a derivation fetches its output: by Nix itself (libstore/builtins)
// or by the fetchers of nixpkgs (pkgs/build-support/fetch*), which are known by the
// variables that only they have.
func fetch(d *drv.Derivation) rebuild.Fetch {
	env := variables(d)
	f := rebuild.Fetch{Executable: env["executable"] == "1", Impure: impure(env)}
	has := func(name string) bool { _, ok := env[name]; return ok }
	url, rev := env["url"], env["rev"]
	switch {
	case !d.Fixed() && !fetches(d, env):
		return f
	case has("leaveDotGit") || strings.HasSuffix(env["fetcher"], "nix-prefetch-git"):
		f.Method, f.Revision = rebuild.GitMethod(rev), rev
		if tag := env["tag"]; tag != "" {
			f.Method, f.Revision = rebuild.FetchGitRef, tag
		}
	case has("ignoreExternals"):
		f.Method, f.Revision = rebuild.FetchSVN, rev
	case has("subrepoClause"):
		f.Method, f.Revision = rebuild.HgMethod(rev), rev
	case has("cvsRoot"):
		f.Method, f.Revision, url = rebuild.FetchCVS, env["tag"], env["cvsRoot"]
	case url != "" || env["urls"] != "":
		f.Method = rebuild.FetchURL
	}
	if f.Addresses = strings.Fields(env["urls"]); len(f.Addresses) == 0 && url != "" {
		f.Addresses = []string{url}
	}
	if list := env["mirrorsFile"]; list != "" {
		f.Lists = []string{list}
	}
	return f
}

// fetches says whether a derivation means to fetch, though no hash says what.
func fetches(d *drv.Derivation, env map[string]string) bool {
	return d.Builder == "builtin:fetchurl" || env["impureEnvVars"] != "" && env["url"]+env["urls"] != ""
}

// impure names what lets a derivation see more than its inputs: that its output is
// never the same (Nix 2.8, libstore/parsed-derivations.cc), or that it runs outside of
// the sandbox.
func impure(env map[string]string) string {
	for _, name := range []string{"__impure", "__noChroot"} {
		if env[name] == "1" {
			return name
		}
	}
	return ""
}

// variables are those of a derivation's environment, and those that it hands over as
// JSON: texts as they are, lists of texts with spaces between them.
func variables(d *drv.Derivation) map[string]string {
	var attributes map[string]any
	if json.Unmarshal([]byte(d.Env["__json"]), &attributes) != nil {
		return d.Env
	}
	env := make(map[string]string, len(attributes))
	for name, v := range attributes {
		switch v := v.(type) {
		case string:
			env[name] = v
		case bool:
			env[name] = map[bool]string{true: "1", false: ""}[v]
		case []any:
			var words []string
			for _, word := range v {
				if s, ok := word.(string); ok {
					words = append(words, s)
				}
			}
			env[name] = strings.Join(words, " ")
		}
	}
	return env
}

// mirrors reads the list of mirrors of nixpkgs, a shell script of lines NAME='ADDRESS …'
// (pkgs/build-support/fetchurl, mirrors.nix and write-mirror-list.sh).
func mirrors(text []byte) map[string][]string {
	all := make(map[string][]string)
	for line := range strings.Lines(string(text)) {
		name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		if !ok {
			continue
		}
		for _, word := range strings.Fields(strings.Trim(value, `'"`)) {
			if strings.Contains(word, "://") {
				all[name] = append(all[name], word)
			}
		}
	}
	return all
}
