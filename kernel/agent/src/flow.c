// SPDX-License-Identifier: Apache-2.0
/*
 * The source's side of TRANSFER_STATE: a round is pulled, chunks go out as far as the window lets
 * them, and each is kept until it is acknowledged. They go to whoever pulls, or to the target's own
 * agent where that can be reached from here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "morph.h"

/* What is kept unacknowledged at most, whatever the receiver would take; it has room in the
 * connection's buffer. */
#define WINDOW (2u << 20)

/* Who waits for a round that goes elsewhere is told how far it is. */
#define PROGRESS SECOND

struct kept {
	struct kept *next;
	uint32_t sequence, region, data_length;
	uint64_t offset, end; /* of the stream */
	size_t payload_length;
	uint8_t bytes[]; /* of the frame */
};

static struct kept *first, **last = &first;
static uint64_t flow_on; /* number of the connection */
static uint32_t sequence, current_round, window, in_flight;
static size_t region_at;
static bool final, over;
static bool keeps_all;			    /* what is kept is the final round's */
static uint64_t moved, unpacked, estimated; /* bytes of this round: as sent, as they were */
static struct chunk chunk;

/* The target's agent, where rounds go directly. */
static char peer_path[108];
static uint64_t peer;
static struct asked pulling; /* who waits for the end of the round */
static bool asks_validation;
static uint32_t validation; /* its sequence; 0: has not been sent */

static void forget_kept(void)
{
	while (first) {
		struct kept *next = first->next;

		free(first);
		first = next;
	}
	last = &first;
	in_flight = 0;
}

void flow_forget_peer(void)
{
	struct connection *connection = connection_find(peer);

	peer = 0;
	peer_path[0] = 0;
	if (connection)
		connection_close(connection);
}

bool flow_keeps_all(void)
{
	return keeps_all;
}

void flow_keep(void)
{
	keeps_all = final;
	forget_kept();
	current_round = 0;
	final = over = asks_validation = false;
	memory_forget();
}

void flow_forget(void)
{
	flow_keep();
	flow_on = 0;
	pulling.there = false;
	flow_forget_peer();
	compress_forget();
}

bool flow_is_direct(void)
{
	return peer && flow_on == peer && connection_find(peer);
}

static void acknowledge(struct connection *connection, const struct kmp_header *header,
			uint64_t offset, uint64_t estimate)
{
	uint8_t bytes[KMP_HEADER_LEN + sizeof(struct kmp_ack) + sizeof(struct kmp_item) + 8];
	struct kmp_ack ack = { .stream_offset = offset, .estimate_bytes = estimate };
	size_t length = sizeof(ack);

	morph_head((uint8_t *)&ack.head, KMP_VERDICT_NONE);
	memcpy(bytes + KMP_HEADER_LEN, &ack, sizeof(ack));
	if (morph.compressed)
		length = item_add(bytes + KMP_HEADER_LEN, length, sizeof(bytes) - KMP_HEADER_LEN,
				  KMP_I_UNPACKED, &unpacked, sizeof(unpacked));
	connection_send(connection, bytes, KMP_MORPH_TRANSFER_STATE | KMP_ANSWER, header->sequence,
			length);
}

/* Whoever waits for the round is told how far it is: with nothing estimated, that it is over. */
static void answer_pull(void)
{
	struct connection *connection = connection_find(pulling.connection);
	uint64_t left = over ? 0 : estimated > unpacked ? estimated - unpacked : 1;

	if (pulling.there && connection)
		acknowledge(connection, &pulling.header, moved, left);
	pulling.there = false;
}

static void failed(const char *why)
{
	struct connection *connection = connection_find(pulling.connection);

	flow_on = 0;
	if (pulling.there && connection)
		answer_error(connection, &pulling.header, KMP_E_IO, 0, why);
	pulling.there = false;
	if (peer)
		freeze_failed(why);
}

static void send_kept(struct connection *connection, struct kept *kept)
{
	kept->sequence = ++sequence;
	if (!connection_send_bulk(connection, kept->bytes, KMP_MORPH_TRANSFER_STATE, kept->sequence,
				  kept->payload_length))
		flow_on = 0; /* it will be pulled again */
}

static struct kept *new_kept(struct region *region, const struct kmp_morph_transfer *head,
			     size_t more)
{
	struct kept *kept = malloc(sizeof(*kept) + KMP_HEADER_LEN + sizeof(*head) + more);

	if (!kept)
		return NULL;
	*kept = (struct kept){ .region = region->id, .payload_length = sizeof(*head) };
	memcpy(kept->bytes + KMP_HEADER_LEN, head, sizeof(*head));
	*last = kept;
	last = &kept->next;
	return kept;
}

static void append(struct kept *kept, const void *bytes, size_t length)
{
	memcpy(kept->bytes + KMP_HEADER_LEN + kept->payload_length, bytes, length);
	kept->payload_length += length;
}

