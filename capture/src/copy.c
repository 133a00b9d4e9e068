// SPDX-License-Identifier: Apache-2.0
/* Memory as it is, run by run; pages of zeros are left out, for what is not written is zeros. */
#include <stdlib.h>
#include <string.h>

#include "capture.h"

#define PIECE ((uint64_t)UNIT * PAGE)

struct job {
	struct run *pieces;
	uint64_t count;
	bool digested;
};

struct own {
	uint8_t *bytes;
};

static void *begin(void *argument)
{
	struct own *own = malloc(sizeof(*own));

	(void)argument;
	if (!own)
		die("out of memory");
	own->bytes = buffer_new();
	return own;
}

static void end(void *argument)
{
	struct own *own = argument;

	free(own->bytes);
	free(own);
}

static void piece(void *argument, void *mine, uint64_t number)
{
	const struct job *job = argument;
	const struct run *run = &job->pieces[number];
	struct own *own = mine;
	uint8_t *buffer = own->bytes;
	size_t length = (size_t)run->length, from = 0;

	if (memory_read(run->physical, buffer, length)) {
		for (size_t at = 0; at <= length; at += PAGE) {
			if (at < length && !page_is_zero(buffer + at))
				continue;
			output_write(run->position + from, buffer + from, at - from);
			from = at + PAGE;
		}
	}
	if (job->digested)
		own->bytes = digest_keep(run->position, buffer, length);
	progress_add(length);
	progress_pause();
}

/* Runs are in the order of their positions: what is before a piece that is being copied is as it
 * will be. */
static void after(void *argument, void *own, uint64_t done)
{
	const struct job *job = argument;

	(void)own;
	if (done < job->count)
		digest_follow(job->pieces[done].position);
}

static struct job split(const struct run *runs, uint64_t count)
{
	struct job job = { 0 };

	for (uint64_t i = 0; i < count; i++)
		job.count += (runs[i].length + PIECE - 1) / PIECE;
	job.pieces = calloc(job.count, sizeof(*job.pieces));
	if (job.count > 0 && !job.pieces)
		die("out of memory");
	job.count = 0;
	for (uint64_t i = 0; i < count; i++) {
		for (uint64_t at = 0; at < runs[i].length; at += PIECE) {
			uint64_t left = runs[i].length - at;

			job.pieces[job.count++] =
				(struct run){ runs[i].physical + at, left < PIECE ? left : PIECE,
					      runs[i].position + at };
		}
	}
	return job;
}

void copy_write(const struct run *runs, uint64_t count, unsigned threads, bool digested)
{
	struct job job = split(runs, count);
	const struct crew_work work = { job.count, begin, piece, after, end };

	job.digested = digested;
	crew_run(threads, &work, &job);
	free(job.pieces);
}
