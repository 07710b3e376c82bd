package guix

import (
	"strings"

	"audit/provenance/guix/scheme"
	"audit/rebuild"
	"audit/rebuild/drv"
)

// fetch returns how a derivation fetches its output: by the daemon's own downloaders
// (Guix 1.5, nix/libstore/builtins.cc, guix/scripts/perform-download.scm), or, before
// them, by a script that reads what to fetch from its environment (guix/git-download.scm,
// svn-download.scm and their like since 0.13).
func fetch(d *drv.Derivation) rebuild.Fetch {
	var f rebuild.Fetch
	env := d.Env
	switch {
	case d.Builder == "builtin:download":
		f = rebuild.Fetch{Method: rebuild.FetchURL, Addresses: texts(env["url"]), Executable: isTrue(env["executable"])}
	case d.Builder == "builtin:git-download":
		f = rebuild.Fetch{Method: rebuild.GitMethod(env["commit"]), Addresses: texts(env["url"]), Revision: env["commit"]}
	case env["git url"] != "":
		commit := text(env["git commit"])
		f = rebuild.Fetch{Method: rebuild.GitMethod(commit), Addresses: texts(env["git url"]), Revision: commit}
	case env["svn url"] != "":
		f = rebuild.Fetch{Method: rebuild.FetchSVN, Addresses: texts(env["svn url"]), Revision: env["svn revision"]}
	case env["hg ref url"] != "":
		changeset := text(env["hg ref changeset"])
		f = rebuild.Fetch{Method: rebuild.HgMethod(changeset), Addresses: texts(env["hg ref url"]), Revision: changeset}
	case env["bzr url"] != "":
		f = rebuild.Fetch{Method: rebuild.FetchBzr, Addresses: texts(env["bzr url"]), Revision: text(env["bzr reference"])}
	case env["cvs root directory"] != "":
		f = rebuild.Fetch{Method: rebuild.FetchCVS, Addresses: texts(env["cvs root directory"]), Revision: text(env["cvs revision"])}
	}
	for _, name := range []string{"content-addressed-mirrors", "disarchive-mirrors", "mirrors"} {
		if list := env[name]; list != "" {
			f.Lists = append(f.Lists, list)
		}
	}
	return f
}

// texts reads an address, or several, as Scheme or as they are.
func texts(value string) []string {
	if !strings.HasPrefix(value, `"`) && !strings.HasPrefix(value, "(") {
		if value == "" {
			return nil
		}
		return []string{value}
	}
	data, err := scheme.Parse([]byte(value), scheme.DefaultLimits())
	if err != nil || len(data) != 1 {
		return nil
	}
	if data[0].Kind == scheme.String {
		return []string{data[0].Text}
	}
	var all []string
	for _, v := range data[0].Items {
		if v.Kind == scheme.String {
			all = append(all, v.Text)
		}
	}
	return all
}

// text reads a value as Scheme or as it is.
func text(value string) string {
	if all := texts(value); len(all) == 1 {
		return all[0]
	}
	return value
}

// isTrue says whether a variable is set to something that is not false.
func isTrue(value string) bool { return value != "" && value != "#f" && value != "0" }

// mirrors reads the files that derivations name beside an address (Guix 1.5,
// guix/download.scm): ((NAME ADDRESS…)…) for mirrors, (ADDRESS…) for the databases of
// Disarchive. The one of content-addressed mirrors is a program, and is left alone.
func mirrors(text []byte) map[string][]string {
	data, err := scheme.Parse(text, scheme.DefaultLimits())
	if err != nil || len(data) != 1 {
		return nil
	}
	all := make(map[string][]string)
	for _, v := range data[0].Items {
		switch {
		case v.Kind == scheme.String:
			all[""] = append(all[""], v.Text)
		case v.Kind == scheme.List && len(v.Items) > 0 && v.Items[0].Kind == scheme.Symbol:
			for _, address := range v.Items[1:] {
				if address.Kind == scheme.String {
					all[v.Items[0].Text] = append(all[v.Items[0].Text], address.Text)
				}
			}
		}
	}
	return all
}
