package inspect

// link finds out which store items name which: only now all are known.
func (img *Image) link(b *budget) {
	img.Items = mergeItems(img.Layers)
	known := newDirectory(img.Items, b)
	owners := make(map[string]*StoreItem, len(img.Items))
	for i := range img.Items {
		owners[img.Items[i].Path] = &img.Items[i]
	}
	for _, l := range img.Layers {
		for _, g := range l.items {
			owner := owners[g.Path]
			owner.References = merge(owner.References, g.seen.among(known))
			img.Dangling = append(img.Dangling, g.seen.missing(known, l.Index)...)
		}
		for _, seen := range l.loose {
			img.addLoose(seen, known, l.Index)
		}
		l.items, l.loose = nil, nil
	}
	img.scanConfig(known, b)
	sortReferences(img.Dangling)
	sortReferences(img.Loose)
	if b.left.Load() < 0 {
		img.incomplete()
	}
}

// incomplete says of every store item that its references are not known. What
// was found before the budget ran out depends on which layer was read first.
func (img *Image) incomplete() {
	const why = "too many strings look like store hashes: its references are not known"
	for i := range img.Items {
		img.Items[i].Problem, img.Items[i].References = why, nil
	}
	img.Dangling, img.Loose = nil, nil
}

func (img *Image) scanConfig(known directory, b *budget) {
	seen := &sightings{budget: b}
	scan := scanner{seen: seen}
	scan.write(img.Config.Raw)
	scan.close()
	img.addLoose(seen, known, -1)
}

func (img *Image) addLoose(seen *sightings, known directory, layer int) {
	for _, to := range seen.among(known) {
		img.Loose = append(img.Loose, Reference{From: seen.from, Layer: layer, To: to})
	}
	img.Dangling = append(img.Dangling, seen.missing(known, layer)...)
}
