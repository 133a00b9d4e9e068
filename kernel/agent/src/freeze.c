// SPDX-License-Identifier: Apache-2.0
/*
 * The source's part of a commit: it freezes its workload under a lease and lets go of it for good,
 * or runs it on. It runs it on when it is told to, or when the lease ends, and not before: whoever
 * finds it dead within its lease may so rely on it that it died frozen.
 */
#include <stdio.h>
#include <string.h>

#include "morph.h"

/* How long the workload may take to come to rest. */
#define QUIESCE_PATIENCE SECOND

static uint64_t lease_until, lease_ns;

/* QUIESCE, or HAND_OVER, until it is answered. */
static struct asked asking;
static bool hands_over; /* the workload is released as soon as the target has validated */
static bool resting;	/* the workload has been asked to, and has not said that it does */

/* The final round, asked for before the workload rests. */
static struct {
	uint64_t connection;
	struct kmp_header header;
	struct kmp_morph_transfer pull;
	bool there;
} early;

uint32_t freeze_lease_left_us(void)
{
	uint64_t now = now_ns();

	return morph.state == KMP_OP_FROZEN && lease_until > now
		       ? (uint32_t)((lease_until - now) / 1000)
		       : 0;
}

void freeze_forget(void)
{
	asking.there = early.there = resting = hands_over = false;
}

static void resume(void)
{
	sockets_resume();
	workload_thaw();
	sockets_return_accepted();
	link_say(LINK_RESUME, 0);
	flow_forget();
	morph_become(KMP_OP_RESUMED);
	urgency_usual();
}

/* The answer that is owed says why; a frozen workload stays so until its lease ends or the morph is
 * rolled back. */
void freeze_failed(const char *why)
{
	struct connection *connection = connection_find(asking.connection);

	if (resting) {
		sockets_resume();
		link_say(LINK_RESUME, 0);
		urgency_usual();
	}
	if (asking.there && connection)
		answer_error(connection, &asking.header, KMP_E_INTERNAL, 0, why);
	freeze_forget();
}

void freeze_undo(void)
{
	if (resting)
		freeze_failed("rolled back");
	freeze_forget();
	if (morph.state == KMP_OP_FROZEN) {
		resume();
		return;
	}
	link_say(LINK_RESUME, 0); /* it may be about to rest */
	sockets_resume();
	flow_forget();
	morph_become(KMP_OP_ROLLED_BACK);
	urgency_usual();
}

static void answer_asked(void)
{
	struct connection *connection = connection_find(asking.connection);

	if (asking.there && connection)
		morph_send_commit(connection, &asking.header);
	asking.there = false;
}

/* In this order: after it nothing is left that could run on. */
static void let_go(void)
{
	workload_end_now();
	sockets_give_up();
	network_give_up();
	flow_keep();
	morph_become(KMP_OP_RELEASED);
	step_done("released");
}

static void resume_at_end_of_lease(void)
{
	freeze_failed("the lease ended before a release: the workload runs on");
	resume();
	trouble_happened(KMP_C_LEASE_EXPIRED, lease_ns / 1000,
			 "the lease ended before a release: the workload runs on");
}

/* A packet may slip in before the filter stands; then what was sent is stale. */
static bool may_let_go(char *text, size_t most)
{
	if (sockets_are_as_saved())
		return true;
	snprintf(text, most, "a connection took something in after it was saved");
	return false;
}

/* Everything but the last of it has been sent while the workload ran. */
static void hand_over(void)
{
	char text[KMP_MAX_SMALL_TEXT_BYTES] = "";

	if (!flow_finish(text, sizeof(text)))
		freeze_failed(text);
	step_done("sent");
}

void freeze_validated(struct connection *connection, const struct frame *frame)
{
	char text[KMP_MAX_SMALL_TEXT_BYTES] = "the new kernel refuses the final state";
	struct kmp_operation_rsp answer;

	if (!flow_is_peer(connection) || !hands_over || resting || morph.state != KMP_OP_FROZEN ||
	    frame->header.payload_len < sizeof(answer))
		return;
	step_done("validated");
	memcpy(&answer, frame->payload, sizeof(answer));
	if (now_ns() >= lease_until) {
		resume_at_end_of_lease(); /* the tick was about to */
		return;
	}
	if (answer.state != KMP_OP_VALIDATED || answer.verdict != KMP_VERDICT_YES ||
	    !may_let_go(text, sizeof(text))) {
		freeze_failed(text);
		return;
	}
	let_go();
	answer_asked();
	flow_tell_released();
}