static struct kmp_morph_transfer head_of(const struct region *region, uint8_t step)
{
	struct kmp_morph_transfer head = {
		.region = region->id,
		.round = current_round,
		.stream_offset = region->covered,
		.step = step,
		.flags = final ? KMP_CHUNK_FINAL : 0,
	};

	memcpy(head.operation, morph.operation, sizeof(head.operation));
	return head;
}

/* Not in the final round: the workload stands still, and nobody is to wait for the packing. */
static const uint8_t *packed_data(struct kmp_morph_transfer *head)
{
	static uint8_t packed[CHUNK];
	size_t size = morph.compressed && !final
			      ? compress_pack(chunk.data, chunk.raw_length, packed, sizeof(packed))
			      : 0;

	head->raw_len = chunk.raw_length;
	head->data_len = size > 0 ? (uint32_t)size : chunk.raw_length;
	if (size > 0)
		head->flags |= KMP_CHUNK_COMPRESSED;
	return size > 0 ? packed : chunk.data;
}

static bool send_chunk(struct connection *connection, struct region *region)
{
	struct kmp_morph_transfer head = head_of(region, KMP_TRANSFER_DATA);
	const uint8_t *data = packed_data(&head);
	size_t extents = chunk.count * sizeof(chunk.extents[0]);
	struct kept *kept;

	if (region->range_at == region->range_count)
		head.flags |= KMP_CHUNK_LAST;
	head.extent_count = (uint16_t)chunk.count;
	kept = new_kept(region, &head, extents + head.data_len);
	if (!kept)
		return false;
	append(kept, chunk.extents, extents);
	append(kept, data, head.data_len);
	chunk_digest(&chunk, &region->digest);
	kept->offset = region->covered;
	region->covered += chunk.covers;
	kept->end = region->covered;
	kept->data_length = head.data_len;
	in_flight += head.data_len;
	moved += head.data_len;
	unpacked += chunk.raw_length;
	send_kept(connection, kept);
	return true;
}

static bool send_end(struct connection *connection, struct region *region)
{
	struct kmp_morph_transfer head = head_of(region, KMP_TRANSFER_END);
	struct kmp_i_digest item = { .region = region->id,
				     .round = current_round,
				     .algorithm = morph.digest };
	struct kmp_item item_head = { .type = KMP_I_DIGEST };
	struct kept *kept =
		new_kept(region, &head, sizeof(item_head) + sizeof(item) + KMP_MAX_DIGEST_BYTES);

	if (!kept)
		return false;
	region_end_round(region);
	item_head.len = (uint16_t)(sizeof(item) + region->last_digest_length);
	append(kept, &item_head, sizeof(item_head));
	append(kept, &item, sizeof(item));
	append(kept, region->last_digest, region->last_digest_length);
	kept->offset = kept->end = region->covered;
	send_kept(connection, kept);
	return true;
}

static void tell(struct connection *connection, uint16_t type, const void *message, size_t length)
{
	uint8_t bytes[KMP_HEADER_LEN + KMP_MAX_SMALL_PAYLOAD_BYTES];

	memcpy(bytes + KMP_HEADER_LEN, message, length);
	connection_send(connection, bytes, type, ++sequence, length);
}

void flow_tell_released(void)
{
	struct connection *connection = connection_find(peer);
	struct kmp_morph_commit take = { .phase = KMP_COMMIT_TAKE };

	memcpy(take.operation, morph.operation, sizeof(take.operation));
	if (connection)
		tell(connection, KMP_MORPH_COMMIT, &take, sizeof(take));
}

bool flow_is_peer(const struct connection *connection)
{
	return peer && connection_number(connection) == peer;
}

static void ask_validation(struct connection *connection)
{
	struct kmp_morph_validate ask = { .scope = KMP_VALIDATE_FINAL };

	memcpy(ask.operation, morph.operation, sizeof(ask.operation));
	tell(connection, KMP_MORPH_VALIDATE, &ask, sizeof(ask));
	validation = sequence;
	asks_validation = false;
}

/* As much as the window lets out; false when it can never go on. */
static bool send_regions(struct connection *connection)
{
	while (flow_on && region_at < region_count) {
		struct region *region = &regions[region_at];

		/* one may always be on its way, be the window ever so small */
		if (in_flight > 0 && in_flight + CHUNK > window)
			return true;
		if (region->range_at < region->range_count && chunk_fill(&chunk, region)) {
			if (!send_chunk(connection, region))
				return false;
			continue;
		}
		if (region->range_at < region->range_count) {
			say("region %s cannot be read: %s", region->name, strerror(errno));
			return false;
		}
		if (!send_end(connection, region))
			return false;
		region_at++;
	}
	if (asks_validation)
		ask_validation(connection);
	return true;
}

