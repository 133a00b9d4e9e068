// SPDX-License-Identifier: Apache-2.0
/* What a command begins with: its words, and where it is called from. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kmorphctl.h"
#include "protocol.h"

/* A payload as it grows: KMCT_MAX_PAYLOAD at the most. */
struct payload {
	uint8_t *bytes;
	size_t length;
};

static bool add_field(struct payload *to, enum kmct_tag tag, const void *value, size_t length)
{
	if (length > UINT16_MAX || to->length + 3 + length > KMCT_MAX_PAYLOAD)
		return false;
	to->bytes[to->length] = (uint8_t)tag;
	put_u16(to->bytes + to->length + 1, (uint16_t)length);
	memcpy(to->bytes + to->length + 3, value, length);
	to->length += 3 + length;
	return true;
}

size_t start_build(uint8_t *bytes, int word_count, char **words)
{
	struct payload start = { .bytes = bytes, .length = 2 };
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	char directory[PATH_MAX];
	uint8_t size[4];
	uint8_t flags = 0;
	bool fits;

	if (!getcwd(directory, sizeof(directory))) {
		complain("cannot tell the working directory: %s; change to one that exists",
			 strerror(errno));
		return 0;
	}
	if (word_count > KMCT_MAX_WORDS) {
		complain("%d words are too many: at most %d", word_count, KMCT_MAX_WORDS);
		return 0;
	}
	if (isatty(STDIN_FILENO))
		flags |= KMCT_FLAG_STDIN_TTY;
	if (isatty(STDOUT_FILENO))
		flags |= KMCT_FLAG_STDOUT_TTY;
	if (isatty(STDERR_FILENO))
		flags |= KMCT_FLAG_STDERR_TTY;
	if (no_color && *no_color)
		flags |= KMCT_FLAG_NO_COLOR;
	put_u16(bytes, KMCT_VERSION);
	fits = add_field(&start, KMCT_TAG_DIRECTORY, directory, strlen(directory)) &&
	       add_field(&start, KMCT_TAG_FLAGS, &flags, 1);
	if (term && strlen(term) <= 64)
		fits = fits && add_field(&start, KMCT_TAG_TERM, term, strlen(term));
	if (tty_size(size))
		fits = fits && add_field(&start, KMCT_TAG_SIZE, size, sizeof(size));
	for (int i = 0; i < word_count; i++)
		fits = fits && add_field(&start, KMCT_TAG_WORD, words[i], strlen(words[i]));
	if (!fits) {
		complain("the words are too long: at most %u bytes in all; use a file",
			 KMCT_MAX_PAYLOAD);
		return 0;
	}
	return start.length;
}