void freeze_taken(struct connection *connection, const struct frame *frame)
{
	struct kmp_operation_rsp answer;

	if (!flow_is_peer(connection) || morph.state != KMP_OP_RELEASED ||
	    frame->header.payload_len < sizeof(answer))
		return;
	memcpy(&answer, frame->payload, sizeof(answer));
	if (answer.state == KMP_OP_ACTIVE &&
	    memcmp(answer.operation, morph.operation, sizeof(answer.operation)) == 0)
		guards_close();
	urgency_usual();
}

/* The workload rests: from here on nothing of it runs, and nothing comes in. */
static void frozen(uint64_t blob_length)
{
	struct region *opaque = region_find(REGION_OPAQUE);
	bool stopping = workload_stop_running(lease_until);

	step_done("at rest");
	if (!morph.cold)
		sockets_hold();
	step_done("held");
	if (!stopping || !workload_freeze()) {
		freeze_failed("the workload does not stop");
		return;
	}
	step_done("stopped");
	if (opaque)
		opaque->size = blob_length;
	resting = false;
	morph_become(KMP_OP_FROZEN);
	if (hands_over) {
		hand_over();
		return;
	}
	answer_asked();
	if (early.there) {
		struct connection *connection = connection_find(early.connection);

		early.there = false;
		if (connection)
			flow_pull(connection, &early.header, &early.pull, NULL);
	}
}

void freeze_quiesce(struct connection *connection, const struct frame *frame, uint32_t time_us,
		    bool hand_over_too)
{
	if (time_us < 1) {
		answer_error(connection, &frame->header, KMP_E_MALFORMED,
			     offsetof(struct kmp_morph_commit, time_us), NULL);
		return;
	}
	if (asking.there) {
		/* again, on whichever connection: the answer goes to the last that asked */
		asked_note(&asking, connection, &frame->header, QUIESCE_PATIENCE);
		return;
	}
	if (morph.state >= KMP_OP_FROZEN) {
		morph_send_commit(connection, &frame->header);
		return;
	}
	if (morph.role != KMP_ROLE_SOURCE ||
	    morph.state < (morph.cold ? KMP_OP_PREPARED : KMP_OP_TRANSFERRING)) {
		morph_wrong_state(connection, &frame->header, NULL);
		return;
	}
	if (hand_over_too && !flow_is_direct()) {
		morph_wrong_state(connection, &frame->header,
				  "no round has gone to the new kernel's agent directly");
		return;
	}
	steps_begin();
	asked_note(&asking, connection, &frame->header, QUIESCE_PATIENCE);
	hands_over = hand_over_too;
	resting = true;
	lease_ns = time_us * 1000ull;
	lease_until = now_ns() + lease_ns;
	urgency_freeze(lease_ns);
	workload_hurry();
	if (morph.cold)
		frozen(0);
	else if (!link_say(LINK_QUIESCE, 0))
		freeze_failed("the workload does not listen");
}

void freeze_release(struct connection *connection, const struct frame *frame)
{
	char text[KMP_MAX_SMALL_TEXT_BYTES];

	if (morph.role != KMP_ROLE_SOURCE || morph.state < KMP_OP_FROZEN) {
		morph_wrong_state(connection, &frame->header, NULL);
		return;
	}
	if (morph.state == KMP_OP_FROZEN && now_ns() >= lease_until)
		resume_at_end_of_lease(); /* the tick was about to */
	if (morph.state == KMP_OP_FROZEN && !may_let_go(text, sizeof(text))) {
		answer_error(connection, &frame->header, KMP_E_IO, 0, text);
		return;
	}
	if (morph.state == KMP_OP_FROZEN)
		let_go();
	morph_send_commit(connection, &frame->header);
}

bool freeze_may_pull(struct connection *connection, const struct kmp_header *header,
		     const struct kmp_morph_transfer *pull)
{
	if (!resting)
		return true;
	early.connection = connection_number(connection);
	early.header = *header;
	early.pull = *pull;
	early.there = true;
	return false;
}

void freeze_heard(const struct kmorph_message *message)
{
	if (!resting)
		link_say(LINK_RESUME, 0); /* too late: it was given up */
	else if (message->value != 0)
		freeze_failed("the workload cannot save its state");
	else if (message->size <= KMORPH_BLOB_BYTES)
		frozen(message->size);
}

uint64_t freeze_tick(void)
{
	uint64_t now = now_ns();

	if (morph.state == KMP_OP_FROZEN) {
		if (now < lease_until)
			return lease_until - now;
		resume_at_end_of_lease();
		return UINT64_MAX;
	}
	if (!resting)
		return UINT64_MAX;
	if (now >= asking.until) {
		freeze_failed("the workload did not come to rest within 1 s");
		return UINT64_MAX;
	}
	return asking.until - now;
}