static void pump(void)
{
	struct connection *connection = connection_find(flow_on);
	bool can;

	if (connection && current_round > 0 && !over) {
		if (!final)
			urgency_bulk(BULK_GAP);
		connection_cork(connection);
		can = send_regions(connection);
		connection_uncork(connection);
		/* its digest would be right and its contents not: this round never ends */
		if (!can)
			failed("a part of the state cannot be read");
	}
	over = current_round > 0 && region_at == region_count && !first;
	if (!over)
		return;
	if (pulling.there && morph.state == KMP_OP_RELEASED)
		flow_tell_released();
	answer_pull();
}

static bool add_all(struct region *region, uint64_t length)
{
	free(region->ranges);
	region->ranges = malloc(sizeof(*region->ranges));
	if (!region->ranges)
		return false;
	region->range_room = 1;
	region->range_count = length > 0;
	region->ranges[0] = (struct range){ 0, length };
	return true;
}

/* What regions other than memory hold in this round. */
static bool gather(char *text, size_t most)
{
	for (size_t i = 0; i < region_count; i++) {
		struct region *region = &regions[i];
		struct blob blob = { 0 };

		if (region->kind == KMP_KIND_MEMORY)
			continue;
		if (region->kind == KMP_KIND_FILES && !files_save(&blob, text, most))
			return false;
		if (region->kind == KMP_KIND_SOCKETS &&
		    !(final ? sockets_save(&blob, text, most) : sockets_sketch(&blob, text, most)))
			return false;
		if (region->kind == KMP_KIND_OPAQUE && final)
			blob_add(&blob, workload_link.blob, region->size);
		free(region->blob);
		region->blob = blob.bytes;
		if (region->kind != KMP_KIND_OPAQUE)
			region->size = blob.length;
		if (!add_all(region, blob.length))
			return false;
	}
	return true;
}

static void start_round(uint32_t round)
{
	current_round = round;
	over = false;
	region_at = 0;
	moved = unpacked = estimated = 0;
	for (size_t i = 0; i < region_count; i++) {
		region_begin_round(&regions[i], morph.digest);
		for (size_t j = 0; j < regions[i].range_count; j++)
			estimated += regions[i].ranges[j].to - regions[i].ranges[j].from;
	}
}

/* False with a reason. */
static bool begin_round(uint32_t round, bool is_final, char *text, size_t most)
{
	final = is_final;
	if (!memory_scan(round, is_final)) {
		strncpy(text, strerror(errno), most - 1);
		return false;
	}
	if (is_final)
		step_done("scanned");
	if (!gather(text, most)) {
		if (!text[0])
			strncpy(text, strerror(errno), most - 1);
		return false;
	}
	if (is_final)
		step_done("gathered");
	start_round(round);
	if (morph.state != KMP_OP_FROZEN)
		morph_become(KMP_OP_TRANSFERRING);
	return true;
}

/* All of what was frozen, as it was, for another target. */
static bool begin_again(void)
{
	forget_kept();
	final = true;
	for (size_t i = 0; i < region_count; i++) {
		regions[i].last_digest_length = 0;
		if (!add_all(&regions[i], regions[i].size))
			return false;
	}
	start_round(1);
	return true;
}

bool flow_finish(char *text, size_t most)
{
	if (!flow_is_direct() || !over) {
		strncpy(text, "the round before is not over", most - 1);
		return false;
	}
	validation = 0;
	asks_validation = true;
	if (!begin_round(current_round + 1, true, text, most)) {
		asks_validation = false;
		return false;
	}
	pump();
	return true;
}

/* The same round again: on from what the receiver has, on this connection. */
static void go_on(struct connection *connection, const struct kmp_header *header,
		  const struct kmp_morph_transfer *pull)
{
	struct kept *kept = first;

	if (pull->region != KMP_ALL_REGIONS) {
		struct region *region = region_find(pull->region);

		while (kept &&
		       (kept->region != pull->region || kept->offset != pull->stream_offset))
			kept = kept->next;
		if (!region || (!kept && region->covered != pull->stream_offset)) {
			answer_error(connection, header, KMP_E_EXPIRED, 0, NULL);
			return;
		}
	}
	acknowledge(connection, header, pull->region == KMP_ALL_REGIONS ? 0 : pull->stream_offset,
		    0);
	for (kept = first; kept && flow_on; kept = kept->next)
		if (pull->region == KMP_ALL_REGIONS || kept->region != pull->region ||
		    kept->end > pull->stream_offset || kept->data_length == 0)
			send_kept(connection, kept);
	pump();
}

static bool reach_peer(const char *path)
{
	struct connection *connection = connection_find(peer);

	if (connection && strcmp(path, peer_path) == 0)
		return true;
	flow_forget_peer();
	connection = connection_open(path);
	if (!connection)
		return false;
	strcpy(peer_path, path);
	peer = connection_number(connection);
	return true;
}

