package report

// derivationSentences are the sentences of the check derivation, by code.
func derivationSentences() map[string]string {
	return map[string]string{
		"derivation/no-builder":        "{error}",
		"derivation/not-evaluated":     "the recipe was not evaluated",
		"derivation/evaluation-failed": "the recipe could not be evaluated",
		"derivation/no-items":          "the image has no store items to compare with the recipe",
		"derivation/all-derived":       "evaluating the recipe gives the store paths of the image, all {items}",
		"derivation/items-differ":      "{differing} of {items:count store item} have other paths than the recipe gives",
		"derivation/known-after-build": "{items:count store path} of the image are none that the recipe gives, and some of the recipe's are known only after the build",
		"derivation/item-not-derived":  "no derivation of the recipe makes it[; the recipe gives {instead} instead]",
	}
}
