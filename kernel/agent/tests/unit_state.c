// SPDX-License-Identifier: Apache-2.0
/* The parts of a workload's state: digests, blobs, regions, written pages, open files. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

static void digest_is(uint16_t algorithm, const void *bytes, size_t length, const char *expected)
{
	uint8_t result[KMP_MAX_DIGEST_BYTES];
	/* in one, and in every two */
	for (size_t cut = 0; cut <= length; cut += length > 1000 ? 997 : 1) {
		char text[2 * KMP_MAX_DIGEST_BYTES + 1] = "";
		struct digest digest;
		size_t size;

		digest_begin(&digest, algorithm);
		digest_add(&digest, bytes, cut);
		digest_add(&digest, (const uint8_t *)bytes + cut, length - cut);
		size = digest_end(&digest, result);
		for (size_t i = 0; i < size; i++)
			sprintf(text + 2 * i, "%02x", result[i]);
		MUST(strcmp(text, expected) == 0);
	}
}

/* FIPS 180-4 by way of NIST's examples; XXH64 little-endian, as docs/kmp.md has it. */
static void digests_are_those_of_their_specifications(void)
{
	static const char alphabet[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	static const char spam[] = "Nobody inspects the spammish repetition";
	static uint8_t many[100000];

	digest_is(KMP_DIGEST_SHA256, "", 0,
		  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	digest_is(KMP_DIGEST_SHA256, "abc", 3,
		  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	digest_is(KMP_DIGEST_SHA256, alphabet, strlen(alphabet),
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	memset(many, 'a', sizeof(many));
	digest_is(KMP_DIGEST_XXH64, "", 0, "99e9d85137db46ef");
	digest_is(KMP_DIGEST_XXH64, "abc", 3, "990977adf52cbc44");
	digest_is(KMP_DIGEST_XXH64, spam, strlen(spam), "f18b378a3ca8cefb");
	MUST(xxh64(spam, strlen(spam), 0) == 0xfbcea83c8a378bf1);
	MUST(xxh64("abc", 3, 0) == 0x44bc2cf5ad770999);
}

static void a_blob_has_a_limit_and_a_reader_an_end(void)
{
	struct blob blob = { 0 };
	const uint8_t *at, *end;
	char taken[4];

	blob_add(&blob, "abcd", 4);
	blob_add(&blob, "efg", 3);
	MUST(!blob.failed && blob.length == 7);
	at = blob.bytes;
	end = at + blob.length;
	MUST(blob_take(&at, end, taken, 4) && memcmp(taken, "abcd", 4) == 0);
	MUST(!blob_take(&at, end, taken, 4) && at == blob.bytes + 4);
	MUST(blob_take(&at, end, taken, 3) && at == end);
	MUST(blob_grow(&blob, MAX_BLOB - 7));
	MUST(!blob_grow(&blob, 1) && blob.failed);
	MUST(!blob_grow(&blob, 0));
	free(blob.bytes);
}

static void regions_are_known_by_their_numbers_and_limited(void)
{
	int fd = memfd_create("twice", MFD_CLOEXEC);

	world_reset(KMP_WORKLOAD_HELD);
	MUST(region_add(3, KMP_KIND_MEMORY, "heap", PAGE, -1) == region_find(3));
	MUST(!region_add(3, KMP_KIND_MEMORY, "again", PAGE, fd));
	MUST(fcntl(fd, F_GETFD) < 0); /* it took it, and closed it */
	for (uint32_t i = 100; region_count < MAX_STATE_REGIONS; i++)
		MUST(region_add(i, KMP_KIND_OPAQUE, "more", 0, -1));
	MUST(!region_add(99, KMP_KIND_OPAQUE, "too many", 0, -1));
	regions_forget();
	MUST(!region_find(3));
}

static void a_rounds_digest_carries_on_the_last_ones(void)
{
	struct region region = { .id = 1 };
	uint8_t first[KMP_MAX_DIGEST_BYTES];

	region_begin_round(&region, KMP_DIGEST_SHA256);
	digest_add(&region.digest, "round", 5);
	region_end_round(&region);
	MUST(region.ended && region.last_digest_length == 32);
	memcpy(first, region.last_digest, 32);
	region_begin_round(&region, KMP_DIGEST_SHA256);
	digest_add(&region.digest, "round", 5);
	region_end_round(&region);
	/* the same bytes, after another round: another digest */
	MUST(memcmp(first, region.last_digest, 32) != 0);
}

static bool range_is(const struct region *region, size_t i, uint64_t from, uint64_t to)
{
	return region->ranges[i].from == from * PAGE && region->ranges[i].to == to * PAGE;
}

static void write_page(const struct region *region, uint64_t page, char byte)
{
	MUST(pwrite(region->fd, &byte, 1, (off_t)(page * PAGE)) == 1);
}

static void hashes_find_the_pages_that_were_written(void)
{
	static uint8_t pages[16 * PAGE];
	struct region *region;

	world_reset(KMP_WORKLOAD_RUNNING);
	region = region_find(0);
	MUST(region && region->size == sizeof(pages));
	MUST(memory_scan(1, false) && memory_tracker() == TRACK_HASH);
	MUST(region->range_count == 1 && range_is(region, 0, 0, 16));
	MUST(pread(region->fd, pages, sizeof(pages), 0) == sizeof(pages));
	memory_sent(region, 0, pages, sizeof(pages));
	MUST(memory_scan(2, false) && region->range_count == 0);
	write_page(region, 3, 'a');
	write_page(region, 4, 'b');
	write_page(region, 15, 'c');
	MUST(memory_scan(3, true) && region->range_count == 2);
	MUST(range_is(region, 0, 3, 5) && range_is(region, 1, 15, 16));
	memory_forget();
	MUST(memory_tracker() == TRACK_NONE && !region->hashes);
}

/* What a workload does to a file that it has brought is its own business, until it is ours. */
static void a_region_that_grows_or_shrinks_harms_nobody(void)
{
	struct region *region;

	world_reset(KMP_WORKLOAD_RUNNING);
	region = region_find(0);
	MUST(memory_scan(1, false) && memory_tracker() == TRACK_HASH);
	MUST(ftruncate(region->fd, (off_t)(region->size + 200 * PAGE)) == 0);
	MUST(memory_scan(2, false) && region->range_count == 1);
	MUST(range_is(region, 0, 0, 16));
	MUST(ftruncate(region->fd, PAGE) == 0);
	MUST(!memory_scan(3, false));
	memory_forget();
}

static bool is_welcome(int blob)
{
	struct kmorph_message hello = { .type = LINK_HELLO,
					.value = KMORPH_LINK_VERSION,
					.id = (uint32_t)getpid() };
	struct kmorph_message answer;
	bool heard;

	world_open_link(false);
	world_workload_says(&hello, blob);
	heard = world_workload_hears(&answer) && answer.type == LINK_WELCOME;
	link_close();
	close(blob);
	return heard;
}

static void a_blob_that_could_shrink_is_not_mapped(void)
{
	world_reset(KMP_WORKLOAD_STOPPED);
	MUST(is_welcome(world_blob(KMORPH_BLOB_BYTES, F_SEAL_SHRINK)));
	MUST(!is_welcome(world_blob(KMORPH_BLOB_BYTES, 0)));
	MUST(!is_welcome(world_blob(KMORPH_BLOB_BYTES - 1, F_SEAL_SHRINK)));
	MUST(!is_welcome(open("/dev/null", O_RDWR | O_CLOEXEC)));
}

static void zeros_are_zeros(void)
{
	uint8_t page[PAGE] = { 0 };

	MUST(is_zero(page, sizeof(page)));
	for (size_t i = 0; i < sizeof(page); i += 511) {
		page[i] = 1;
		MUST(!is_zero(page, sizeof(page)));
		page[i] = 0;
	}
	page[PAGE - 1] = 1;
	MUST(!is_zero(page, sizeof(page)));
}

/* Where files of these tests stand, and one of them. */
static char place[] = "/tmp/kmorph-agent-unit-XXXXXX";
static char path[64];
static char why[160];

static int open_file(const char *content, int flags)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	MUST(fd >= 0 && write(fd, content, strlen(content)) == (ssize_t)strlen(content));
	close(fd);
	fd = open(path, flags | O_CLOEXEC);
	MUST(fd >= 0);
	return fd;
}

/* The state of one file that the workload has open; it is closed then. */
static struct blob save(int fd)
{
	struct blob blob = { 0 };

	world_reset(KMP_WORKLOAD_RUNNING);
	link_carry(5, fd, false);
	close(fd);
	MUST(files_save(&blob, why, sizeof(why)));
	return blob;
}

static void a_file_is_opened_again_where_it_was_read(void)
{
	int fd = open_file("0123456789", O_RDONLY);
	struct blob blob;
	char next;

	MUST(lseek(fd, 4, SEEK_SET) == 4);
	blob = save(fd);
	MUST(files_restore(blob.bytes, blob.length, false, why, sizeof(why)));
	MUST(strcmp(why, "1 opened") == 0 && workload_link.carried_count == 1);
	MUST(files_restore(blob.bytes, blob.length, true, why, sizeof(why)));
	MUST(workload_link.carried_count == 2 && workload_link.carried[1].tag == 5);
	MUST(read(workload_link.carried[1].fd, &next, 1) == 1 && next == '4');
	free(blob.bytes);
}

static void another_file_of_that_name_is_refused(void)
{
	struct blob blob = save(open_file("old", O_RDONLY));
	char other[80];
	int fd;

	snprintf(other, sizeof(other), "%s.new", path);
	fd = open(other, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	MUST(fd >= 0 && close(fd) == 0 && rename(other, path) == 0);
	MUST(!files_restore(blob.bytes, blob.length, false, why, sizeof(why)));
	MUST(strstr(why, path) && strstr(why, "another file"));
	MUST(unlink(path) == 0);
	MUST(!files_restore(blob.bytes, blob.length, false, why, sizeof(why)));
	MUST(strstr(why, "No such file"));
	free(blob.bytes);
}

static void a_deleted_file_brings_its_content(void)
{
	int fd = open_file("what was in it", O_WRONLY);
	struct blob blob;
	char content[32];

	MUST(unlink(path) == 0);
	blob = save(fd);
	MUST(files_restore(blob.bytes, blob.length, true, why, sizeof(why)));
	MUST(pread(workload_link.carried[1].fd, content, sizeof(content), 0) == 14);
	MUST(memcmp(content, "what was in it", 14) == 0);
	free(blob.bytes);
}

static void what_is_no_file_cannot_move(void)
{
	int fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct blob blob = { 0 };

	world_reset(KMP_WORKLOAD_RUNNING);
	link_carry(5, fd, false);
	close(fd);
	MUST(!files_save(&blob, why, sizeof(why)) && strstr(why, "no regular file"));
	free(blob.bytes);
}

/* Where struct saved_file has them. */
#define FLAGS_AT 32
#define PATH_LENGTH_AT 40

static void state_that_lies_neither_truncates_nor_creates(void)
{
	struct blob blob = save(open_file("precious", O_RDWR));
	uint32_t flags = O_RDWR | O_TRUNC | O_CREAT;
	struct stat there;

	memcpy(blob.bytes + FLAGS_AT, &flags, sizeof(flags));
	MUST(files_restore(blob.bytes, blob.length, false, why, sizeof(why)));
	MUST(stat(path, &there) == 0 && there.st_size == 8);
	MUST(unlink(path) == 0);
	MUST(!files_restore(blob.bytes, blob.length, false, why, sizeof(why)));
	MUST(access(path, F_OK) < 0);
	free(blob.bytes);
}

static void state_that_ends_early_is_refused(void)
{
	struct blob blob = save(open_file("content", O_RDONLY));
	uint64_t length = UINT64_MAX;

	for (size_t cut = 1; cut < blob.length; cut++) {
		uint8_t *part = malloc(cut);

		memcpy(part, blob.bytes, cut);
		MUST(!files_restore(part, cut, false, why, sizeof(why)));
		free(part);
	}
	memcpy(blob.bytes + PATH_LENGTH_AT, &length, sizeof(length));
	MUST(!files_restore(blob.bytes, blob.length, false, why, sizeof(why)));
	MUST(strstr(why, "malformed"));
	free(blob.bytes);
}

void unit_state(void)
{
	MUST(mkdtemp(place));
	snprintf(path, sizeof(path), "%s/file", place);
	RUN(digests_are_those_of_their_specifications);
	RUN(a_blob_has_a_limit_and_a_reader_an_end);
	RUN(regions_are_known_by_their_numbers_and_limited);
	RUN(a_rounds_digest_carries_on_the_last_ones);
	RUN(hashes_find_the_pages_that_were_written);
	RUN(a_region_that_grows_or_shrinks_harms_nobody);
	RUN(a_blob_that_could_shrink_is_not_mapped);
	RUN(zeros_are_zeros);
	RUN(a_file_is_opened_again_where_it_was_read);
	RUN(another_file_of_that_name_is_refused);
	RUN(a_deleted_file_brings_its_content);
	RUN(what_is_no_file_cannot_move);
	RUN(state_that_lies_neither_truncates_nor_creates);
	RUN(state_that_ends_early_is_refused);
	unlink(path);
	rmdir(place);
}
