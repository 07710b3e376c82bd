package inspect

import (
	"context"
	"fmt"

	"audit/inspect/pass"
	"audit/inspect/registry"
)

// AddStatements adds to an image the statements about it that a repository of a
// registry has ("HOST/NAME"): rebuilders put theirs into one of their own. Documents
// that cannot be read are noted among the problems, and a list that cannot be had sets
// MoreAttestations.
func AddStatements(ctx context.Context, img *Image, repository string, opt Options) error {
	if err := registry.AddStatements(pass.New(ctx, opt), repository, img); err != nil {
		return fmt.Errorf("reading statements in %s: %w", repository, err)
	}
	return nil
}
