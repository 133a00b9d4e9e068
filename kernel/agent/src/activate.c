// SPDX-License-Identifier: Apache-2.0
/* The target's part of a commit: what it takes over when the source has let go, and runs when it is
 * told to. */
#include <stdlib.h>
#include <string.h>

#include "morph.h"

static struct asked activating; /* until the workload says that it has begun */
static struct asked released;	/* by the source, until we run it */
static bool taken;
static bool beginning; /* told to run, and it has not said that it has begun */

void activate_forget(void)
{
	activating.there = released.there = taken = beginning = false;
}

bool activate_is_beginning(void)
{
	return beginning;
}

/* The source has let go: its connections and files become ours, and those of what is to be the
 * workload. None of it runs yet, and nothing is taken in. */
static bool take(char *text, size_t most)
{
	const struct region *files = region_of_kind(KMP_KIND_FILES);

	if (taken)
		return true;
	network_take();
	sockets_take();
	if (!sockets_adopt()) {
		strncpy(text, "the connections cannot be given to the workload", most);
		return false;
	}
	if (files && !files_restore(files->blob, files->size, true, text, most))
		return false;
	taken = true;
	step_done("taken");
	return true;
}

void activate_take(struct connection *connection, const struct frame *frame)
{
	char text[160];

	if (morph.role != KMP_ROLE_TARGET || morph.cold || morph_is_over(morph.state)) {
		morph_wrong_state(connection, &frame->header, NULL);
		return;
	}
	asked_note(&released, connection, &frame->header, UINT64_MAX / 2);
	if (morph.state != KMP_OP_VALIDATED)
		return; /* the state was given again: the daemon has us look at it first */
	steps_begin();
	if (!take(text, sizeof(text)))
		say("%s", text);
}

/* Until it hears of it, the source keeps others from answering at the ports. */
static void answer_source(void)
{
	struct connection *connection = connection_find(released.connection);

	if (released.there && connection)
		morph_send_commit(connection, &released.header);
	released.there = false;
}

/* What the target no longer needs once its workload runs: that has its own copies. The regions stay
 * for the day when it is a source. */
static void settle(void)
{
	sockets_forget();
	compress_forget();
	for (size_t i = 0; i < region_count; i++) {
		free(regions[i].blob);
		regions[i].blob = NULL;
		if (regions[i].kind != KMP_KIND_MEMORY)
			regions[i].size = 0;
		regions[i].round = 0;
		regions[i].ended = regions[i].final = false;
		regions[i].last_digest_length = 0;
	}
	workload_link.successor = false;
}

static void answer_activated(void)
{
	struct connection *connection = connection_find(activating.connection);

	if (activating.there && connection)
		morph_send_commit(connection, &activating.header);
	activating.there = false;
}

/* Before this nobody outside has heard of the workload, and it of nobody: until then it can be
 * given back. */
void activate_begun(void)
{
	if (!beginning)
		return;
	beginning = false;
	step_done("begun");
	sockets_open();
	sockets_replay();
	sockets_carry();
	step_done("replayed");
	answer_activated();
	urgency_usual();
	settle();
}

void activate_lost(void)
{
	answer_activated();
	urgency_usual();
}

/* It stands still, or has ended, and what it has said so far has been heard. */
static bool stop_beginning(void)
{
	if (workload.pid != 0 && (!workload_stop_running(now_ns()) || !workload_freeze()))
		return false;
	link_hear();
	return true;
}

/* In this order: after it nothing is left that could begin. Nobody is told that the connections are
 * gone, and nobody but the source can answer at their ports. */
static void give_back(void)
{
	workload_end_now();
	sockets_withdraw();
	network_give_up();
	link_close();
	regions_forget();
	activate_forget();
	morph_become(KMP_OP_ROLLED_BACK);
}

void activate_give_back(struct connection *connection, const struct frame *frame)
{
	if (morph.role != KMP_ROLE_TARGET || !morph_is_over(morph.state)) {
		morph_wrong_state(connection, &frame->header, NULL);
		return;
	}
	if (beginning && !stop_beginning()) {
		answer_error(connection, &frame->header, KMP_E_INTERNAL, 0,
			     "the workload does not stop");
		return;
	}
	if (beginning)
		give_back();
	else if (morph.state == KMP_OP_ACTIVE)
		workload_thaw();
	morph_send_commit(connection, &frame->header);
}

void activate(struct connection *connection, const struct frame *frame)
{
	const struct region *opaque = region_of_kind(KMP_KIND_OPAQUE);
	char text[160];

	if (morph.state == KMP_OP_ACTIVE) {
		morph_send_commit(connection, &frame->header);
		return;
	}
	if (morph.role != KMP_ROLE_TARGET ||
	    (morph.state != KMP_OP_VALIDATED && !(morph.cold && !morph_is_over(morph.state)))) {
		morph_wrong_state(connection, &frame->header, NULL);
		return;
	}
	if (!morph.cold && !workload_is_made_ready()) {
		answer_error(connection, &frame->header, KMP_E_INTERNAL, 0,
			     "what was to become the workload has ended");
		return;
	}
	if (morph.cold) {
		workload_activate();
		morph_become(KMP_OP_ACTIVE);
		morph_send_commit(connection, &frame->header);
		return;
	}
	if (!taken)
		steps_begin();
	else
		step_done("told to run");
	if (!take(text, sizeof(text))) {
		answer_error(connection, &frame->header, KMP_E_INTERNAL, 0, text);
		return;
	}
	sockets_speak();
	workload_hurry_ready();
	if (!link_say(LINK_GO, opaque ? opaque->size : 0)) {
		answer_error(connection, &frame->header, KMP_E_INTERNAL, 0,
			     "what was to become the workload does not listen");
		return;
	}
	workload_activate();
	morph_become(KMP_OP_ACTIVE);
	step_done("running");
	beginning = true;
	asked_note(&activating, connection, &frame->header, UINT64_MAX / 2);
	answer_source();
}
