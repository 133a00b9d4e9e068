// SPDX-License-Identifier: Apache-2.0
/* How an agent reads a share of a dead instance's memory for the daemon. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unit.h"

#define DEAD 9
#define SHARE 3
#define BASE 0x100000ull

static uint8_t operation[16] = { 0xd1 };

/* What has come of the share so far, as a daemon sees it. */
static struct {
	uint64_t offset, unreadable, next; /* next: physical address that must follow */
	uint8_t memory[4u << 20];	   /* at what BASE is */
	uint8_t flags[1024];		   /* of each page; 0xff: has not come */
	struct digest digest;
	uint32_t sequences[64], count; /* of chunks that are not acknowledged */
	uint32_t lengths[64];
	bool complete, last;
	uint8_t outcome;
	uint32_t complete_sequence;
} daemon_has;

static void see_data(const struct frame *frame)
{
	struct kmp_vmcore_data data;
	struct kmp_extent extent;
	const uint8_t *extents = frame->payload + sizeof(data), *bytes;

	memcpy(&data, frame->payload, sizeof(data));
	bytes = extents + data.extent_count * sizeof(extent);
	MUST(memcmp(data.operation, operation, sizeof(operation)) == 0 && data.share == SHARE);
	MUST(data.stream_offset == daemon_has.offset && !daemon_has.last);
	daemon_has.last = data.flags & KMP_CHUNK_LAST;
	for (uint16_t i = 0; i < data.extent_count; i++) {
		memcpy(&extent, extents + i * sizeof(extent), sizeof(extent));
		digest_add(&daemon_has.digest, &extent, sizeof(extent));
		MUST(extent.offset == daemon_has.next);
		daemon_has.next += extent.length;
		daemon_has.offset += extent.length;
		for (uint64_t at = 0; at < extent.length; at += PAGE)
			daemon_has.flags[(extent.offset - BASE + at) / PAGE] =
				(uint8_t)extent.flags;
		if (extent.flags == KMP_EXTENT_UNREADABLE)
			daemon_has.unreadable += extent.length;
		if (extent.flags)
			continue;
		memcpy(daemon_has.memory + (extent.offset - BASE), bytes, extent.length);
		digest_add(&daemon_has.digest, bytes, extent.length);
		bytes += extent.length;
	}
	MUST(daemon_has.count < 64);
	daemon_has.lengths[daemon_has.count] = data.data_len;
	daemon_has.sequences[daemon_has.count++] = frame->header.sequence;
}

static void see_complete(const struct frame *frame)
{
	struct kmp_vmcore_complete message;
	struct kmp_i_digest digest;
	struct digest all = daemon_has.digest;
	uint8_t value[KMP_MAX_DIGEST_BYTES];
	const uint8_t *item = frame->payload + sizeof(message) + sizeof(struct kmp_item);

	memcpy(&message, frame->payload, sizeof(message));
	memcpy(&digest, item, sizeof(digest));
	MUST(message.share == SHARE && message.stream_bytes == daemon_has.offset);
	MUST(message.unreadable_bytes == daemon_has.unreadable && daemon_has.last);
	MUST(digest.region == SHARE && digest.algorithm == KMP_DIGEST_SHA256);
	MUST(digest_end(&all, value) == 32 && memcmp(item + sizeof(digest), value, 32) == 0);
	daemon_has.complete = true;
	daemon_has.outcome = message.outcome;
	daemon_has.complete_sequence = frame->header.sequence;
}

static void see(const struct frame *frame)
{
	if (frame->header.msg_type == KMP_VMCORE_DATA)
		see_data(frame);
	if (frame->header.msg_type == KMP_VMCORE_COMPLETE)
		see_complete(frame);
}

static void fresh(void)
{
	operation[1]++;
	world_reset(KMP_WORKLOAD_RUNNING);
	memset(&daemon_has, 0, sizeof(daemon_has));
	memset(daemon_has.flags, 0xff, sizeof(daemon_has.flags));
	daemon_has.next = BASE;
	digest_begin(&daemon_has.digest, KMP_DIGEST_SHA256);
	world_sees = see;
}

static size_t add_range(uint8_t *payload, size_t length, uint64_t from, uint64_t bytes)
{
	struct kmp_i_memory_range range = { .start = from, .length = bytes };

	return item_add(payload, length, 8192, KMP_I_MEMORY_RANGE, &range, sizeof(range));
}

