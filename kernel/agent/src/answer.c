// SPDX-License-Identifier: Apache-2.0
/* What is said to a request. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "morph.h"

/* What this agent can do; what it cannot is answered with NOT_SUPPORTED. */
#define CAPABILITIES                                                                               \
	(KMP_CAP_WORKLOAD | KMP_CAP_RECOVER | (options.local ? KMP_CAP_VMCORE : 0) |               \
	 morph_capabilities())

/* Retirements that wait for the workload to end. */
#define MAX_WAITING 16

static struct waiting {
	uint64_t connection;
	uint32_t sequence;
} waiting[MAX_WAITING];
static size_t waiting_count;

struct kmp_i_workload workload_item(void)
{
	return (struct kmp_i_workload){
		.pid = (uint32_t)workload.pid,
		.exit_status = workload.exit_status,
		.starts = workload.starts,
		.flags = activate_is_beginning() ? KMP_PROCESS_BEGINNING : 0,
		.since_ns = workload.since_ns,
	};
}

/* The retirement there was, if any: an instance has one workload, so it has at most one. */
static uint8_t retirement[16];
static bool retired;

void answer_error(struct connection *connection, const struct kmp_header *request, uint16_t code,
		  uint64_t value, const char *text)
{
	uint8_t bytes[KMP_HEADER_LEN + KMP_MAX_SMALL_PAYLOAD_BYTES];
	struct kmp_error error = {
		.code = code,
		.request_type = request->msg_type,
		.version_min = KMP_VERSION_MIN,
		.version_max = KMP_VERSION_MAX,
		.value = value,
	};
	size_t length = sizeof(error);

	memcpy(bytes + KMP_HEADER_LEN, &error, sizeof(error));
	if (text)
		length = item_add(bytes + KMP_HEADER_LEN, length, KMP_MAX_SMALL_PAYLOAD_BYTES,
				  KMP_I_TEXT, text, strlen(text));
	connection_send(connection, bytes, KMP_ERROR, request->sequence, length);
}

bool well_formed(struct connection *connection, const struct frame *frame, size_t fixed)
{
	size_t at = frame->header.payload_len;

	if (frame->header.payload_len >= fixed &&
	    items_are_well_formed(frame->payload + fixed, frame->header.payload_len - fixed, &at))
		return true;
	answer_error(connection, &frame->header, KMP_E_MALFORMED,
		     frame->header.payload_len >= fixed ? fixed + at : frame->header.payload_len,
		     NULL);
	return false;
}

static size_t add_text(uint8_t *payload, size_t length, uint16_t type, const char *text,
		       size_t most)
{
	size_t size = strnlen(text, most);

	return item_add(payload, length, KMP_MAX_SMALL_PAYLOAD_BYTES, type, text, size);
}

static size_t add_wanted(uint8_t *payload, size_t length, uint32_t wants)
{
	uint64_t capabilities = CAPABILITIES;
	struct utsname kernel;

	if (wants & KMP_WANT_KERNEL_RELEASE && uname(&kernel) == 0)
		length = add_text(payload, length, KMP_I_KERNEL_RELEASE,
				  options.kernel_release ? options.kernel_release : kernel.release,
				  KMP_MAX_RELEASE_BYTES);
	if (wants & KMP_WANT_CAPABILITIES)
		length = item_add(payload, length, KMP_MAX_SMALL_PAYLOAD_BYTES, KMP_I_CAPABILITIES,
				  &capabilities, sizeof(capabilities));
	if (wants & KMP_WANT_AGENT_VERSION)
		length = add_text(payload, length, KMP_I_AGENT_VERSION, KMORPH_VERSION,
				  KMP_MAX_AGENT_VERSION_BYTES);
	if (wants & KMP_WANT_WORKLOAD && workload.state != KMP_WORKLOAD_NONE) {
		struct kmp_i_workload item = workload_item();

		length = item_add(payload, length, KMP_MAX_SMALL_PAYLOAD_BYTES, KMP_I_WORKLOAD,
				  &item, sizeof(item));
	}
	if (wants & KMP_WANT_OPERATION) {
		struct kmp_i_operation item = {
			.role = KMP_ROLE_SOURCE,
			.state = workload_is_over() ? KMP_OP_RELEASED : KMP_OP_PREPARED,
		};

		memcpy(item.operation, retirement, sizeof(item.operation));
		if (retired || morph_operation(&item) || survivor_operation(&item))
			length = item_add(payload, length, KMP_MAX_SMALL_PAYLOAD_BYTES,
					  KMP_I_OPERATION, &item, sizeof(item));
	}
	return length;
}

