// SPDX-License-Identifier: Apache-2.0
/*
 * The pages of a kdump file (docs/vmcore.md has the layout): a descriptor for each that is kept, in
 * the order of their frames, and their data, in any order: every thread claims room for what it has
 * packed. Pages of zeros share one piece of data.
 *
 * What a descriptor says is known when its page is packed, and all descriptors lie at one place.
 * Were that before the data, a digest could not begin until all is packed. So the sub-header, which
 * may be of any length, has room at its end for most of the data, and the digest follows as they
 * are written; how much room is reckoned from a sample. What finds none lies behind the
 * descriptors.
 */
#include <endian.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"

/* of the header: how many blocks the sub-header has */
#define SUB_BLOCKS_AT 432
#define MOST_SUB_BLOCKS INT32_MAX
#define LEAST_SAMPLE 64u
#define MOST_SAMPLE 1024u

struct descriptor {
	uint64_t offset;
	uint32_t size, flags;
	uint64_t page_flags;
};

struct job {
	const struct pages *pages;
	uint64_t units;
	uint64_t *before; /* kept frames before each unit */
	uint64_t descriptors_at;
	struct descriptor zero;
	pthread_mutex_t lock;
	uint64_t room_end; /* of the sub-header's */
	uint64_t end;	   /* of the data that have a place */
	uint64_t rest_at;  /* where data lie that find no room */
	unsigned threads;
	uint64_t claimed[MOST_THREADS + 1]; /* what each writes, or UINT64_MAX */
};

struct own {
	struct packer *packer;
	uint64_t *claimed;
	uint8_t *pages;
	uint8_t *data; /* what is written: of pages that are not packed, themselves */
	struct descriptor descriptors[UNIT];
	/* the pages that are not of zeros, and which of the descriptors are theirs */
	unsigned count;
	struct some {
		unsigned page, descriptor;
	} some[UNIT];
};

uint64_t pages_bitmap_bytes(const struct pages *pages)
{
	return (pages->frames + 8 * PAGE - 1) / (8 * PAGE) * PAGE;
}

/* which frames of a unit are kept */
static uint64_t kept(const struct pages *pages, uint64_t unit)
{
	uint64_t bits;

	_Static_assert(UNIT == 64, "a unit is a word of the bitmap");
	memcpy(&bits, pages->kept + 8 * unit, sizeof(bits));
	return le64toh(bits);
}

static struct own *own_new(enum compression compression)
{
	struct own *own = malloc(sizeof(*own));

	if (!own)
		die("out of memory");
	own->packer = packer_new(compression);
	own->pages = buffer_new();
	own->data = compression == NONE ? own->pages : buffer_new();
	return own;
}

static void *begin(void *argument)
{
	struct job *job = argument;
	struct own *own = own_new(job->pages->compression);

	pthread_mutex_lock(&job->lock);
	own->claimed = &job->claimed[job->threads++];
	pthread_mutex_unlock(&job->lock);
	return own;
}

static void end(void *argument)
{
	struct own *own = argument;

	packer_free(own->packer);
	if (own->data != own->pages)
		free(own->data);
	free(own->pages);
	free(own);
}

/* Reads the kept pages of a unit, a run at a time, each to its place. */
static bool read_unit(uint64_t bits, struct own *own, uint64_t first)
{
	bool data = false;

	while (bits) {
		unsigned from = (unsigned)__builtin_ctzll(bits);
		uint64_t clear = ~(bits >> from);
		unsigned count = clear ? (unsigned)__builtin_ctzll(clear) : UNIT;

		if (memory_read((first + from) * PAGE, own->pages + from * PAGE, count * PAGE))
			data = true;
		bits = from + count < UNIT ? bits & ~0ull << (from + count) : 0;
	}
	return data;
}

/* Packs some pages, the first of them to a place in the unit's data; the descriptors' offsets are
 * from where these will begin. Returns the place behind. */
