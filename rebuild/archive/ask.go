package archive

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/nix-community/go-nix/pkg/nixbase32"

	"audit/rebuild/swhid"
)

// mostAddresses is how many of the addresses of a source are tried.
const mostAddresses = 12

// An asker asks for one source after another.
type asker struct {
	*web
	opt Options
	// ids are the identifiers that were asked for, by server, and whether it has them.
	ids map[string]map[string]bool
}

func newAsker(opt Options) *asker {
	return &asker{web: newWeb(opt), opt: opt, ids: make(map[string]map[string]bool)}
}

// most is how many identifiers one request to known may have (swh-web, api_swhid_known).
const most = 1000

// known asks each archive for all identifiers at once.
func (a *asker) known(ctx context.Context, questions []Question) {
	var ids []string
	for _, q := range questions {
		for _, id := range []string{q.SWHID, swhid.Revision(q.Commit)} {
			if id != "" {
				ids = append(ids, id)
			}
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	for _, api := range a.opt.API {
		for chunk := range slices.Chunk(ids, most) {
			body, _ := json.Marshal(chunk) // texts always marshal
			var known map[string]struct{ Known bool }
			fits := func(res *http.Response) bool { return res.StatusCode == http.StatusOK && decode(res, &known) }
			r := request{method: http.MethodPost, address: join(api, "known/"), body: body, named: true, fits: fits}
			if a.get(ctx, r).status == 0 {
				break
			}
			if a.ids[api] == nil {
				a.ids[api] = make(map[string]bool)
			}
			for id, k := range known {
				a.ids[api][id] = k.Known
			}
		}
	}
}

// ask asks for one source until somebody has it.
func (a *asker) ask(ctx context.Context, q Question) Answer {
	silent, day := false, ""
	for _, r := range a.requests(q) {
		answer := r.known
		if answer == nil {
			answer = new(a.get(ctx, r))
		}
		day = max(day, answer.day)
		switch {
		case !answer.isDefinite():
			silent = true
		case answer.status >= 300:
		case r.state == Address && silent: // an archive may have it all the same
			return Answer{Unknown, r.address, answer.day}
		default:
			return Answer{r.state, r.address, answer.day}
		}
	}
	switch {
	case silent || day == "":
		return Answer{State: Unknown}
	case a.opt.Addresses && q.Whole && len(q.Files) <= mostAddresses:
		return Answer{State: Gone, Day: day}
	}
	return Answer{State: NotArchived, Day: day}
}

// requests are whom to ask for a source, in their order: archives by content, farms,
// Disarchive, archives by origin, and the source's own addresses.
func (a *asker) requests(q Question) (all []request) {
	add := func(state State, named bool, address string, fits judge) {
		all = append(all, request{method: http.MethodGet, address: address, state: state, named: named, fits: fits})
	}
	sum, err := hex.DecodeString(q.Hash)
	hashed := err == nil && len(sum) > 0
	byCommit := Archived
	if hashed {
		byCommit = Commit
	}
	for _, api := range a.opt.API {
		all = append(all, a.identified(api, q.SWHID, Archived)...)
		all = append(all, a.identified(api, swhid.Revision(q.Commit), byCommit)...)
		if path, fits := byHash(q); hashed && path != "" {
			add(Archived, true, join(api, path), fits)
		}
	}
	if hashed && len(sum) == sha256.Size && q.Algorithm == "sha256" && !q.Recursive {
		name, ok := escaped(q.Name)
		for _, farm := range a.opt.Farms {
			if ok {
				add(Archived, true, join(farm, "file/"+name+"/sha256/"+nixbase32.EncodeToString(sum)), aFile)
			}
		}
		if a.opt.Addresses {
			for _, database := range q.Databases {
				add(Archived, false, join(database, "sha256/"+q.Hash), aRecipe)
			}
		}
	}
	for _, api := range a.opt.API {
		for _, origin := range q.Origins {
			if path, ok := originPath(origin); ok {
				add(Origin, true, join(api, path), anOrigin(origin))
			}
		}
	}
	if a.opt.Addresses {
		for _, address := range q.Files[:min(len(q.Files), mostAddresses)] {
			all = append(all, request{method: http.MethodHead, address: address, state: Address})
		}
	}
	return all
}

// identified is what an archive has answered to the question for an identifier; that
// it has not answered counts as well.
func (a *asker) identified(api, id string, state State) []request {
	if id == "" {
		return nil
	}
	got := new(answer)
	if has, ok := a.ids[api][id]; ok {
		got = &answer{status: http.StatusNotFound, day: a.today}
		if has {
			got.status = http.StatusOK
		}
	}
	return []request{{address: join(api, "resolve/"+id+"/"), state: state, known: got}}
}

// byHash is the path of the API that finds a source by its hash, "" for none, and what
// its answer has to be.
func byHash(q Question) (string, judge) {
	switch {
	case q.Recursive && q.Algorithm == "sha256":
		return "extid/nar-sha256/hex:" + q.Hash + "/?extid_version=1", anExtID("nar-sha256", q.Hash)
	case q.Recursive:
		return "", nil
	case q.Algorithm == "sha512":
		return "extid/checksum-sha512/hex:" + q.Hash + "/?extid_version=1", anExtID("checksum-sha512", q.Hash)
	case q.Algorithm == "sha256" || q.Algorithm == "sha1":
		return "content/" + q.Algorithm + ":" + q.Hash + "/", aContent(q.Algorithm, q.Hash)
	}
	return "", nil
}

// originPath is the path of the API for a repository; false for one that is not of the
// web, or whose address has a password, which is not for an archive.
func originPath(origin string) (string, bool) {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return "", false
	}
	path, ok := escaped(strings.Split(origin, "/")...)
	return "origin/" + path + "/get/", ok
}

// escaped is a path of these segments; false for one that leads out of where it begins.
func escaped(segments ...string) (string, bool) {
	all := make([]string, len(segments))
	for i, s := range segments {
		if s == "." || s == ".." {
			return "", false
		}
		all[i] = url.PathEscape(s)
	}
	return strings.Join(all, "/"), true
}

// join appends a path to the address of a server.
func join(server, path string) string {
	return cmp.Or(strings.TrimRight(server, "/"), server) + "/" + path
}
