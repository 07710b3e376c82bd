// Package docker builds images again from their Dockerfile, with the engines
// that people build them with.
//
// [NewPlan] turns what an image's provenance says, or a source that the user
// names, into a plan with [Details]: what is built, with what, and what may be
// fetched at which digests. The command line of an engine is made of them when it
// is run, and is never read back. [Builder] runs a plan with one of
//
//	classic   docker build, the builder inside Docker's engine (DOCKER_BUILDKIT=0)
//	buildkit  buildctl, for the BuildKit that BUILDKIT_HOST names, or docker
//	          build with the BuildKit inside Docker's engine; that one first
//	          when docker save wrote the original
//	buildah   buildah build
//
// and [Script] writes the plan as a shell script for another machine.
//
// Each engine writes a history of its own into the config. So the engine that
// built the original is taken, and another one only when the user says so, or
// when it is not known which one that was: then the first that is there, in
// the order above.
//
// Nothing is taken from a cache: a rebuild must have been built. What the build
// starts from is fetched by the engine: the source at the commit, and the images
// and downloads at the digests, that the provenance names. Instructions have no
// network unless the user gives them one.
//
// # Trust
//
// The provenance beside an image is unsigned, so it starts nothing: each address
// that it names (of the context, of named contexts, of downloads, of base images)
// is an item of the plan's list, and needs the user's word in --trust-source. The
// same holds for a stored plan, whoever wrote it; and no folder of this machine is
// built from but the one that --source names. What BuildKit may fetch beside what is
// pinned follows from the flags of the run, not from the plan.
//
// A frontend (# syntax=IMAGE in a Dockerfile, BUILDKIT_SYNTAX, the gateway of an
// attestation) is a program that BuildKit runs before the build, with the network.
// It is run only where --trust-source names its image, the user's own source not
// excepted: who names a source does not name what it fetches from elsewhere. In
// all other builds BuildKit's own frontend is kept: by an option of buildctl, and
// with docker build, which has none, by not building what nobody has looked into.
//
// What the user gives may be secret: values of build arguments and the user info
// of an address are in no plan, log or script. A builder takes them from
// Job.Settings, a script from its environment.
//
// Engines get no agent's socket; and where the source is the image's word, no
// logins either.
//
// Command lines and messages follow Docker 20.10 and 28, BuildKit 0.20 and
// buildah 1.28.
package docker