static size_t pack_some(const struct job *job, struct own *own, const struct some *some,
			unsigned count, size_t at)
{
	const uint8_t *pages[TOGETHER] = { 0 };
	uint8_t *into[TOGETHER] = { 0 };
	size_t lengths[TOGETHER];

	for (unsigned i = 0; i < count; i++) {
		pages[i] = own->pages + some[i].page * PAGE;
		into[i] = own->data + at + i * PAGE;
	}
	packer_pack(own->packer, count, pages, into, lengths);
	for (unsigned i = 0; i < count; i++) {
		bool packed = lengths[i] > 0;
		const uint8_t *from = packed ? into[i] : pages[i];
		size_t length = packed ? lengths[i] : PAGE;

		own->descriptors[some[i].descriptor] =
			(struct descriptor){ .offset = at,
					     .size = (uint32_t)length,
					     .flags = packed ? job->pages->compression : 0 };
		if (from != own->data + at)
			memmove(own->data + at, from, length);
		at += length;
	}
	return at;
}

/* Packs all; returns how long the data are. */
static size_t pack(const struct job *job, struct own *own)
{
	size_t length = 0;

	for (unsigned i = 0; i < own->count; i += TOGETHER) {
		unsigned left = own->count - i;

		length = pack_some(job, own, &own->some[i], left < TOGETHER ? left : TOGETHER,
				   length);
	}
	return length;
}

/* Packs the page that was read to the unit's first place, alone. */
static size_t pack_one(const struct job *job, struct own *own)
{
	own->some[0] = (struct some){ 0, 0 };
	return pack_some(job, own, own->some, 1, 0);
}

static uint64_t claim(struct job *job, struct own *own, size_t length)
{
	uint64_t at;

	pthread_mutex_lock(&job->lock);
	if (job->end <= job->room_end && job->end + length > job->room_end)
		job->end = job->rest_at;
	at = job->end;
	job->end += length;
	*own->claimed = at;
	pthread_mutex_unlock(&job->lock);
	return at;
}

/* The digest is close behind. */
static void keep(struct own *own, uint64_t at, size_t length)
{
	bool same = own->data == own->pages;

	own->data = digest_keep(at, own->data, length);
	if (same)
		own->pages = own->data;
}

static void piece(void *argument, void *mine, uint64_t number)
{
	struct job *job = argument;
	struct own *own = mine;
	uint64_t bits = kept(job->pages, number), at;
	size_t length;
	unsigned count = 0;
	bool data;

	if (!bits)
		return;
	data = read_unit(bits, own, number * UNIT);
	own->count = 0;
	for (; bits; bits &= bits - 1, count++) {
		unsigned i = (unsigned)__builtin_ctzll(bits);

		own->descriptors[count] = job->zero;
		if (data && !page_is_zero(own->pages + i * PAGE))
			own->some[own->count++] = (struct some){ i, count };
	}
	length = pack(job, own);
	at = claim(job, own, length);
	for (unsigned i = 0; i < own->count; i++)
		own->descriptors[own->some[i].descriptor].offset += at;
	output_write(at, own->data, length);
	if (at < job->room_end)
		keep(own, at, length);
	output_write(job->descriptors_at + job->before[number] * sizeof(struct descriptor),
		     own->descriptors, count * sizeof(struct descriptor));
	progress_add((uint64_t)count * PAGE);
	progress_pause();
}

/* Before the first that is being written, all has been. */
static void after(void *argument, void *mine, uint64_t done)
{
	struct job *job = argument;
	struct own *own = mine;
	uint64_t written;

	(void)done;
	pthread_mutex_lock(&job->lock);
	*own->claimed = UINT64_MAX;
	written = job->end < job->room_end ? job->end : job->room_end;
	for (unsigned i = 0; i < job->threads; i++) {
		if (job->claimed[i] < written)
			written = job->claimed[i];
	}
	pthread_mutex_unlock(&job->lock);
	digest_follow(written);
}

