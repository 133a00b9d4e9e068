// SPDX-License-Identifier: Apache-2.0
/* What the target finds when it tries: docs/kmp.md, KMP_MORPH_VALIDATE. */
#include <stdio.h>
#include <string.h>

#include "morph.h"

/* How long a successor may take to get ready, and to look after itself. */
#define REHEARSAL_PATIENCE (30 * SECOND)

/* So soon after a rehearsal the final state may come. */
#define FREEZE_EXPECTED (2 * SECOND)

static struct asked rehearsing;
static bool prefaulted, looked_after, well;
static char health_text[64];

/* The answer to a rehearsal as it grows. */
struct findings {
	uint8_t *payload;
	size_t length;
	bool all;
	uint64_t since;
};

const struct region *region_of_kind(uint16_t kind)
{
	for (size_t i = 0; i < region_count; i++)
		if (regions[i].kind == kind)
			return &regions[i];
	return NULL;
}

static void found(struct findings *findings, bool passed, const char *name, const char *text)
{
	uint64_t now = now_ns();

	findings->all = findings->all && passed;
	findings->length = morph_add_check(findings->payload, findings->length, passed,
					   (uint32_t)((now - findings->since) / 1000), name, text);
	findings->since = now;
}

static void try_workload(struct findings *findings)
{
	bool started = workload_is_made_ready();
	uint64_t memory = 0;
	char text[64];

	for (size_t i = 0; i < region_count; i++)
		if (regions[i].kind == KMP_KIND_MEMORY)
			memory += regions[i].size;
	found(findings, started && workload_link.ready, "workload",
	      !started		    ? "has ended"
	      : workload_link.ready ? "started, waits for its turn"
				    : "has not come to kmorph_begin");
	snprintf(text, sizeof(text), "%llu KiB %s", (unsigned long long)memory / 1024,
		 prefaulted ? "mapped" : "not mapped in time");
	found(findings, prefaulted, "memory", text);
}

static void try_descriptors(struct findings *findings)
{
	const struct region *files = region_of_kind(KMP_KIND_FILES);
	const struct region *sockets = region_of_kind(KMP_KIND_SOCKETS);
	char text[160];
	bool passed;

	if (files) {
		passed = files_restore(files->blob, files->size, false, text, sizeof(text));
		found(findings, passed, "files", text);
	}
	if (sockets) {
		passed = sockets_rehearse(sockets->blob, sockets->size, text, sizeof(text));
		found(findings, passed, "sockets", text);
	}
}

static void try_checks(struct findings *findings)
{
	char text[160];
	bool passed;

	for (size_t i = 0; checks_found(i, &passed, text, sizeof(text)); i++)
		found(findings, passed, "check", text);
}

/* What can be tried before the freeze has been; says how it went. */
static void answer_rehearsal(struct connection *connection, const struct kmp_header *header)
{
	static uint8_t bytes[MORPH_ANSWER];
	struct findings findings = { .payload = bytes + KMP_HEADER_LEN,
				     .length = sizeof(struct kmp_operation_rsp),
				     .all = true,
				     .since = rehearsing.until - REHEARSAL_PATIENCE };

	urgency_freeze(FREEZE_EXPECTED);
	try_workload(&findings);
	try_descriptors(&findings);
	found(&findings, looked_after && well, "health",
	      !looked_after    ? "no answer"
	      : health_text[0] ? health_text
			       : "well");
	try_checks(&findings);
	morph_head(findings.payload, findings.all ? KMP_VERDICT_YES : KMP_VERDICT_NO);
	connection_send(connection, bytes, KMP_MORPH_VALIDATE | KMP_ANSWER, header->sequence,
			findings.length);
}

void validate_look(void)
{
	struct connection *connection = connection_find(rehearsing.connection);

	if (!rehearsing.there)
		return;
	if (workload_is_made_ready() && (!prefaulted || !looked_after || !checks_are_over()) &&
	    now_ns() < rehearsing.until)
		return;
	rehearsing.there = false;
	if (connection)
		answer_rehearsal(connection, &rehearsing.header);
}

static void ask_workload(void)
{
	link_say(LINK_PREFAULT, 0);
	link_say(LINK_HEALTH, 0);
	checks_run();
}

