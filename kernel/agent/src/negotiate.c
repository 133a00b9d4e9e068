// SPDX-License-Identifier: Apache-2.0
/* What there is to be moved, and whether it can be: docs/kmp.md, KMP_MORPH_NEGOTIATE. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "morph.h"

#define STATE_VERSION 1

static size_t add_platform(uint8_t *payload, size_t length)
{
	uint64_t capabilities = KMP_CAP_WORKLOAD | morph_capabilities();
	struct utsname kernel;
	const char *release;

	if (uname(&kernel) < 0)
		return length;
	release = options.kernel_release ? options.kernel_release : kernel.release;
	length = morph_add(payload, length, KMP_I_KERNEL_RELEASE, release,
			   strnlen(release, KMP_MAX_RELEASE_BYTES));
	length =
		morph_add(payload, length, KMP_I_CAPABILITIES, &capabilities, sizeof(capabilities));
	return morph_add(payload, length, KMP_I_MACHINE, kernel.machine,
			 strnlen(kernel.machine, KMP_MAX_RELEASE_BYTES));
}

static size_t add_kinds(uint8_t *payload, size_t length)
{
	for (uint16_t kind = KMP_KIND_MEMORY; kind <= KMP_KIND_OPAQUE; kind++) {
		struct kmp_i_state_kind item = { .kind = kind,
						 .version_min = STATE_VERSION,
						 .version_max = STATE_VERSION };

		for (size_t i = 0; i < region_count; i++)
			if (regions[i].kind == kind) {
				item.count++;
				item.bytes += regions[i].size;
			}
		if (item.count > 0)
			length = morph_add(payload, length, KMP_I_STATE_KIND, &item, sizeof(item));
	}
	return length;
}

static void describe(struct connection *connection, const struct frame *frame)
{
	static uint8_t bytes[MORPH_ANSWER];
	uint8_t *payload = bytes + KMP_HEADER_LEN;
	size_t length = add_platform(payload, morph_head(payload, KMP_VERDICT_NONE));

	if (!morph.cold)
		length = add_kinds(payload, length);
	for (size_t i = 0; i < region_count && !morph.cold; i++) {
		struct {
			struct kmp_i_region head;
			char name[KMP_MAX_NAME_BYTES + 1];
		} KMP_PACKED item = { .head = { .region = regions[i].id,
						.kind = regions[i].kind,
						.bytes = regions[i].size } };

		strcpy(item.name, regions[i].name);
		length = morph_add(payload, length, KMP_I_REGION, &item,
				   sizeof(item.head) + strlen(item.name));
	}
	connection_send(connection, bytes, KMP_MORPH_NEGOTIATE | KMP_ANSWER, frame->header.sequence,
			length);
}

static size_t add_incompatible(uint8_t *payload, size_t length, uint16_t code, uint16_t kind,
			       const char *text)
{
	struct {
		struct kmp_i_incompatible head;
		char text[160];
	} KMP_PACKED item = { .head = { .code = code, .kind = kind } };

	snprintf(item.text, sizeof(item.text), "%s", text);
	return morph_add(payload, length, KMP_I_INCOMPATIBLE, &item,
			 sizeof(item.head) + strlen(item.text));
}

/* Judges one item of an offer; appends what is wrong with it. */
static size_t judge(const struct kmp_item *item, const uint8_t *value, uint8_t *payload,
		    size_t length)
{
	char text[160];

	if (item->type == KMP_I_STATE_KIND) {
		struct kmp_i_state_kind kind;

		memcpy(&kind, value, sizeof(kind));
		if (kind.kind < KMP_KIND_MEMORY || kind.kind > KMP_KIND_OPAQUE) {
			snprintf(text, sizeof(text), "state of kind %u is not known here",
				 kind.kind);
			length = add_incompatible(payload, length, KMP_E_NOT_SUPPORTED, kind.kind,
						  text);
		} else if (kind.version_min > STATE_VERSION || kind.version_max < STATE_VERSION) {
			snprintf(text, sizeof(text), "versions %u to %u are written, %d is read",
				 kind.version_min, kind.version_max, STATE_VERSION);
			length = add_incompatible(payload, length, KMP_E_UNSUPPORTED_VERSION,
						  kind.kind, text);
		} else if (kind.kind == KMP_KIND_MEMORY &&
			   kind.bytes > figures_read()->memory_available) {
			snprintf(text, sizeof(text),
				 "%llu bytes of memory are needed, %llu available",
				 (unsigned long long)kind.bytes,
				 (unsigned long long)figures_read()->memory_available);
			length = add_incompatible(payload, length, KMP_E_NO_SPACE, kind.kind, text);
		} else if (kind.kind == KMP_KIND_SOCKETS && !sockets_capable()) {
			length = add_incompatible(payload, length, KMP_E_NOT_SUPPORTED, kind.kind,
						  "TCP_REPAIR and packet sockets are needed: "
						  "CAP_NET_ADMIN and CAP_NET_RAW");
		}
	}
	if (item->type == KMP_I_MACHINE) {
		struct utsname kernel;

		if (uname(&kernel) == 0 && (item->len != strlen(kernel.machine) ||
					    memcmp(value, kernel.machine, item->len) != 0)) {
			snprintf(text, sizeof(text), "the source is %.*s, the target %s", item->len,
				 (const char *)value, kernel.machine);
			length = add_incompatible(payload, length, KMP_E_NOT_SUPPORTED, 0, text);
		}
	}
	return length;
}

