package list

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"audit/inspect"
	"audit/inspect/registry"
)

// registry lists what a registry has below a name.
func (s Source) registry(ctx context.Context, rest string) (all []Entry, err error) {
	host, _, ok := strings.Cut(rest, "/")
	if !ok || host == "" {
		return nil, &SyntaxError{"docker://" + rest, errors.New("HOST/NAMESPACE/ or HOST/REPOSITORY belongs here")}
	}
	repositories := []string{rest}
	if strings.HasSuffix(rest, "/") {
		if repositories, err = s.Registry.Repositories(ctx, rest); err != nil {
			return nil, err
		}
	} else if last := rest[strings.LastIndexByte(rest, '/'):]; strings.ContainsAny(last, ":@") {
		return []Entry{entry("docker://" + rest)}, nil
	}
	for _, repository := range repositories {
		tags, err := s.Registry.Tags(ctx, repository)
		problem, isOwn := ownProblem(err)
		switch {
		case err != nil && (!isOwn || len(repositories) == 1 && repositories[0] == rest):
			return nil, err
		case err == nil && len(tags) == 0:
			problem = "the registry lists it, and it has no tags"
		}
		if problem != "" {
			e := entry("docker://" + repository)
			e.Problem = problem
			all = append(all, e)
		}
		for _, tag := range tags {
			all = append(all, entry("docker://"+repository+":"+tag))
		}
		if len(all) > maxImages {
			return nil, tooMany("docker://" + rest)
		}
	}
	return all, nil
}

// ownProblem is why a registry has no tags of one repository, where others of it may
// have some: it has been deleted, is not for this user, or has a name that none can have.
func ownProblem(err error) (problem string, isOwn bool) {
	var form *inspect.FormatError
	switch code := registry.RefusedWith(err); {
	case err == nil:
		return "", false
	case code == http.StatusNotFound:
		return "the registry lists it, and does not have it: it has no tags", true
	case code == http.StatusForbidden || code == http.StatusUnauthorized || errors.As(err, &form):
		return err.Error(), true
	}
	return "", false
}