static size_t add_file(uint8_t *payload, size_t length, uint64_t from, uint64_t bytes,
		       uint64_t offset, const char *path)
{
	struct {
		struct kmp_i_memory_file head;
		char path[200];
	} KMP_PACKED item = { .head = { .start = from, .length = bytes, .offset = offset } };

	memcpy(item.path, path, strlen(path));
	return item_add(payload, length, 8192, KMP_I_MEMORY_FILE, &item,
			sizeof(item.head) + strlen(path));
}

/* A message without items. */
static size_t head_of(uint8_t *payload, uint32_t window, uint64_t offset, uint64_t rate)
{
	struct kmp_vmcore_start start = { .dead_instance = DEAD,
					  .share = SHARE,
					  .window_bytes = window,
					  .stream_offset = offset,
					  .rate_bytes_per_s = rate };

	memcpy(start.operation, operation, sizeof(operation));
	memcpy(payload, &start, sizeof(start));
	return sizeof(start);
}

static char memory_path[64];
static int memory_fd = -1;

/* A file of so many pages: one of noise, one of zeros, two never written, and so on. */
static void make_memory(unsigned pages)
{
	uint8_t page[PAGE];

	if (memory_fd >= 0)
		close(memory_fd);
	memory_fd = memfd_create("memory", MFD_CLOEXEC);
	MUST(memory_fd >= 0 && ftruncate(memory_fd, pages * (off_t)PAGE) == 0);
	for (unsigned i = 0; i < pages; i++) {
		if (i % 4 > 1)
			continue;
		memset(page, i % 4 ? 0 : (int)(i % 251 + 1), sizeof(page));
		MUST(pwrite(memory_fd, page, sizeof(page), i * (off_t)PAGE) == (ssize_t)PAGE);
	}
	snprintf(memory_path, sizeof(memory_path), "/proc/self/fd/%d", memory_fd);
}

static void start_at(uint64_t offset, uint32_t window, uint64_t rate, unsigned pages)
{
	uint8_t payload[8192];
	size_t length = head_of(payload, window, offset, rate);

	length = add_range(payload, length, BASE, pages * PAGE);
	length = add_file(payload, length, BASE, pages * PAGE, 0, memory_path);
	world_hear(KMP_VMCORE_START, payload, length);
}

static void accepted(uint64_t offset, uint64_t estimate)
{
	struct kmp_ack ack;

	MUST(sent.header.msg_type == (KMP_VMCORE_START | KMP_ANSWER));
	memcpy(&ack, sent.payload, sizeof(ack));
	MUST(ack.head.state == KMP_OP_CAPTURING && ack.stream_offset == offset);
	MUST(ack.estimate_bytes == estimate && ack.window_bytes == 0);
}

static void refused(uint16_t code, uint64_t value)
{
	struct kmp_error error;

	MUST(sent.header.msg_type == KMP_ERROR);
	memcpy(&error, sent.payload, sizeof(error));
	MUST(error.code == code && error.value == value);
}

static void acknowledge(uint32_t answered, uint64_t offset)
{
	struct kmp_ack ack = { .head = { .state = KMP_OP_CAPTURING }, .stream_offset = offset };

	memcpy(ack.head.operation, operation, sizeof(operation));
	ack.window_bytes = 1 << 20;
	world_answer(KMP_VMCORE_DATA | KMP_ANSWER, answered, &ack, sizeof(ack));
}

static void acknowledge_all(void)
{
	MUST(daemon_has.count > 0);
	acknowledge(daemon_has.sequences[daemon_has.count - 1], daemon_has.offset);
	daemon_has.count = 0;
}

/* Ticks until nothing more is sent. */
static void send_all(void)
{
	size_t before;

	do {
		before = sent.count;
		share_tick();
	} while (sent.count > before);
}

static void read_to_the_end(void)
{
	for (int i = 0; !daemon_has.complete; i++) {
		MUST(i < 10000);
		if (daemon_has.count)
			acknowledge_all();
		send_all();
	}
}

