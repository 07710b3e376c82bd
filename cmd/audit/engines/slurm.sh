#!/bin/sh
# {{.Shards}} tasks of audit batch, {{.AtATime}} at a time. To submit them, and a summary that runs when
# all have ended, however they ended:
#
#   sh FILE
#
# or the tasks alone, with sbatch FILE. Options of sbatch and SBATCH_... variables override
# what stands here. To run some tasks again: sbatch --array=3,5 FILE. Which images a task
# does follows from the list and from the {{.Shards}} below; Slurm's own count would then be 2.
#SBATCH --job-name=audit
#SBATCH --array=1-{{.Shards}}%{{.AtATime}}
#SBATCH --cpus-per-task={{.Jobs}}
#SBATCH --mem-per-cpu=1G
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:TERM@30
set -eu
if [ -z "${SLURM_ARRAY_TASK_ID-}" ]; then
  job=$(sbatch --parsable "$0")
  exec sbatch --job-name=audit-summary --dependency="afterany:${job%%;*}" --wrap={{quote (print "exec " .Summary)}}
fi
exec {{.Batch}}
