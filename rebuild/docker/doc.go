// Package docker builds images again from their Dockerfile, with the engines
// that people build them with.
//
// [NewPlan] turns what an image's provenance tells, or a source that the user
// names, into a plan: a command line of docker build, the one form that all
// engines have in common, with what it pins beside it. [Builder] runs a plan
// with one of
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
// when it cannot be told which one that was: then the first that is there, in
// the order above.
//
// Nothing is taken from a cache: a rebuild must have been built. What the build
// starts from is fetched by the engine: the source at the commit, and the images
// and downloads at the digests, that the provenance names. Instructions have no
// network unless the user gives them one.
//
// Command lines and messages follow Docker 20.10 and 28, BuildKit 0.20 and
// buildah 1.28.
package docker