static void every_page_comes_as_what_it_is(void)
{
	fresh();
	make_memory(1000);
	start_at(0, 1 << 20, 0, 1004);
	accepted(0, 1004 * PAGE);
	read_to_the_end();
	MUST(daemon_has.outcome == KMP_OUTCOME_PARTIAL && daemon_has.unreadable == 4 * PAGE);
	for (unsigned i = 0; i < 1000; i++) {
		MUST(daemon_has.flags[i] == (i % 4 ? KMP_EXTENT_ZERO : 0));
		MUST(i % 4 || daemon_has.memory[i * PAGE + 77] == i % 251 + 1);
	}
	for (unsigned i = 1000; i < 1004; i++)
		MUST(daemon_has.flags[i] == KMP_EXTENT_UNREADABLE);
	world_answer(KMP_VMCORE_COMPLETE | KMP_ANSWER, daemon_has.complete_sequence, operation, 0);
	start_at(daemon_has.offset, 1 << 20, 0, 1004);
	refused(KMP_E_EXPIRED, 0);
}

static void memory_that_is_in_no_file_cannot_be_read(void)
{
	uint8_t payload[8192];
	size_t length = head_of(payload, 1 << 20, 0, 0);

	fresh();
	make_memory(8);
	memcpy(payload, operation, sizeof(operation));
	length = add_range(payload, length, BASE, 16 * PAGE);
	length = add_range(payload, length, BASE + 16 * PAGE, 4 * PAGE);
	length = add_file(payload, length, BASE + 4 * PAGE, 4 * PAGE, 4 * PAGE, memory_path);
	length = add_file(payload, length, BASE + 12 * PAGE, 6 * PAGE, 0, memory_path);
	world_hear(KMP_VMCORE_START, payload, length);
	accepted(0, 20 * PAGE);
	read_to_the_end();
	MUST(daemon_has.unreadable == 10 * PAGE);
	MUST(daemon_has.flags[3] == KMP_EXTENT_UNREADABLE && daemon_has.flags[4] == 0);
	MUST(daemon_has.memory[4 * PAGE] == 5 && daemon_has.memory[12 * PAGE] == 1);
	MUST(daemon_has.flags[11] == KMP_EXTENT_UNREADABLE && daemon_has.flags[16] == 0);
	MUST(daemon_has.flags[18] == KMP_EXTENT_UNREADABLE);
}

static void no_more_is_sent_than_the_window_lets_out(void)
{
	uint64_t out = 0;

	fresh();
	make_memory(1000);
	start_at(0, 1, 0, 1000);
	send_all();
	MUST(daemon_has.count == 1);
	fresh();
	start_at(0, 600 << 10, 0, 1000);
	send_all();
	for (uint32_t i = 0; i < daemon_has.count; i++)
		out += daemon_has.lengths[i];
	MUST(daemon_has.count > 1 && out <= 600 << 10);
}

static void a_share_goes_on_from_where_the_daemon_has_it(void)
{
	struct digest digest;
	uint64_t had, next;

	fresh();
	make_memory(1000);
	start_at(0, 1 << 20, 0, 1000);
	share_tick();
	acknowledge_all();
	had = daemon_has.offset;
	next = daemon_has.next;
	digest = daemon_has.digest;
	send_all();
	MUST(daemon_has.offset > had);
	/* what was on its way is lost with the connection */
	world_reconnect();
	share_tick();
	start_at(had + PAGE, 1 << 20, 0, 1000);
	refused(KMP_E_EXPIRED, 0);
	start_at(had, 1 << 20, 0, 1000);
	accepted(had, 1000 * PAGE);
	daemon_has.offset = had;
	daemon_has.next = next;
	daemon_has.digest = digest;
	daemon_has.count = 0;
	daemon_has.last = false;
	read_to_the_end();
	MUST(daemon_has.outcome == KMP_OUTCOME_DONE && daemon_has.offset == 1000 * PAGE);
	/* its last word was lost too */
	daemon_has.complete = false;
	world_reconnect();
	start_at(1000 * PAGE, 1 << 20, 0, 1000);
	send_all();
	MUST(daemon_has.complete);
}

static void a_share_without_a_connection_is_forgotten_in_time(void)
{
	uint64_t left;

	fresh();
	make_memory(1000);
	start_at(0, 1 << 20, 0, 1000);
	share_tick();
	world_reconnect();
	left = share_tick();
	MUST(left == 10 * SECOND);
	world_time_ns += left;
	MUST(share_tick() == UINT64_MAX);
	start_at(PAGE, 1 << 20, 0, 1000);
	refused(KMP_E_EXPIRED, 0);
}

