// SPDX-License-Identifier: Apache-2.0
/*
 * This instance survives another, and reads a share of its memory for the daemon: docs/kmp.md,
 * "Capture". Of what was sent and is not acknowledged only the place is kept: memory of the dead
 * does not change, and is read again.
 */
#include <string.h>

#include "share.h"

/* Others are heard between them. */
#define CHUNKS_AT_ONCE 2

/* When the connection has no room, or the page cache not what is wanted. */
#define LOOK_AGAIN (2 * MS)

/* Without a connection. */
#define KEPT (10 * SECOND)

struct share shares[MAX_SHARES];

/* Not one that a flow of a morph on the same connection has. */
static uint32_t sequence = 1u << 31;
static struct chunk chunk;

void share_end(struct share *share)
{
	dead_close(&share->dead);
	*share = (struct share){ 0 };
}

void share_forget(void)
{
	for (size_t i = 0; i < MAX_SHARES; i++)
		if (shares[i].there)
			share_end(&shares[i]);
}

void share_forget_marks(struct share *share, size_t count)
{
	for (size_t i = 0; i < count; i++)
		share->in_flight -= share->marks[i].data_length;
	share->mark_count -= count;
	memmove(share->marks, share->marks + count, share->mark_count * sizeof(share->marks[0]));
}

void share_rewind(struct share *share, size_t mark)
{
	share->complete = 0;
	if (mark < share->mark_count)
		share->now = share->marks[mark];
	share_forget_marks(share, share->mark_count);
}

static bool is_all_sent(const struct share *share)
{
	return share->now.at.range == share->dead.range_count;
}

static size_t put(uint8_t *bytes, size_t length, const void *value, size_t size)
{
	memcpy(bytes + KMP_HEADER_LEN + length, value, size);
	return length + size;
}

static bool send_data(struct share *share, struct connection *connection, const struct mark *next)
{
	static uint8_t bytes[KMP_HEADER_LEN + sizeof(struct kmp_vmcore_data) +
			     sizeof(chunk.extents) + CHUNK];
	struct kmp_vmcore_data data = {
		.share = share->number,
		.flags = next->at.range == share->dead.range_count ? KMP_CHUNK_LAST : 0,
		.extent_count = (uint16_t)chunk.count,
		.stream_offset = share->now.offset,
		.raw_len = chunk.raw_length,
		.data_len = chunk.raw_length,
	};
	size_t length;

	memcpy(data.operation, share->operation, sizeof(data.operation));
	length = put(bytes, 0, &data, sizeof(data));
	length = put(bytes, length, chunk.extents, chunk.count * sizeof(chunk.extents[0]));
	length = put(bytes, length, chunk.data, chunk.raw_length);
	return connection_send_bulk(connection, bytes, KMP_VMCORE_DATA, sequence + 1, length);
}

/* The next chunk; false when nothing can be sent now. */
static bool send_chunk(struct share *share, struct connection *connection)
{
	struct mark next = share->now, *mark = &share->marks[share->mark_count];

	if (!dead_fill(&share->dead, &next.at, &chunk) || !send_data(share, connection, &next)) {
		share->not_before = now_ns() + LOOK_AGAIN;
		return false;
	}
	*mark = share->now;
	mark->sequence = ++sequence;
	mark->data_length = chunk.raw_length;
	share->mark_count++;
	share->in_flight += chunk.raw_length;
	chunk_digest(&chunk, &next.digest);
	next.offset += chunk.covers;
	for (uint32_t i = 0; i < chunk.count; i++)
		if (chunk.extents[i].flags & KMP_EXTENT_UNREADABLE)
			next.unreadable += chunk.extents[i].length;
	share->now = next;
	return true;
}

static void send_complete(struct share *share, struct connection *connection)
{
	uint8_t bytes[KMP_HEADER_LEN + KMP_MAX_SMALL_PAYLOAD_BYTES];
	struct digest digest = share->now.digest;
	struct kmp_vmcore_complete message = {
		.share = share->number,
		.outcome = share->now.unreadable ? KMP_OUTCOME_PARTIAL : KMP_OUTCOME_DONE,
		.stream_bytes = share->now.offset,
		.unreadable_bytes = share->now.unreadable,
	};
	struct {
		struct kmp_i_digest head;
		uint8_t value[KMP_MAX_DIGEST_BYTES];
	} KMP_PACKED item = { .head = { .region = share->number, .algorithm = KMP_DIGEST_SHA256 } };
	size_t length;

	memcpy(message.operation, share->operation, sizeof(message.operation));
	length = put(bytes, 0, &message, sizeof(message));
	length = item_add(bytes + KMP_HEADER_LEN, length, KMP_MAX_SMALL_PAYLOAD_BYTES, KMP_I_DIGEST,
			  &item, sizeof(item.head) + digest_end(&digest, item.value));
	share->complete = ++sequence;
	connection_send(connection, bytes, KMP_VMCORE_COMPLETE, share->complete, length);
}

/* When its rate lets it go on. */
static uint64_t due(const struct share *share)
{
	unsigned __int128 took = (unsigned __int128)share->dead.read * SECOND;

	if (share->rate == 0 || took / share->rate > UINT64_MAX / 2)
		return share->rate ? UINT64_MAX : 0;
	return share->since + (uint64_t)(took / share->rate);
}

static bool has_room(const struct share *share)
{
	return share->mark_count < SHARE_MARKS &&
	       (share->in_flight == 0 || share->in_flight + CHUNK <= share->window);
}

/* Sends what may be sent now; when it is to be called again. */
static uint64_t go_on(struct share *share, struct connection *connection, uint64_t now)
{
	uint64_t at = share->not_before > due(share) ? share->not_before : due(share);

	if (is_all_sent(share)) {
		if (share->mark_count == 0 && share->complete == 0)
			send_complete(share, connection);
		return UINT64_MAX;
	}
	if (!has_room(share))
		return UINT64_MAX;
	if (now < at)
		return at - now;
	urgency_bulk(BULK_GAP);
	connection_cork(connection);
	for (int i = 0; i < CHUNKS_AT_ONCE && !is_all_sent(share) && has_room(share); i++)
		if (!send_chunk(share, connection))
			break;
	connection_uncork(connection);
	return share->not_before > now ? share->not_before - now : 0;
}

uint64_t share_tick(void)
{
	uint64_t now = now_ns(), left = UINT64_MAX;

	for (size_t i = 0; i < MAX_SHARES; i++) {
		struct share *share = &shares[i];
		struct connection *connection =
			share->there ? connection_find(share->connection) : NULL;
		uint64_t after = UINT64_MAX;

		if (connection) {
			share->lost_at = 0;
			after = go_on(share, connection, now);
		} else if (share->there && !share->lost_at) {
			share->lost_at = now;
			after = KEPT;
		} else if (share->there && now - share->lost_at >= KEPT) {
			share_end(share);
		} else if (share->there) {
			after = share->lost_at + KEPT - now;
		}
		if (after < left)
			left = after;
	}
	return left;
}