static void answer_heartbeat(struct connection *connection, const struct frame *frame)
{
	uint8_t bytes[KMP_HEADER_LEN + KMP_MAX_SMALL_PAYLOAD_BYTES];
	struct kmp_heartbeat_rsp heartbeat = { .instance_id = options.instance };
	struct kmp_heartbeat_req request;
	const struct figures *figures;
	uint32_t io_us, io_age_ms, flags;

	if (!well_formed(connection, frame, sizeof(request)))
		return;
	memcpy(&request, frame->payload, sizeof(request));
	writer_prod();
	writer_figures(&io_us, &io_age_ms, &flags);
	figures = figures_read();
	heartbeat.agent_state = (uint8_t)agent_state();
	heartbeat.workload_state = (uint8_t)workload.state;
	heartbeat.cpu_count = figures->cpu_count;
	heartbeat.boot_id = figures->boot_id;
	heartbeat.uptime_ms = figures->uptime_ms;
	heartbeat.memory_total_bytes = figures->memory_total;
	heartbeat.memory_available_bytes = figures->memory_available;
	heartbeat.cpu_use = figures->cpu_use;
	heartbeat.load1 = figures->load1;
	heartbeat.io_us = io_us;
	heartbeat.io_age_ms = io_age_ms;
	heartbeat.flags = flags;
	heartbeat.trouble = trouble;
	memcpy(bytes + KMP_HEADER_LEN, &heartbeat, sizeof(heartbeat));
	connection_send(connection, bytes, KMP_HEARTBEAT_RSP, frame->header.sequence,
			add_wanted(bytes + KMP_HEADER_LEN, sizeof(heartbeat), request.wants));
}

static void answer_commit(struct connection *connection, uint32_t sequence,
			  const uint8_t *operation)
{
	uint8_t bytes[KMP_HEADER_LEN + sizeof(struct kmp_commit_rsp)];
	struct kmp_commit_rsp response = { .head = { .state = KMP_OP_UNKNOWN } };

	memcpy(response.head.operation, operation, sizeof(response.head.operation));
	if (retired && memcmp(operation, retirement, sizeof(retirement)) == 0 &&
	    workload_is_over()) {
		response.head.state = KMP_OP_RELEASED;
		response.since_ns = workload.since_ns;
	}
	memcpy(bytes + KMP_HEADER_LEN, &response, sizeof(response));
	connection_send(connection, bytes, KMP_MORPH_COMMIT | KMP_ANSWER, sequence,
			sizeof(response));
}

void answer_retired(void)
{
	size_t count = waiting_count;

	waiting_count = 0;
	for (size_t i = 0; i < count && retired; i++) {
		struct connection *connection = connection_find(waiting[i].connection);

		if (connection)
			answer_commit(connection, waiting[i].sequence, retirement);
	}
}

static void retire(struct connection *connection, const struct kmp_header *header,
		   const struct kmp_morph_commit *commit)
{
	if (workload.state == KMP_WORKLOAD_NONE) {
		answer_error(connection, header, KMP_E_NO_WORKLOAD, 0, NULL);
		return;
	}
	if (retired && memcmp(retirement, commit->operation, sizeof(retirement)) != 0) {
		answer_error(connection, header, KMP_E_BUSY, 0,
			     "it was retired by another operation");
		return;
	}
	if (waiting_count == MAX_WAITING) {
		answer_error(connection, header, KMP_E_BUSY, 0, "too many wait for its end");
		return;
	}
	memcpy(retirement, commit->operation, sizeof(retirement));
	retired = true;
	workload_stop(commit->time_us * 1000ull);
	if (workload_is_over()) {
		answer_commit(connection, header->sequence, retirement);
		return;
	}
	waiting[waiting_count].connection = connection_number(connection);
	waiting[waiting_count++].sequence = header->sequence;
}