static void a_share_that_begins_anew_begins_at_its_beginning(void)
{
	fresh();
	make_memory(1000);
	start_at(0, 1 << 20, 0, 1000);
	send_all();
	fresh();
	operation[1]--;
	start_at(0, 1 << 20, 0, 8);
	accepted(0, 8 * PAGE);
	read_to_the_end();
	MUST(daemon_has.offset == 8 * PAGE);
}

static void cancel(uint8_t outcome)
{
	struct kmp_vmcore_complete message = { .share = SHARE, .outcome = outcome };

	memcpy(message.operation, operation, sizeof(operation));
	world_hear(KMP_VMCORE_COMPLETE, &message, sizeof(message));
}

static void nothing_comes_of_a_cancelled_share(void)
{
	struct kmp_operation_rsp head;
	size_t before;

	fresh();
	make_memory(1000);
	start_at(0, 1 << 20, 0, 1000);
	share_tick();
	for (int i = 0; i < 2; i++) {
		cancel(KMP_OUTCOME_CANCELLED);
		MUST(sent.header.msg_type == (KMP_VMCORE_COMPLETE | KMP_ANSWER));
		memcpy(&head, sent.payload, sizeof(head));
		MUST(head.state == KMP_OP_COMPLETE);
	}
	before = sent.count;
	acknowledge_all();
	MUST(share_tick() == UINT64_MAX && sent.count == before);
	cancel(KMP_OUTCOME_DONE);
	refused(KMP_E_MALFORMED, offsetof(struct kmp_vmcore_complete, outcome));
}

static void it_waits_when_it_is_asked_to_and_ends_at_an_error(void)
{
	struct kmp_retry wait = { .delay_ms = 200, .request_type = KMP_VMCORE_DATA };
	struct kmp_error error = { .code = KMP_E_NO_SPACE, .request_type = KMP_VMCORE_DATA };
	uint32_t first;

	fresh();
	make_memory(1000);
	start_at(0, 1, 0, 1000);
	share_tick();
	first = daemon_has.sequences[0];
	world_answer(KMP_RETRY, first, &wait, sizeof(wait));
	MUST(share_tick() == 200 * MS && daemon_has.count == 1);
	world_time_ns += 200 * MS;
	daemon_has.offset = daemon_has.count = 0;
	daemon_has.next = BASE;
	digest_begin(&daemon_has.digest, KMP_DIGEST_SHA256);
	share_tick();
	MUST(daemon_has.count == 1 && daemon_has.sequences[0] != first);
	world_answer(KMP_ERROR, daemon_has.sequences[0], &error, sizeof(error));
	MUST(share_tick() == UINT64_MAX);
	start_at(daemon_has.offset, 1, 0, 1000);
	refused(KMP_E_EXPIRED, 0);
}

static void it_reads_no_faster_than_it_is_told(void)
{
	uint64_t began = world_time_ns, left;

	fresh();
	make_memory(1000);
	/* 500 pages are no holes: in ten seconds */
	start_at(0, 1 << 20, 50 * PAGE, 1000);
	for (int i = 0; !daemon_has.complete; i++) {
		MUST(i < 10000);
		if (daemon_has.count)
			acknowledge_all();
		left = share_tick();
		if (left != UINT64_MAX)
			world_time_ns += left;
	}
	MUST(world_time_ns - began >= 5 * SECOND && world_time_ns - began <= 10 * SECOND);
}

static void hear_start(size_t (*build)(uint8_t *payload))
{
	uint8_t payload[8192];

	world_hear(KMP_VMCORE_START, payload, build(payload));
}

static size_t with_file(uint8_t *payload, const char *path)
{
	size_t length = add_range(payload, head_of(payload, 1, 0, 0), BASE, PAGE);

	return add_file(payload, length, BASE, PAGE, 0, path);
}

static size_t without_file(uint8_t *payload)
{
	return add_range(payload, head_of(payload, 1, 0, 0), BASE, PAGE);
}

static size_t without_range(uint8_t *payload)
{
	return add_file(payload, head_of(payload, 1, 0, 0), BASE, PAGE, 0, memory_path);
}

static size_t missing_file(uint8_t *payload)
{
	return with_file(payload, "/nowhere/memory");
}

static size_t directory(uint8_t *payload)
{
	return with_file(payload, "/proc");
}

static size_t device(uint8_t *payload)
{
	return with_file(payload, "/dev/zero");
}

static size_t relative(uint8_t *payload)
{
	return with_file(payload, "memory");
}

