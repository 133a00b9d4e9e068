// SPDX-License-Identifier: Apache-2.0
/* What the daemon asks of a share, and what it answers to what is sent of one. */
#include <string.h>

#include "share.h"

static struct share *find(const uint8_t *operation, uint32_t number)
{
	for (size_t i = 0; i < MAX_SHARES; i++)
		if (shares[i].there && shares[i].number == number &&
		    memcmp(shares[i].operation, operation, sizeof(shares[i].operation)) == 0)
			return &shares[i];
	return NULL;
}

static size_t put(uint8_t *bytes, size_t length, const void *value, size_t size)
{
	memcpy(bytes + KMP_HEADER_LEN + length, value, size);
	return length + size;
}

static void acknowledge(struct connection *connection, const struct kmp_header *header,
			const struct share *share)
{
	uint8_t bytes[KMP_HEADER_LEN + sizeof(struct kmp_ack)];
	struct kmp_ack ack = { .head = { .state = KMP_OP_CAPTURING },
			       .stream_offset = share->now.offset,
			       .estimate_bytes = share->dead.bytes };

	memcpy(ack.head.operation, share->operation, sizeof(ack.head.operation));
	put(bytes, 0, &ack, sizeof(ack));
	connection_send(connection, bytes, header->msg_type | KMP_ANSWER, header->sequence,
			sizeof(ack));
}

/* Room for a share: one that nobody listens to gives way. */
static struct share *room(void)
{
	struct share *lost = NULL;

	for (size_t i = 0; i < MAX_SHARES; i++) {
		if (!shares[i].there)
			return &shares[i];
		if (!connection_find(shares[i].connection))
			lost = &shares[i];
	}
	if (lost)
		share_end(lost);
	return lost;
}

/* A capture has many shares. */
static void tell_once(const struct kmp_vmcore_start *start)
{
	static uint8_t told[sizeof(start->operation)];

	if (memcmp(told, start->operation, sizeof(told)) == 0)
		return;
	memcpy(told, start->operation, sizeof(told));
	say("instance %u has failed: parts of its memory are read for the daemon",
	    start->dead_instance);
}

/* A share that is read from its beginning; NULL when that was refused. */
static struct share *begin(struct connection *connection, const struct frame *frame,
			   const struct kmp_vmcore_start *start)
{
	struct share *share = room();
	const char *text;
	uint64_t value;
	uint16_t code;

	if (!share) {
		answer_error(connection, &frame->header, KMP_E_BUSY, 0,
			     "as many shares are read already as are at a time");
		return NULL;
	}
	code = dead_open(&share->dead, frame->payload + sizeof(*start),
			 frame->header.payload_len - sizeof(*start), &value, &text);
	if (code) {
		answer_error(connection, &frame->header, code,
			     code == KMP_E_MALFORMED ? value + sizeof(*start) : value, text);
		return NULL;
	}
	share->there = true;
	share->number = start->share;
	memcpy(share->operation, start->operation, sizeof(share->operation));
	digest_begin(&share->now.digest, KMP_DIGEST_SHA256);
	tell_once(start);
	return share;
}

/* A share that is known goes on from where the daemon has it; NULL when that is not known. */
static struct share *resume(struct share *share, uint64_t offset)
{
	if (!share)
		return NULL;
	for (size_t i = 0; i < share->mark_count; i++) {
		if (share->marks[i].offset == offset) {
			share_rewind(share, i);
			return share;
		}
	}
	if (share->now.offset != offset)
		return NULL;
	share_rewind(share, share->mark_count);
	return share;
}

static bool may_start(struct connection *connection, const struct frame *frame,
		      const struct kmp_vmcore_start *start)
{
	const struct kmp_header *header = &frame->header;

	if (start->window_bytes < 1 || start->window_bytes > KMP_MAX_WINDOW_BYTES)
		answer_error(connection, header, KMP_E_MALFORMED,
			     offsetof(struct kmp_vmcore_start, window_bytes), NULL);
	else if (start->compression > KMP_COMPRESS_ZSTD)
		answer_error(connection, header, KMP_E_MALFORMED,
			     offsetof(struct kmp_vmcore_start, compression), NULL);
	else if (!options.local)
		answer_error(connection, header, KMP_E_NOT_SUPPORTED, 0,
			     "this kernel sees no memory but its own");
	else if (start->dead_instance == options.instance)
		answer_error(connection, header, KMP_E_WRONG_STATE, options.instance,
			     "this is the instance that is said to be dead");
	else
		return true;
	return false;
}