/* Makes room for a region that has been offered; what does not fit is found in the rehearsal too.
 */
static void offer_region(const struct kmp_item *item, const uint8_t *value)
{
	struct kmp_i_region offered;
	char name[KMP_MAX_NAME_BYTES + 1] = "";
	int fd = -1;

	memcpy(&offered, value, sizeof(offered));
	memcpy(name, value + sizeof(offered), item->len - sizeof(offered));
	if (offered.kind == KMP_KIND_MEMORY) {
		fd = memfd_create(name, MFD_CLOEXEC);
		if (fd >= 0 && ftruncate(fd, (off_t)offered.bytes) < 0) {
			close(fd);
			return;
		}
	}
	if (!region_find(offered.region))
		region_add(offered.region, offered.kind, name,
			   offered.kind == KMP_KIND_MEMORY ? offered.bytes : 0, fd);
	else if (fd >= 0)
		close(fd);
}

static void offer(struct connection *connection, const struct frame *frame, size_t fixed)
{
	static uint8_t bytes[MORPH_ANSWER];
	uint8_t *payload = bytes + KMP_HEADER_LEN;
	const uint8_t *items = frame->payload + fixed;
	size_t at = 0, total = frame->header.payload_len - fixed;
	size_t platform = add_platform(payload, morph_head(payload, KMP_VERDICT_YES));
	size_t length = platform;
	const struct kmp_item *item;

	while ((item = kmp_next_item(items, total, &at))) {
		const uint8_t *value = (const uint8_t *)(item + 1);

		length = judge(item, value, payload, length);
		if (item->type == KMP_I_REGION && item->len >= sizeof(struct kmp_i_region))
			offer_region(item, value);
	}
	if (length > platform) {
		morph_head(payload, KMP_VERDICT_NO);
		regions_forget();
	} else {
		length = add_kinds(payload, length);
	}
	connection_send(connection, bytes, KMP_MORPH_NEGOTIATE | KMP_ANSWER, frame->header.sequence,
			length);
}

static void agree(struct connection *connection, const struct frame *frame,
		  const struct kmp_morph_negotiate *message)
{
	if (!morph.cold &&
	    (message->compression > KMP_COMPRESS_ZSTD ||
	     (message->digest != KMP_DIGEST_SHA256 && message->digest != KMP_DIGEST_XXH64))) {
		answer_error(connection, &frame->header, KMP_E_NOT_SUPPORTED, 0,
			     "no compression or zstd, SHA-256 or XXH64");
		return;
	}
	morph.digest = message->digest;
	morph.compressed = message->compression == KMP_COMPRESS_ZSTD;
	for (size_t i = 0; i < region_count; i++)
		regions[i].last_digest_length = 0;
	if (morph.role == KMP_ROLE_TARGET && !morph.cold && !workload_make_ready()) {
		answer_error(connection, &frame->header, KMP_E_NO_WORKLOAD, 0,
			     "the workload cannot be started here");
		return;
	}
	morph_become(KMP_OP_NEGOTIATED);
	morph_send_operation(connection, &frame->header, KMP_VERDICT_NONE);
}

void negotiate_answer(struct connection *connection, const struct frame *frame)
{
	struct kmp_morph_negotiate message;
	bool first_time = morph.state == KMP_OP_PREPARED;

	memcpy(&message, frame->payload, sizeof(message));
	if (message.stage < KMP_NEGOTIATE_DESCRIBE || message.stage > KMP_NEGOTIATE_AGREE) {
		answer_error(connection, &frame->header, KMP_E_MALFORMED,
			     offsetof(struct kmp_morph_negotiate, stage), NULL);
		return;
	}
	if (message.stage == KMP_NEGOTIATE_AGREE && !first_time) {
		morph_send_operation(connection, &frame->header, KMP_VERDICT_NONE);
		return;
	}
	/* what was released is offered to another target as it was to the first */
	if (message.stage == KMP_NEGOTIATE_DESCRIBE && morph.state == KMP_OP_RELEASED) {
		describe(connection, frame);
		return;
	}
	if (!first_time || (message.stage == KMP_NEGOTIATE_DESCRIBE) !=
				   (morph.role == KMP_ROLE_SOURCE && message.stage != 3)) {
		morph_wrong_state(connection, &frame->header, NULL);
		return;
	}
	if (message.stage == KMP_NEGOTIATE_DESCRIBE)
		describe(connection, frame);
	else if (message.stage == KMP_NEGOTIATE_OFFER)
		offer(connection, frame, sizeof(message));
	else
		agree(connection, frame, &message);
}
