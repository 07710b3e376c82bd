// Package records reads what the packages of languages, and of tools that install
// software, say of themselves in an image: their names, versions and licences, and
// the files that they list with digests.
//
// [Keep] and [Wanted] say whose contents that needs, and [Read] reads all of them once:
// the bill of materials lists the components, and [All.Vouch] says of each file that a
// record has it. Nobody signs these records. That a file has the digest in a record says
// that it was not changed since it was installed by somebody who left the record alone,
// and no more.
//
// An ecosystem is one value in one list, and a file here:
//
//	conda      conda-meta/*.json: files with digests, in the package and with the prefix in them
//	spack      .spack/spec.json and install_manifest.json
//	easybuild  the easyconfig beside what was installed
//	python     METADATA and RECORD of wheels, egg-info, eggs (packaging.python.org)
//	r          DESCRIPTION of packages in a library; MD5 of binary packages
//	npm        package.json below node_modules, the lock of the project, and the files of
//	           a package whose tarball lies there with the digest in the lock
//	gem        specifications of RubyGems
//	composer   vendor/composer/installed.json of PHP
//	nuget      *.deps.json of .NET
//	java       manifests and pom.properties of archives, and of archives in them; the
//	           digests in a repository of Maven
//	rust       the crates that cargo-auditable noted in programs
//	go         the modules that Go noted in programs
//
// What a record costs to read is bounded in proportion to its bytes, and what is not
// read is said.
package records