static void start(struct connection *connection, const struct frame *frame)
{
	struct kmp_vmcore_start message;
	struct share *share;

	if (!well_formed(connection, frame, sizeof(message)))
		return;
	memcpy(&message, frame->payload, sizeof(message));
	if (!may_start(connection, frame, &message))
		return;
	share = find(message.operation, message.share);
	if (message.stream_offset > 0) {
		share = resume(share, message.stream_offset);
		if (!share) {
			answer_error(connection, &frame->header, KMP_E_EXPIRED, 0,
				     "the share is not known so far");
			return;
		}
	} else {
		if (share)
			share_end(share);
		share = begin(connection, frame, &message);
		if (!share)
			return;
	}
	share->connection = connection_number(connection);
	share->window = message.window_bytes < SHARE_WINDOW ? message.window_bytes : SHARE_WINDOW;
	share->rate = message.rate_bytes_per_s;
	share->since = now_ns();
	share->dead.read = 0;
	share->not_before = 0;
	acknowledge(connection, &frame->header, share);
}

/* The daemon ends a share, which may be over already or never have begun. */
static void cancel(struct connection *connection, const struct frame *frame)
{
	uint8_t bytes[KMP_HEADER_LEN + sizeof(struct kmp_operation_rsp)];
	struct kmp_operation_rsp answer = { .state = KMP_OP_COMPLETE };
	struct kmp_vmcore_complete message;
	struct share *share;

	if (!well_formed(connection, frame, sizeof(message)))
		return;
	memcpy(&message, frame->payload, sizeof(message));
	if (message.outcome != KMP_OUTCOME_CANCELLED) {
		answer_error(connection, &frame->header, KMP_E_MALFORMED,
			     offsetof(struct kmp_vmcore_complete, outcome), NULL);
		return;
	}
	share = find(message.operation, message.share);
	if (share)
		share_end(share);
	memcpy(answer.operation, message.operation, sizeof(answer.operation));
	put(bytes, 0, &answer, sizeof(answer));
	connection_send(connection, bytes, frame->header.msg_type | KMP_ANSWER,
			frame->header.sequence, sizeof(answer));
}

void share_answer(struct connection *connection, const struct frame *frame)
{
	if (frame->header.msg_type == KMP_VMCORE_START)
		start(connection, frame);
	else
		cancel(connection, frame);
}

/* All before the offset has come. */
static void acknowledged(struct share *share, const struct frame *frame)
{
	struct kmp_ack ack;
	size_t count = 0;

	if (frame->header.payload_len < sizeof(ack))
		return;
	memcpy(&ack, frame->payload, sizeof(ack));
	while (count < share->mark_count &&
	       (count + 1 < share->mark_count ? share->marks[count + 1].offset
					      : share->now.offset) <= ack.stream_offset)
		count++;
	share_forget_marks(share, count);
	if (ack.window_bytes > 0)
		share->window = ack.window_bytes < SHARE_WINDOW ? ack.window_bytes : SHARE_WINDOW;
}

static void retry(struct share *share, const struct frame *frame)
{
	struct kmp_retry message = { .delay_ms = 0 };
	uint64_t most = 60 * SECOND, delay;

	if (frame->header.payload_len >= sizeof(message))
		memcpy(&message, frame->payload, sizeof(message));
	delay = message.delay_ms * MS;
	share_rewind(share, 0);
	share->not_before = now_ns() + (delay < most ? delay : most);
}

static struct share *asked(const struct connection *connection, uint32_t number)
{
	for (size_t i = 0; i < MAX_SHARES; i++) {
		struct share *share = &shares[i];

		if (!share->there || share->connection != connection_number(connection))
			continue;
		if (share->complete && share->complete == number)
			return share;
		for (size_t j = 0; j < share->mark_count; j++)
			if (share->marks[j].sequence == number)
				return share;
	}
	return NULL;
}

bool share_answered(struct connection *connection, const struct frame *frame)
{
	struct share *share = asked(connection, frame->header.sequence);

	if (!share)
		return false;
	if (frame->header.msg_type == KMP_RETRY)
		retry(share, frame);
	else if (frame->header.msg_type == (KMP_VMCORE_DATA | KMP_ANSWER))
		acknowledged(share, frame);
	else
		share_end(share); /* all of it has come, or none of it is wanted any more */
	return true;
}
