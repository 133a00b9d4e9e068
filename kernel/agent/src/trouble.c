// SPDX-License-Identifier: Apache-2.0
/* Conditions that the agent notices by itself: HEALTH_STATUS when one begins, changes, ends, lasts.
 */
#include <stdio.h>
#include <string.h>

#include "agent.h"

/* Memory: warning below 1/16 of it available, critical below 1/32; over when 1/12 is again. */
#define MEMORY_WARNING 16
#define MEMORY_CRITICAL 32
#define MEMORY_OVER 12

/* A synced write that takes this long. */
#define WRITER_WARNING SECOND
#define WRITER_CRITICAL (10 * SECOND)

#define REPEAT (10 * SECOND)

uint32_t trouble;

struct condition {
	enum kmp_condition number;
	enum kmp_severity severity;
	uint64_t told_at;
};

static struct condition memory = { .number = KMP_C_MEMORY_PRESSURE };
static struct condition stuck = { .number = KMP_C_WRITER_STUCK };
static struct condition ended = { .number = KMP_C_WORKLOAD_ENDED };

static void tell(const struct condition *condition, uint64_t value, uint64_t limit,
		 const char *text)
{
	uint8_t bytes[KMP_HEADER_LEN + KMP_MAX_SMALL_PAYLOAD_BYTES];
	uint8_t *payload = bytes + KMP_HEADER_LEN;
	struct kmp_health_status status = {
		.instance_id = options.instance,
		.condition = (uint16_t)condition->number,
		.severity = (uint8_t)condition->severity,
		.workload_state = (uint8_t)workload.state,
		.boot_id = figures_read()->boot_id,
		.value = value,
		.limit = limit,
		.trouble = trouble,
	};
	size_t length = sizeof(status);

	memcpy(payload, &status, sizeof(status));
	length = item_add(payload, length, KMP_MAX_SMALL_PAYLOAD_BYTES, KMP_I_TEXT, text,
			  strlen(text));
	if (condition->number == KMP_C_WORKLOAD_ENDED) {
		struct kmp_i_workload item = workload_item();

		length = item_add(payload, length, KMP_MAX_SMALL_PAYLOAD_BYTES, KMP_I_WORKLOAD,
				  &item, sizeof(item));
	}
	connections_broadcast(bytes, KMP_HEALTH_STATUS, length);
}

static void judge(struct condition *condition, enum kmp_severity severity, uint64_t value,
		  uint64_t limit, const char *text)
{
	uint64_t now = now_ns();
	bool changed = severity != condition->severity;

	if (severity == KMP_S_CLEARED)
		trouble &= ~(1u << condition->number);
	else
		trouble |= 1u << condition->number;
	condition->severity = severity;
	if (!changed && (severity == KMP_S_CLEARED || now - condition->told_at < REPEAT))
		return;
	condition->told_at = now;
	tell(condition, value, limit, text);
}

void trouble_happened(enum kmp_condition number, uint64_t value, const char *text)
{
	struct condition once = { .number = number, .severity = KMP_S_WARNING };

	tell(&once, value, 0, text);
}

static void look_at_memory(void)
{
	const struct figures *figures = figures_read();
	uint64_t available = figures->memory_available, total = figures->memory_total;
	enum kmp_severity severity = KMP_S_CLEARED;

	if (available < total / MEMORY_CRITICAL)
		severity = KMP_S_CRITICAL;
	else if (available < total / (memory.severity ? MEMORY_OVER : MEMORY_WARNING))
		severity = KMP_S_WARNING;
	judge(&memory, severity, available, total / MEMORY_WARNING, "memory runs short");
}

static void look_at_writer(void)
{
	uint64_t taken = writer_stuck_ns();
	enum kmp_severity severity = KMP_S_CLEARED;

	if (taken >= WRITER_CRITICAL)
		severity = KMP_S_CRITICAL;
	else if (taken >= WRITER_WARNING)
		severity = KMP_S_WARNING;
	judge(&stuck, severity, taken / 1000, WRITER_WARNING / 1000,
	      "a synced write does not return");
}

static void look_at_workload(void)
{
	enum kmp_severity severity = KMP_S_CLEARED;
	char text[64];

	if (workload.state == KMP_WORKLOAD_EXITED)
		severity = KMP_S_WARNING;
	else if (workload.state == KMP_WORKLOAD_FAILED)
		severity = KMP_S_CRITICAL;
	if (workload.exit_status >= 256)
		snprintf(text, sizeof(text), "the workload was killed by signal %d",
			 workload.exit_status - 256);
	else
		snprintf(text, sizeof(text), "the workload ended with status %d",
			 workload.exit_status);
	judge(&ended, severity, (uint64_t)(workload.exit_status < 0 ? 0 : workload.exit_status), 0,
	      text);
}

void trouble_tick(void)
{
	look_at_memory();
	look_at_writer();
	look_at_workload();
}
