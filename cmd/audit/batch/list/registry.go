package list

import (
	"context"
	"errors"
	"strings"
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
		if err != nil {
			return nil, err
		}
		for _, tag := range tags {
			all = append(all, entry("docker://"+repository+":"+tag))
		}
	}
	return all, nil
}
