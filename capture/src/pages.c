// SPDX-License-Identifier: Apache-2.0
/*
 * The pages of a kdump file (docs/vmcore.md has the layout): a descriptor for each that is kept, in
 * the order of their frames, and their data behind, in any order: every thread claims room for what
 * it has packed. Pages of zeros share one piece of data.
 */
#include <stdlib.h>
#include <string.h>

#include "capture.h"

struct descriptor {
	uint64_t offset;
	uint32_t size, flags;
	uint64_t page_flags;
};

struct job {
	const struct pages *pages;
	uint64_t *before; /* kept frames before each unit */
	uint64_t end;	  /* of the data that has a place */
	struct descriptor zero;
};

struct own {
	struct packer *packer;
	uint8_t pages[UNIT * PAGE];
	uint8_t data[UNIT * PAGE];
	struct descriptor descriptors[UNIT];
};

static bool keeps(const struct pages *pages, uint64_t frame)
{
	return frame < pages->frames && (pages->kept[frame / 8] >> (frame % 8) & 1);
}

static void *begin(void *argument)
{
	const struct job *job = argument;
	struct own *own = malloc(sizeof(*own));

	if (!own)
		die("out of memory");
	own->packer = packer_new(job->pages->compression);
	return own;
}

static void end(void *argument)
{
	struct own *own = argument;

	packer_free(own->packer);
	free(own);
}

/* Reads the kept pages of a unit, a run at a time, each to its place. */
static bool read_unit(const struct pages *pages, struct own *own, uint64_t first)
{
	bool data = false;

	for (unsigned i = 0; i < UNIT; i++) {
		unsigned to = i;

		while (to < UNIT && keeps(pages, first + to))
			to++;
		if (to > i &&
		    memory_read((first + i) * PAGE, own->pages + i * PAGE, (to - i) * PAGE))
			data = true;
		i = to;
	}
	return data;
}

/* Packs a page behind those before; the descriptor's offset is from where the unit's data will
 * begin. */
static size_t pack(const struct job *job, struct own *own, unsigned index, size_t at,
		   struct descriptor *descriptor)
{
	const uint8_t *page = own->pages + index * PAGE;
	size_t length = packer_pack(own->packer, page, own->data + at);

	if (length == 0) {
		memcpy(own->data + at, page, PAGE);
		*descriptor = (struct descriptor){ .offset = at, .size = PAGE };
		return PAGE;
	}
	*descriptor = (struct descriptor){ .offset = at,
					   .size = (uint32_t)length,
					   .flags = job->pages->compression };
	return length;
}

static void piece(void *argument, void *mine, uint64_t number)
{
	struct job *job = argument;
	struct own *own = mine;
	uint64_t first = number * UNIT, at;
	size_t length = 0;
	unsigned count = 0;
	bool zero[UNIT], data;

	if (job->before[number + 1] == job->before[number])
		return;
	data = read_unit(job->pages, own, first);
	for (unsigned i = 0; i < UNIT; i++) {
		if (!keeps(job->pages, first + i))
			continue;
		zero[count] = !data || page_is_zero(own->pages + i * PAGE);
		if (zero[count])
			own->descriptors[count] = job->zero;
		else
			length += pack(job, own, i, length, &own->descriptors[count]);
		count++;
	}
	at = __atomic_fetch_add(&job->end, length, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < count; i++)
		own->descriptors[i].offset += zero[i] ? 0 : at;
	output_write(at, own->data, length);
	output_write(job->pages->descriptors_at + job->before[number] * sizeof(struct descriptor),
		     own->descriptors, count * sizeof(struct descriptor));
	progress_add((uint64_t)count * PAGE);
	progress_pause();
}

/* The page of zeros that all share lies behind the descriptors. */
static void write_zero(struct job *job, uint64_t position)
{
	struct own *own = begin(job);

	memset(own->pages, 0, PAGE);
	job->end = position + pack(job, own, 0, 0, &job->zero);
	job->zero.offset = position;
	output_write(position, own->data, job->end - position);
	end(own);
}

void pages_write(const struct pages *pages, unsigned threads)
{
	uint64_t units = (pages->frames + UNIT - 1) / UNIT;
	struct job job = { .pages = pages };
	const struct crew_work work = { units, begin, piece, end };

	job.before = calloc(units + 1, sizeof(*job.before));
	if (!job.before)
		die("out of memory");
	for (uint64_t i = 0; i < units; i++) {
		job.before[i + 1] = job.before[i];
		for (unsigned k = 0; k < UNIT; k++)
			job.before[i + 1] += keeps(pages, i * UNIT + k);
	}
	write_zero(&job, pages->descriptors_at + job.before[units] * sizeof(struct descriptor));
	crew_join(crew_start(threads, &work, &job));
	free(job.before);
}
