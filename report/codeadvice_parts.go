package report

// partsAdvice is about codes that are no findings: parts of the sentence of one, and why a
// plan is run or refused. What is said of the check that they belong to is not true of them.
func partsAdvice() []codeAdvice {
	const (
		part   = "It is no finding, but a part of the sentence of one, or of a difference: alone it says nothing for or against the image."
		listed = "A rebuild runs programs and fetches from addresses. Of each the plan says whether it is trusted, and by what."
		asked  = "A rebuild would run it, or fetch from it, because the image says so, and images are written by anybody."
		lacks  = "Without it nothing is built: the plan is refused, here and on any other machine. It says nothing against the image."
	)
	return []codeAdvice{
		{codes: "value/*", why: part,
			todo: "Read the whole sentence. Where it is that of a difference, its cause says what usually brings it about: audit help difference/."},
		{codes: "difference/*",
			why: "It is no finding, but the evidence of a difference: it says where the two images part. How grave that is, its cause says, which stands before it.",
			todo: "Look the cause up: it says what usually brings the difference about, and what to change in the build. Of the cause content " +
				"that is audit help difference/content, and of each other likewise."},
		{codes: "item/*", why: part,
			todo: "See the finding that has it. Get the image again, or ask for it as it was packed: until its NAR hash is known nobody's signature can be compared with the item."},
		{codes: "mark/*", why: part, todo: "Nothing has to be done: several marks together say which version packed the image."},
		{codes: "sign/*", why: part, todo: "Nothing has to be done: it says where to look for the name of the store item."},
		{codes: "answer/*", why: part,
			todo: "See the finding that has it, which names the server. Ask again later, or ask another: --substitutes URL, --rebuilders URL. What one server does not answer speaks against nothing."},
		{codes: "known/*", why: "A difference with a known reason is no sign that anybody changed the image. It stays a difference: the verdict is the same.",
			todo: "Nothing has to be done about the image. Whoever wants the same bytes each time sets in the build what the sentence names, or takes a version that does not do this."},
		{codes: "why/*", why: "It is a guess from the log of a build that failed, and says nothing about the image.",
			todo: "Do what the sentence says, and build again."},

		{codes: "plan/*", why: lacks,
			todo: "Give what the sentence names, if you have it and trust it, and run audit again."},
		{codes: "plan/refused", why: "A plan is refused where something that it needs is lacking or not trusted. It is refused wherever it runs, and says nothing against the image.",
			todo: "See the reasons that stand beside it, and plan.json: each names what to give, or the flag that allows what the image wants to run or fetch. Without these run nothing; audit compare compares the image with one that was built otherwise."},
		{codes: "plan/no-recipe plan/nothing-to-compare plan/definition-not-followed", why: lacks,
			todo: "Ask the author how the image was made, and build it that way yourself; audit IMAGE --rebuilt OTHER, or audit compare, compares the two."},
		{codes: "plan/malformed", why: lacks,
			todo: "Make the plan again from the image, audit IMAGE: one that was written by hand or by another version is not run."},
		{codes: "plan/no-builder-asked", why: "A rebuild takes time and runs programs, and is made only where it is asked for.",
			todo: "Leave --builder none out to have the recipe built again, or name another builder."},
		{codes: "plan/other-builder", why: "A recipe is built by the system that it is written for.",
			todo: "Name the builder of that system, or leave --builder to audit."},
		{codes: "plan/made-elsewhere", why: "The image that was given is compared in place of one that is built here.", todo: worthKnowing},
		{codes: "plan/needs-trust plan/not-trusted plan/not-given plan/address-not-named plan/address-special plan/program-* plan/channel-* plan/transformation-*", why: asked,
			todo: "Look at what is named. If you trust it, give the flag that the sentence names, and nothing wider; if you do not, leave it unbuilt."},
		{codes: "plan/network-*", why: "What an instruction fetches in a build comes from wherever it says, and is pinned by nothing.",
			todo: "Give --network, if you trust what the instructions fetch, or leave it unbuilt."},
		{codes: "plan/address-named plan/program-named plan/channel-official plan/channel-named plan/channel-named-unauthenticated plan/channel-mirrored plan/channel-mirrored-unauthenticated " +
			"plan/given-* plan/instructions-* plan/named-by-* plan/package-signed plan/source-given plan/source-without-commit plan/transformation-chooses plan/transformation-named", why: listed,
			todo: "Nothing has to be done: it says why this is trusted. Where you did not mean to trust it, leave the flag out."},
	}
}