static bool is_retirement(const uint8_t *operation)
{
	return retired && memcmp(operation, retirement, sizeof(retirement)) == 0;
}

static void take_commit(struct connection *connection, const struct frame *frame)
{
	struct kmp_morph_commit commit;

	if (!well_formed(connection, frame, sizeof(commit)))
		return;
	memcpy(&commit, frame->payload, sizeof(commit));
	switch (commit.phase) {
	case KMP_COMMIT_QUERY:
		if (is_retirement(commit.operation))
			answer_commit(connection, frame->header.sequence, commit.operation);
		else
			morph_answer(connection, frame);
		break;
	case KMP_COMMIT_RETIRE:
		if (morph_busy())
			answer_error(connection, &frame->header, KMP_E_BUSY, 0,
				     "a morph is under way");
		else
			retire(connection, &frame->header, &commit);
		break;
	case KMP_COMMIT_QUIESCE:
	case KMP_COMMIT_RELEASE:
	case KMP_COMMIT_ACTIVATE:
	case KMP_COMMIT_HAND_OVER:
	case KMP_COMMIT_TAKE:
	case KMP_COMMIT_GIVE_BACK:
		morph_answer(connection, frame);
		break;
	default:
		answer_error(connection, &frame->header, KMP_E_MALFORMED,
			     offsetof(struct kmp_morph_commit, phase), NULL);
	}
}

void answer(struct connection *connection, const struct frame *frame)
{
	switch (frame->header.msg_type) {
	case KMP_HEARTBEAT_REQ:
		answer_heartbeat(connection, frame);
		break;
	case KMP_MORPH_COMMIT:
		take_commit(connection, frame);
		break;
	case KMP_RECOVER_PREPARE:
	case KMP_RECOVER_RECLAIM:
	case KMP_RECOVER_COMPLETE:
		survivor_answer(connection, frame);
		break;
	case KMP_VMCORE_START:
	case KMP_VMCORE_COMPLETE:
		share_answer(connection, frame);
		break;
	case KMP_VMCORE_DATA:
		answer_error(connection, &frame->header, KMP_E_NOT_SUPPORTED, 0,
			     "memory goes to the daemon, not to an agent");
		break;
	case KMP_MORPH_PREPARE:
	case KMP_MORPH_NEGOTIATE:
	case KMP_MORPH_TRANSFER_STATE:
	case KMP_MORPH_VALIDATE:
	case KMP_MORPH_ROLLBACK:
		morph_answer(connection, frame);
		break;
	case KMP_MORPH_TRANSFER_STATE | KMP_ANSWER:
		flow_answered(connection, frame);
		break;
	case KMP_VMCORE_DATA | KMP_ANSWER:
	case KMP_VMCORE_COMPLETE | KMP_ANSWER:
		share_answered(connection, frame);
		break;
	case KMP_ERROR:
	case KMP_RETRY:
		if (!share_answered(connection, frame))
			flow_answered(connection, frame);
		break;
	case KMP_MORPH_COMMIT | KMP_ANSWER:
		freeze_taken(connection, frame);
		break;
	case KMP_MORPH_VALIDATE | KMP_ANSWER:
		freeze_validated(connection, frame);
		break;
	case KMP_HEALTH_STATUS:
		break; /* never answered */
	default:
		if (!(frame->header.msg_type & KMP_ANSWER))
			answer_error(connection, &frame->header, KMP_E_UNSUPPORTED_TYPE,
				     frame->header.msg_type, NULL);
	}
}