/* A round to the target's agent: its answer comes when the round is over, or tells how far it is.
 */
static void pull_to_peer(struct connection *connection, const struct kmp_header *header,
			 const struct kmp_morph_transfer *pull, const char *path)
{
	bool again = morph.state == KMP_OP_RELEASED, same = strcmp(path, peer_path) == 0 && peer;
	char text[KMP_MAX_SMALL_TEXT_BYTES] = "";

	if (!reach_peer(path)) {
		answer_error(connection, header, KMP_E_IO, (uint64_t)errno,
			     "the new kernel's agent cannot be reached from here");
		return;
	}
	if (pull->round == current_round && same) {
		if (flow_on != peer) {
			answer_error(connection, header, KMP_E_IO, 0, "the round was broken off");
			return;
		}
	} else if (pull->round == (again ? 1 : current_round + 1) &&
		   (again || current_round == 0 || over)) {
		flow_on = peer;
		window = WINDOW;
		if (!(again ? begin_again()
			    : begin_round(pull->round, false, text, sizeof(text)))) {
			answer_error(connection, header, KMP_E_IO, 0, text);
			return;
		}
	} else {
		answer_error(connection, header, KMP_E_WRONG_STATE, current_round,
			     "this round is not the next one");
		return;
	}
	asked_note(&pulling, connection, header, PROGRESS);
	pump();
}

static void pull_here(struct connection *connection, const struct kmp_header *header,
		      const struct kmp_morph_transfer *pull)
{
	bool is_final = pull->flags & KMP_CHUNK_FINAL;
	char text[KMP_MAX_SMALL_TEXT_BYTES] = "";

	window = pull->window_bytes < WINDOW ? pull->window_bytes : WINDOW;
	flow_on = connection_number(connection);
	if (pull->round == current_round && final == is_final) {
		go_on(connection, header, pull);
	} else if (pull->round == current_round + 1 && (current_round == 0 || over) && !final) {
		if (!begin_round(pull->round, is_final, text, sizeof(text))) {
			answer_error(connection, header, KMP_E_IO, 0, text);
			return;
		}
		acknowledge(connection, header, 0, estimated);
		pump();
	} else {
		answer_error(connection, header, KMP_E_WRONG_STATE, current_round,
			     "this round is not the next one");
	}
}

void flow_pull(struct connection *connection, const struct kmp_header *header,
	       const struct kmp_morph_transfer *pull, const char *path)
{
	if (pull->window_bytes < 1 || pull->window_bytes > KMP_MAX_WINDOW_BYTES ||
	    pull->round < 1) {
		answer_error(connection, header, KMP_E_MALFORMED,
			     offsetof(struct kmp_morph_transfer, window_bytes), NULL);
		return;
	}
	if (path)
		pull_to_peer(connection, header, pull, path);
	else if (peer || morph.state == KMP_OP_RELEASED)
		answer_error(connection, header, KMP_E_WRONG_STATE, current_round,
			     "the rounds of this morph go to the new kernel's agent");
	else
		pull_here(connection, header, pull);
}

static void answered_chunk(struct kept **at, const struct kmp_ack *ack)
{
	struct kept *kept = *at;

	*at = kept->next;
	if (last == &kept->next)
		last = at;
	in_flight -= kept->data_length;
	if (kept->data_length > 0 && ack->window_bytes > 0)
		window = ack->window_bytes < WINDOW ? ack->window_bytes : WINDOW;
	free(kept);
	pump();
}

void flow_answered(struct connection *connection, const struct frame *frame)
{
	struct kept **at = &first;
	struct kmp_ack ack;

	if (connection_number(connection) != flow_on)
		return;
	if (frame->header.msg_type == KMP_ERROR && validation &&
	    frame->header.sequence == validation) {
		failed("the new kernel does not validate the final state");
		return;
	}
	while (*at && (*at)->sequence != frame->header.sequence)
		at = &(*at)->next;
	if (!*at || frame->header.msg_type == KMP_RETRY)
		return;
	if (frame->header.msg_type == KMP_ERROR) {
		/* the receiver cannot take it, and will roll back; nothing more is sent */
		failed("the new kernel did not take a part of the state");
		return;
	}
	if (frame->header.payload_len < sizeof(ack))
		return;
	memcpy(&ack, frame->payload, sizeof(ack));
	answered_chunk(at, &ack);
}

void flow_lost(uint64_t number)
{
	if (number == peer && peer)
		failed("the connection to the new kernel's agent was lost");
}

uint64_t flow_tick(void)
{
	uint64_t now = now_ns();

	if (!pulling.there)
		return UINT64_MAX;
	if (now >= pulling.until) {
		answer_pull();
		return UINT64_MAX;
	}
	return pulling.until - now;
}