static void rehearse(struct connection *connection, const struct frame *frame)
{
	uint8_t bytes[MORPH_ANSWER];
	uint8_t *payload = bytes + KMP_HEADER_LEN;

	if (morph.cold) {
		size_t length = morph_head(payload, KMP_VERDICT_YES);

		length = morph_add_check(payload, length, true, 0, "workload", options.workload[0]);
		connection_send(connection, bytes, KMP_MORPH_VALIDATE | KMP_ANSWER,
				frame->header.sequence, length);
		return;
	}
	asked_note(&rehearsing, connection, &frame->header, REHEARSAL_PATIENCE);
	prefaulted = looked_after = false;
	if (workload_link.ready)
		ask_workload();
	validate_look();
}

static void answer_final(struct connection *connection, const struct kmp_header *header,
			 const char *why)
{
	static uint8_t bytes[MORPH_ANSWER];
	uint8_t *payload = bytes + KMP_HEADER_LEN;
	size_t length = morph_head(payload, why ? KMP_VERDICT_NO : KMP_VERDICT_YES);

	if (why)
		length = morph_add_check(payload, length, false, 0, "final state", why);
	for (size_t i = 0; i < region_count && !why; i++) {
		struct {
			struct kmp_i_digest head;
			uint8_t digest[KMP_MAX_DIGEST_BYTES];
		} KMP_PACKED item = { .head = { .region = regions[i].id,
						.round = regions[i].round,
						.algorithm = morph.digest } };

		memcpy(item.digest, regions[i].last_digest, regions[i].last_digest_length);
		length = morph_add(payload, length, KMP_I_DIGEST, &item,
				   sizeof(item.head) + regions[i].last_digest_length);
	}
	connection_send(connection, bytes, KMP_MORPH_VALIDATE | KMP_ANSWER, header->sequence,
			length);
}

static void validate_final(struct connection *connection, const struct frame *frame)
{
	const struct region *sockets = region_of_kind(KMP_KIND_SOCKETS);
	const struct region *opaque = region_of_kind(KMP_KIND_OPAQUE);
	char text[160] = "";

	if (morph.state == KMP_OP_VALIDATED) {
		answer_final(connection, &frame->header, NULL);
		return;
	}
	if (!intake_is_final())
		strcpy(text, "the final round is not complete");
	else if (!workload_is_made_ready() || !workload_link.ready)
		strcpy(text, "the workload does not wait for its turn");
	else if (opaque && opaque->size > KMORPH_BLOB_BYTES)
		strcpy(text, "the workload's own state is too large");
	else if (sockets && !sockets_prepare(sockets->blob, sockets->size, text, sizeof(text)))
		sockets_forget();
	else
		text[0] = 0;
	if (!text[0]) {
		if (opaque && opaque->size > 0)
			memcpy(workload_link.blob, opaque->blob, opaque->size);
		morph_become(KMP_OP_VALIDATED);
	}
	answer_final(connection, &frame->header, text[0] ? text : NULL);
}

void validate_answer(struct connection *connection, const struct frame *frame)
{
	struct kmp_morph_validate message;

	memcpy(&message, frame->payload, sizeof(message));
	if (message.scope != KMP_VALIDATE_REHEARSAL && message.scope != KMP_VALIDATE_FINAL) {
		answer_error(connection, &frame->header, KMP_E_MALFORMED,
			     offsetof(struct kmp_morph_validate, scope), NULL);
		return;
	}
	if (morph.role != KMP_ROLE_TARGET || morph_is_over(morph.state) ||
	    (!morph.cold && morph.state < KMP_OP_TRANSFERRING)) {
		morph_wrong_state(connection, &frame->header, NULL);
		return;
	}
	if (message.scope == KMP_VALIDATE_REHEARSAL)
		rehearse(connection, frame);
	else
		validate_final(connection, frame);
}

void validate_heard(const struct kmorph_message *message)
{
	switch (message->type) {
	case LINK_READY:
		if (rehearsing.there)
			ask_workload();
		break;
	case LINK_PREFAULTED:
		prefaulted = true;
		break;
	case LINK_HEALTHY:
		looked_after = true;
		well = message->value == 0;
		memcpy(health_text, message->name, sizeof(health_text));
		break;
	default:
		return;
	}
	validate_look();
}

uint64_t validate_tick(void)
{
	uint64_t now = now_ns();

	if (!rehearsing.there)
		return UINT64_MAX;
	if (now >= rehearsing.until) {
		validate_look();
		return UINT64_MAX;
	}
	return rehearsing.until - now;
}

void validate_forget(void)
{
	rehearsing.there = false;
	prefaulted = looked_after = false;
}