static size_t unaligned(uint8_t *payload)
{
	return add_file(payload, add_range(payload, head_of(payload, 1, 0, 0), BASE, 5), BASE, PAGE,
			0, memory_path);
}

static size_t endless(uint8_t *payload)
{
	size_t length =
		add_range(payload, head_of(payload, 1, 0, 0), BASE, INT64_MAX / PAGE * PAGE);

	return add_file(payload, length, BASE, PAGE, 0, memory_path);
}

/* A path that is so long, and begins as one. */
static size_t with_path_of(uint8_t *payload, size_t bytes)
{
	uint8_t item[sizeof(struct kmp_i_memory_file) + KMP_MAX_PATH_BYTES + 1] = { 0 };
	size_t length = add_range(payload, head_of(payload, 1, 0, 0), BASE, PAGE);

	memset(item + sizeof(struct kmp_i_memory_file), '/', KMP_MAX_PATH_BYTES + 1);
	return item_add(payload, length, 8192, KMP_I_MEMORY_FILE, item,
			sizeof(struct kmp_i_memory_file) + bytes);
}

static size_t pathless(uint8_t *payload)
{
	return with_path_of(payload, 0);
}

static size_t too_long_a_path(uint8_t *payload)
{
	return with_path_of(payload, KMP_MAX_PATH_BYTES + 1);
}

/* Not even the whole of what comes before the path. */
static size_t cut_off(uint8_t *payload)
{
	return with_path_of(payload, (size_t)-8);
}

static size_t no_window(uint8_t *payload)
{
	size_t length = with_file(payload, memory_path);

	head_of(payload, 0, 0, 0);
	return length;
}

static void what_cannot_be_read_is_refused_with_why(void)
{
	const size_t first = sizeof(struct kmp_vmcore_start);
	const size_t range = sizeof(struct kmp_item) + sizeof(struct kmp_i_memory_range);

	fresh();
	make_memory(8);
	hear_start(without_file);
	refused(KMP_E_NOT_SUPPORTED, 0);
	hear_start(without_range);
	refused(KMP_E_MALFORMED, first + sizeof(struct kmp_item) +
					 sizeof(struct kmp_i_memory_file) + strlen(memory_path));
	hear_start(missing_file);
	refused(KMP_E_IO, 2);
	hear_start(directory);
	refused(KMP_E_IO, 22);
	hear_start(device);
	refused(KMP_E_IO, 22);
	hear_start(relative);
	refused(KMP_E_MALFORMED, first + range);
	hear_start(unaligned);
	refused(KMP_E_MALFORMED, first);
	hear_start(endless);
	refused(KMP_E_MALFORMED, first);
	hear_start(pathless);
	refused(KMP_E_MALFORMED, first + range);
	hear_start(too_long_a_path);
	refused(KMP_E_MALFORMED, first + range);
	hear_start(cut_off);
	refused(KMP_E_MALFORMED, first + range);
	hear_start(no_window);
	refused(KMP_E_MALFORMED, offsetof(struct kmp_vmcore_start, window_bytes));
	options.instance = DEAD;
	start_at(0, 1, 0, 8);
	refused(KMP_E_WRONG_STATE, DEAD);
	options.local = false;
	start_at(0, 1, 0, 8);
	refused(KMP_E_NOT_SUPPORTED, 0);
}

static void so_many_are_read_at_a_time(void)
{
	fresh();
	make_memory(8);
	for (int i = 0; i < 5; i++, operation[2]++)
		start_at(0, 1, 0, 8);
	refused(KMP_E_BUSY, 0);
	/* those that nobody listens to any more give way */
	world_reconnect();
	start_at(0, 1, 0, 8);
	accepted(0, 8 * PAGE);
}

void unit_share(void)
{
	RUN(every_page_comes_as_what_it_is);
	RUN(memory_that_is_in_no_file_cannot_be_read);
	RUN(no_more_is_sent_than_the_window_lets_out);
	RUN(a_share_goes_on_from_where_the_daemon_has_it);
	RUN(a_share_without_a_connection_is_forgotten_in_time);
	RUN(a_share_that_begins_anew_begins_at_its_beginning);
	RUN(nothing_comes_of_a_cancelled_share);
	RUN(it_waits_when_it_is_asked_to_and_ends_at_an_error);
	RUN(it_reads_no_faster_than_it_is_told);
	RUN(what_cannot_be_read_is_refused_with_why);
	RUN(so_many_are_read_at_a_time);
	world_sees = NULL;
}