/* The frame of the kept page with a number. */
static uint64_t frame_of(const struct job *job, uint64_t number)
{
	uint64_t low = 0, high = job->units - 1, bits;

	while (low < high) {
		uint64_t middle = (low + high + 1) / 2;

		if (job->before[middle] <= number)
			low = middle;
		else
			high = middle - 1;
	}
	bits = kept(job->pages, low);
	for (uint64_t i = job->before[low]; i < number; i++)
		bits &= bits - 1;
	return low * UNIT + (unsigned)__builtin_ctzll(bits);
}

/* How long all data will be at least, most likely: reckoned from a page of every so many, less two
 * standard errors. */
static uint64_t reckon(const struct job *job)
{
	uint64_t count = job->before[job->units], sample = count / 128, noise = 1;
	double sum = 0, squares = 0, mean, error, least;
	struct own *own = own_new(job->pages->compression);

	sample = sample < LEAST_SAMPLE ? LEAST_SAMPLE : sample > MOST_SAMPLE ? MOST_SAMPLE : sample;
	for (uint64_t i = 0; i < sample && count > 0; i++) {
		uint64_t from = i * count / sample, width = (i + 1) * count / sample - from;
		double length = 0;

		/* not at equal distances: memory has its periods. A linear congruential generator,
		 * Knuth's. */
		noise = noise * 6364136223846793005ull + 1442695040888963407ull;
		from += width > 0 ? (noise >> 33) % width : 0;
		if (memory_read(frame_of(job, from) * PAGE, own->pages, PAGE) &&
		    !page_is_zero(own->pages))
			length = (double)pack_one(job, own);
		sum += length;
		squares += length * length;
	}
	end(own);
	mean = sum / (double)sample;
	error = sqrt((squares / (double)sample - mean * mean) / (double)sample);
	least = (mean - 2 * error) * (double)count;
	return least > 0 ? (uint64_t)least : 0;
}

/* The page of zeros that all share. */
static void write_zero(struct job *job)
{
	struct own *own = begin(job);
	size_t length;

	memset(own->pages, 0, PAGE);
	length = pack_one(job, own);
	job->zero = own->descriptors[0];
	job->zero.offset = claim(job, own, length);
	output_write(job->zero.offset, own->data, length);
	*own->claimed = UINT64_MAX;
	end(own);
}

/* Where everything is to be. */
static void place(struct job *job, bool digested)
{
	const struct pages *pages = job->pages;
	uint64_t blocks = pages->position / PAGE - 1, most = MOST_SUB_BLOCKS - blocks;
	uint64_t room = digested ? reckon(job) / PAGE : 0, bitmap = pages_bitmap_bytes(pages);
	uint64_t bitmaps_at;
	uint32_t said;

	room = room < most ? room : most;
	said = htole32((uint32_t)(blocks + room));
	output_write(SUB_BLOCKS_AT, &said, sizeof(said));
	bitmaps_at = pages->position + room * PAGE;
	output_write(bitmaps_at, pages->ram, bitmap);
	output_write(bitmaps_at + bitmap, pages->kept, bitmap);
	job->descriptors_at = bitmaps_at + 2 * bitmap;
	job->rest_at = job->descriptors_at + job->before[job->units] * sizeof(struct descriptor);
	job->end = pages->position;
	job->room_end = bitmaps_at;
}

void pages_write(const struct pages *pages, unsigned threads, bool digested)
{
	struct job job = { .pages = pages, .units = (pages->frames + UNIT - 1) / UNIT };
	const struct crew_work work = { job.units, begin, piece, after, end };

	memset(job.claimed, 0xff, sizeof(job.claimed));
	pthread_mutex_init(&job.lock, NULL);
	job.before = calloc(job.units + 1, sizeof(*job.before));
	if (!job.before)
		die("out of memory");
	for (uint64_t i = 0; i < job.units; i++)
		job.before[i + 1] = job.before[i] + (unsigned)__builtin_popcountll(kept(pages, i));
	place(&job, digested);
	write_zero(&job);
	crew_run(threads, &work, &job);
	free(job.before);
	pthread_mutex_destroy(&job.lock);
}
